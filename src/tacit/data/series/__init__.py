"""Time series: arrays, archives and tables of them, and one long series seen through windows."""
