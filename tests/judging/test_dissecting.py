"""A run's layers are told with the numbers of their activations, with labels and without."""

import numpy as np
import pytest
import torch

from tacit.data.generated import clusters
from tacit.errors import TacitError
from tacit.evaluation.unlabelled.rankme import rankme
from tacit.judging.dissecting import dissect
from tacit.pretraining import pretrain

ROWS = {"encoder": "mlp", "width": 16, "depth": 1, "batch": 32, "device": "cpu", "precision": "fp32", "quiet": True}


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """Rows without labels in a file, and a run trained on them."""
    folder = tmp_path_factory.mktemp("dissect")
    np.save(folder / "rows.npy", clusters(300, dim=16).read(np.arange(300))[0][0].numpy())
    run = pretrain(folder / "rows.npy", "simclr", out=folder / "run", epochs=1, dim=8, **ROWS)
    return run, folder / "rows.npy"


def test_every_stage_and_the_projector_are_told_with_the_numbers_of_their_activations(rows):
    run, file = rows
    whole = dissect(run, file, samples=200)
    found = whole.layers
    assert whole.rotation == {} and whole.attention.negatives == 199 and str(found) in str(whole)
    names = [layer.name for layer in found.layers]
    assert names == [
        *(f"encoder.layers.{i}" for i in range(3)), "encoder", *(f"projector.{i}" for i in range(4)), "projector"
    ]  # fmt: skip
    assert found.samples == 200 and [layer.width for layer in found.layers] == [16] * 7 + [8] * 2
    assert all({"rankme", "spread", "uniformity", "alignment"} <= {n.name for n in x.numbers} for x in found.layers)
    assert all(layer.number("knn") is None for layer in found.layers) and "before the projector" in str(found)

    whole = dissect(run, file).layers
    method = run.whole()
    method.eval()
    x = run.embed(file)
    assert whole["encoder"].number("rankme").value == pytest.approx(rankme(x).value, rel=1e-4)
    with torch.no_grad():
        assert whole["projector"].number("rankme").value == pytest.approx(rankme(method.projector(x)).value, rel=1e-4)
        hidden = method.projector[0](x)
    assert whole["projector.0"].number("rankme").value == pytest.approx(rankme(hidden).value, rel=1e-4)


def test_images_with_labels(trained, cloth):
    whole = dissect(trained, cloth, samples=120)
    found = whole.layers
    names = [layer.name for layer in found.layers]
    assert names[:2] == ["encoder.stem", "encoder.blocks.0"] and names[-1] == "projector" and "encoder.blocks.3" not in names
    assert all(0 < layer.number("knn").value <= 1 and layer.number("linear") for layer in found.layers)
    assert any(line.startswith("kNN accuracy") for line in found.projector)
    assert dissect(trained, cloth, samples=120).as_dict() == whole.as_dict()
    assert set(whole.rotation) == {"this encoder", "untrained encoder", "raw input"}
    for number in whole.rotation.values():
        assert 0 < number.value <= 1 and number.protocol["train"] + number.protocol["test"] == whole.layers.samples
    assert "Rotation probe, this encoder: " in str(whole)


def test_mistakes(rows):
    with pytest.raises(TacitError, match="give 2 or more"):
        dissect(*rows, samples=1)
