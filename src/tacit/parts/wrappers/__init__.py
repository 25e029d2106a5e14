"""Parts of methods around other methods."""
