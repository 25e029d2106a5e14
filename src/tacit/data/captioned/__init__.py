"""Images with captions: from lists, from tar shards, from arrays with a list beside them."""
