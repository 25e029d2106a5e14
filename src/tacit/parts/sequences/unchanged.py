"""Views of what has an order that show all of it and change nothing: how methods ask for them, by kind of data."""

SERIES = {"crop": (1.0, 1.0), "jitter": 0.0, "magnitude": 0.0, "warp": 0.0, "frequency_mask": 0.0}
TEXT = {"crop": (1.0, 1.0), "drop": 0.0, "shuffle": 1}
