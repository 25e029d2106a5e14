"""Point clouds: from files and arrays to samples, shapes that code generates, and small pictures."""
