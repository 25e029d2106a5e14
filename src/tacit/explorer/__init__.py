"""The page of `tacit explore`: a map of a table, what lies near what, selections, and a training as it runs."""
