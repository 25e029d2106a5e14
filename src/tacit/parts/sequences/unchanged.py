"""Views that show all of a sample and change nothing: how methods ask for them, by kind of data."""

from typing import Any

SERIES = {"crop": (1.0, 1.0), "jitter": 0.0, "magnitude": 0.0, "warp": 0.0, "frequency_mask": 0.0}
TEXT = {"crop": (1.0, 1.0), "drop": 0.0, "shuffle": 1}
UNCHANGED: dict[str, dict[str, Any]] = {
    "image": {"crop": (1.0, 1.0), "jitter": 0.0, "grey": 0.0, "blur": 0.0, "flip": 0.0},
    "vector": {"noise": 0.0, "drop": 0.0},
    "table": {"corrupt": 0.0},
    "series": SERIES,
    "text": TEXT,
}
