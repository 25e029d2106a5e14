"""The likelihood of what is there: of edges, of parts."""
