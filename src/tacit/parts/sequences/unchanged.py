"""Views that show all of a sample and change nothing: how methods ask for them, by kind of data."""

from typing import Any

SERIES = {"crop": (1.0, 1.0), "jitter": 0.0, "magnitude": 0.0, "warp": 0.0, "permute": 1, "frequency_mask": 0.0}
TEXT = {"crop": (1.0, 1.0), "drop": 0.0, "shuffle": 1}
IMAGE = {"crop": (1.0, 1.0), "ratio": (1.0, 1.0), "flip": 0.0, "jitter": 0.0, "grey": 0.0, "blur": 0.0, "solarise": 0.0}
UNCHANGED: dict[str, dict[str, Any]] = {
    "audio": {"speed": (1.0, 1.0), "gain": 0.0, "noise": 0.0, "mix": 0.0, "mask_time": 0.0, "mask_band": 0.0},
    "cloud": {"turn": 0.0, "tilt": 0.0, "scale": (1.0, 1.0), "jitter": 0.0, "crop": (1.0, 1.0), "holes": 0.0},
    "graph": {"drop_edges": 0.0, "drop_features": 0.0, "subgraph": 1.0},
    "graphs": {"drop_nodes": 0.0, "drop_edges": 0.0, "mask_nodes": 0.0},
    "hypergraph": {"drop_hyperedges": 0.0, "drop_members": 0.0, "drop_entries": 0.0},
    "image": IMAGE,
    "series": SERIES,
    "table": {"corrupt": 0.0, "drop": 0.0, "subset": 1.0, "mix": 0.0, "noise": 0.0},
    "text": TEXT,
    "vector": {"noise": 0.0, "drop": 0.0},
    "video": {**IMAGE, "speed": (1.0, 1.0), "reverse": 0.0, "shuffle": 0.0, "split_colours": 0.0},
}
