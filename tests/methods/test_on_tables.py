"""Methods of several views on tables: they train, and what they see is what was asked for."""

import pytest

from tacit.data.generated import table
from tacit.pretraining import pretrain

SMALL = {"width": 16, "depth": 1, "batch": 32, "epochs": 1, "epoch_batches": 3, "warmup": 0, "quiet": True}


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("swav", {"prototypes": 8, "hidden": 16, "dim": 8, "queue": 0}),
        ("dino", {"k": 16, "hidden": 16, "bottleneck": 8}),
        ("simclr", {"encoder": "feature_tokens", "heads": 2, "drop": 0.2, "subset": 0.7, "mix": 0.2, "noise": 0.1}),
    ],
)
def test_it_trains_on_a_table(tmp_path, method, options):
    run = pretrain(table(160), method, out=tmp_path / "r", **SMALL, **options)
    assert run.embed(table(40)).shape == (40, 16)
