"""From a trained encoder and a few labels to a predictor: calibrated, and silent where it would err."""
