"""A run that is opened: what it knows, what it takes, and what it gives for it."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

from tacit.data.generated import clusters, pairs, tiny_images
from tacit.embeddings.fingerprint import fingerprint
from tacit.errors import TacitError
from tacit.pretraining import pretrain
from tacit.run import Run, chunks, untrained_encoder
from tacit.training import checkpoint
from tacit.views.kinds import Pair
from tests.contracts.probes import Curved, TwoPlayers


def test_what_a_run_knows(trained):
    run = Run(trained.path)
    assert run.cls.__name__ == "SimCLR" and run.similarity == "cosine" and run.method is None
    assert run.facts.kind == "image" and run.facts.n == 96 and run.facts.shape == (3, 16, 16)
    assert not run.encoder.training
    assert repr(run) == f"Run({str(trained.path)!r}, method='simclr', encoder='small_resnet')"


def test_the_fingerprint_is_that_of_the_weights(trained):
    run = Run(trained.path, "cpu")
    assert run.fingerprint() == trained.fingerprint()
    next(run.encoder.parameters()).data[0] += 1
    assert run.fingerprint() != trained.fingerprint()


def test_samples_are_embedded_in_their_order(trained, cloth):
    samples = trained.open(cloth)
    z = trained.embed(cloth)
    assert z.shape == (96, trained.encoder.dim) and z.dtype == torch.float32
    mean, std = (torch.tensor(trained.facts.more[name])[:, None, None] for name in ("mean", "std"))
    for position in (0, 41, 95):
        pixels = samples.read(np.array([position]))[0].pixels.permute(0, 3, 1, 2) / 255
        with torch.no_grad():
            torch.testing.assert_close(z[position], trained.encoder((pixels - mean) / std)[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("batch", [1, 7, 96, 500])
def test_batches_change_nothing(trained, cloth, batch):
    torch.testing.assert_close(trained.embed(cloth, batch=batch), trained.embed(cloth), rtol=1e-5, atol=1e-6)


def test_in_memory_as_from_files(trained, cloth):
    samples = tiny_images(96)
    order = [trained.open(cloth).ids.index(f"{samples.classes[k]}/{i:05d}.png") for i, k in enumerate(samples.labels)]
    torch.testing.assert_close(trained.embed(samples), trained.embed(cloth)[order], rtol=1e-5, atol=1e-6)


def test_random_views_are_embedded_one_by_one(trained, cloth):
    samples, index = trained.open(cloth), np.arange(8)
    content, _ = samples.read(index)
    first, second = trained.represent(content, index, Pair(), key=5)
    assert first.shape == second.shape == (8, trained.encoder.dim) and not torch.equal(first, second)
    again, _ = trained.represent(content, index, Pair(), key=5)
    assert torch.equal(first, again)
    assert not torch.equal(first, trained.represent(content, index, Pair(), key=6)[0])


def test_float32_where_it_was_trained_in_that(trained):
    assert trained.config.precision == trained.machine.precision == "fp32"


def test_the_untrained_encoder_is_the_same_each_time(trained):
    first, second = (untrained_encoder(trained.config)() for _ in range(2))
    for a, b, c in zip(first.parameters(), second.parameters(), trained.encoder.parameters()):
        assert torch.equal(a, b) and a.shape == c.shape
    assert untrained_encoder(replace(trained.config, encoder=""))() is None


def test_what_a_trained_method_offers_can_be_asked_for(tmp_path):
    data = clusters(120, dim=16)
    run = pretrain(data, TwoPlayers, out=tmp_path / "run", epochs=1, batch=32, device="cpu", precision="fp32", quiet=True)
    assert run.method.sample(torch.zeros(3, run.method.latent)).shape == (3, 16)
    assert run.method.encoder is run.encoder
    tensors, _ = checkpoint.read(run.path / "encoder.safetensors")
    assert all(torch.equal(value, tensors[name]) for name, value in run.encoder.state_dict().items())
    assert run.fingerprint() == fingerprint(run.encoder)  # it is the encoder that embeds, and nothing else


def test_what_is_untrained_is_the_same_each_time(tmp_path):
    data = pairs(120, dim=8)
    run = pretrain(data, Curved, out=tmp_path / "run", epochs=1, batch=32, device="cpu", precision="fp32", quiet=True)
    torch.manual_seed(3)
    first = run.untrained()
    torch.manual_seed(4)
    second, before = run.untrained(), torch.random.get_rng_state()
    for (name, a), b, c in zip(first.state_dict().items(), second.state_dict().values(), run.method.state_dict().values()):
        assert torch.equal(a, b) and a.shape == c.shape, name
    assert any(not torch.equal(a, c) for a, c in zip(first.parameters(), run.method.parameters()))
    run.untrained()
    assert torch.equal(torch.random.get_rng_state(), before)


def test_a_source_of_another_kind(trained):
    with pytest.raises(TacitError, match=r"generated clusters holds samples of kind vector .* trained on image; give a source"):
        trained.embed(clusters(10))


def test_a_file_that_cannot_be_read_is_named(trained, cloth, tmp_path):
    shutil.copytree(cloth, tmp_path / "cloth")
    spoilt = sorted((tmp_path / "cloth").rglob("*.png"))[3]
    spoilt.write_bytes(b"")
    with pytest.raises(TacitError, match=f"{spoilt.name} could not be read .*use tacit.embed, which skips"):
        trained.embed(tmp_path / "cloth")


def test_a_run_that_has_not_finished(trained, tmp_path):
    shutil.copytree(trained.path, tmp_path / "run")
    (tmp_path / "run" / "encoder.safetensors").unlink()
    with pytest.raises(TacitError, match=r"has not finished; go on with `tacit pretrain --resume --out .*run`"):
        Run(tmp_path / "run")
    with pytest.raises(TacitError, match="holds no run"):
        Run(tmp_path)


def test_weights_of_another_shape(trained, tmp_path):
    shutil.copytree(trained.path, tmp_path / "run")
    file = tmp_path / "run" / "run.yaml"
    file.write_text(file.read_text().replace("width: 8", "width: 12"))
    with pytest.raises(TacitError):
        Run(tmp_path / "run")


def test_chunks_cover_all_in_order():
    assert np.concatenate(chunks(10, 4)).tolist() == list(range(10)) and [len(c) for c in chunks(10, 4)] == [4, 4, 2]
    assert chunks(0, 4) == []
