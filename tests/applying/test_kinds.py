"""Every kind of data whose runs embed one vector per sample: images, rows, texts, series, tables, nodes, entities, items."""

import csv

import numpy as np
import pytest

import tacit
from tacit.data.generated import clusters, groups, pairs, table, tiny_images
from tacit.data.interactions import generated_choices
from tacit.data.networks.generated import communities, molecules
from tacit.data.networks.triples import generated_groups
from tacit.data.series.generated import rhythms
from tacit.data.sounds.generated import diphthongs
from tacit.data.text.generated import topics
from tacit.errors import TacitError

QUICK = {"epochs": 1, "batch": 32, "device": "cpu", "precision": "fp32", "quiet": True}

KINDS = {  # data, method, options
    "image": (lambda: tiny_images(120), "simclr", {"encoder": "small_resnet", "width": 8}),
    "vector": (lambda: clusters(120, dim=16), "simclr", {"width": 16}),
    "text": (lambda: topics(160), "simcse", {}),
    "series": (lambda: rhythms(120), "simclr", {"width": 8, "depth": 2}),
    "table": (lambda: table(120), "vicreg", {"width": 16}),
    "audio": (lambda: diphthongs(60), "simclr", {"encoder": "spectrogram_cnn", "width": 8}),
    "graph": (lambda: communities(120), "grace", {"width": 16}),
    "graphs": (lambda: molecules(80), "simclr", {"encoder": "graph_gin", "width": 8}),
    "hypergraph": (lambda: groups(120), "simclr", {"width": 16}),
    "pair": (lambda: pairs(120), "align", {}),
}


def labels_of(samples, every=2):
    """Of every second sample: by its own label, or where it has none by the number it has."""
    values = samples.labels if samples.labels is not None else np.arange(len(samples)) % 2
    return {samples.ids[i]: f"class {values[i]}" for i in range(0, len(samples), every)}


@pytest.mark.parametrize("kind", KINDS)
def test_a_head_of_each_kind(kind, tmp_path):
    make, method, options = KINDS[kind]
    if kind in ("graph", "graphs", "hypergraph"):
        pytest.importorskip("torch_geometric")
    if kind == "text":
        pytest.importorskip("tokenizers")
    samples = make()
    run = tacit.pretrain(samples, method, out=tmp_path / "run", **QUICK, **options)
    given = labels_of(samples)
    head = tacit.fit(run, given, out=tmp_path / "head", data=samples, head="prototypes", folds=3)
    assert head.number("cross_validated").protocol["test"] >= 30 and "raw input" in head.numbers
    found = tacit.predict(head, samples, out=tmp_path / "found.csv")
    with (tmp_path / "found.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == list(samples.ids) and found.rows == len(samples)
    assert {row["label"] for row in rows} <= set(given.values())
    tuned = tacit.fit(run, given, out=tmp_path / "tuned", data=samples, head="finetune", folds=2, steps=2)
    assert tacit.predict(tuned.path, samples, out=tmp_path / "tuned.csv", device="cpu").rows == len(samples)


def test_entities_and_items(tmp_path):
    """What triples and choices are about has a vector, and so labels; what they are as they are is no row of numbers."""
    for name, samples in {"triples": generated_groups(30, 3), "choices": generated_choices()}.items():
        run = tacit.pretrain(samples, out=tmp_path / name, **({"method": "distmult"} if name == "triples" else {}), **QUICK)
        things = samples.embedded()
        given = {things.ids[i]: "even" if i % 2 == 0 else "odd" for i in range(20)}
        head = tacit.fit(run, given, out=tmp_path / f"{name} head", data=samples, head="probe", folds=2)
        assert "raw input" not in head.numbers
        assert tacit.predict(head, samples, out=tmp_path / "found.parquet").rows == len(run.open(samples).embedded())
        with pytest.raises(TacitError, match="has none that is trained on these samples alone"):
            tacit.fit(run, given, out=tmp_path / "no", data=samples, head="finetune")


def test_one_part_of_pairs(tmp_path):
    samples = pairs(120)
    run = tacit.pretrain(samples, "align", out=tmp_path / "run", **QUICK)
    head = tacit.fit(run, labels_of(samples), out=tmp_path / "head", data=samples.first, head="prototypes", folds=2)
    assert tacit.predict(head, samples.first, out=tmp_path / "found.csv").rows == 120
