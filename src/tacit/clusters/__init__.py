"""Groups of a table's rows: how many, which rows, what they are called, and which of them were there before."""
