"""Claims of methods in which augmented samples are negatives."""
