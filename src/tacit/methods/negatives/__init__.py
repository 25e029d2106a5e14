"""Methods in which augmented samples are negatives."""
