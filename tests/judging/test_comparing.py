"""Runs and snapshots are compared on the same samples, without labels."""

import numpy as np
import pytest

import tacit
from tacit.data.generated import clusters, tiny_images
from tacit.errors import TacitError
from tacit.judging import comparing
from tacit.pretraining import pretrain

ROWS = {"encoder": "mlp", "width": 32, "depth": 1, "batch": 32, "device": "cpu", "precision": "fp32", "quiet": True}


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    file = tmp_path_factory.mktemp("rows") / "rows.npy"
    np.save(file, clusters(400, dim=32).read(np.arange(400))[0][0].numpy())
    return file


@pytest.fixture(scope="module")
def runs(rows, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    well = pretrain(rows, "simclr", out=folder / "well", epochs=4, snapshots=2, lr=3e-3, **ROWS)
    broken = pretrain(rows, "simclr", out=folder / "broken", epochs=4, lr=3e-3, noise=0.0, drop=0.0, temperature=50.0, **ROWS)
    return well, broken


def test_runs_and_their_snapshots_are_ranked(runs):
    found = tacit.compare([run.path for run in runs], samples=200)
    assert sorted(found.names) == sorted([str(runs[0].path), f"{runs[0].path} @ stage-1-epoch-2", str(runs[1].path)])
    assert found.parts == 4 and 0 <= found.first_in <= 4 and all(0 <= s <= 1 for s in found.standing)
    assert found == tacit.compare(list(runs), samples=200)


def test_labels_are_not_looked_at(runs, rows):
    labelled = clusters(400, dim=32)
    with_labels, without = (tacit.compare(runs, data, samples=200) for data in (labelled, rows))
    assert labelled.labels is not None and with_labels.values == without.values


@pytest.mark.parametrize(
    ("which", "words"),
    [((), "No run came"), ((0,), "at least two"), ((1, 1), "named twice")],
)
def test_what_cannot_be_compared_is_named(runs, which, words):
    chosen = [runs[i] for i in which]
    if which == (0,):
        chosen = [runs[1]]  # without snapshots
    with pytest.raises(TacitError, match=words):
        tacit.compare(chosen, samples=200)


def test_too_few_samples(runs):
    with pytest.raises(TacitError, match="at least 32 are needed"):
        tacit.compare(runs, np.zeros((20, 32), np.float32))


def test_runs_of_all_sizes_are_seen_through_views_of_one_strength(tmp_path, monkeypatch):
    """Above 64 pixels the defaults are stronger, and stronger views are harder to tell apart."""
    data = tiny_images(40)
    few = {"epochs": 1, "epoch_batches": 1, "batch": 16, "width": 8, "depth": (1,), "device": "cpu", "quiet": True}
    runs = [pretrain(data, "simclr", out=tmp_path / str(size), size=size, **few) for size in (16, 72)]
    seen, plainly = [], comparing.features
    monkeypatch.setattr(comparing, "features", lambda run, *rest: seen.append(run.views) or plainly(run, *rest))
    comparing.compare(runs, data)
    assert {(views.blur, views.brightness) for views in seen} == {(0.0, 0.4)}
    assert {views.size for views in seen} == {16, 72}
