"""The exported graph gives what the encoder gives, from raw input on, in batches of any size."""

import numpy as np
import pytest
import torch
from PIL import Image

import tacit
from tacit.data.images import ImageArrays
from tacit.encoders.audio import LogMel
from tacit.errors import TacitError
from tacit.exporting import onnx_file
from tacit.exporting.export import export
from tacit.exporting.front import front_of
from tacit.exporting.images import ImageFront
from tacit.exporting.portable import PORTABLE, portable
from tacit.method import Facts
from tacit.modalities import MODALITIES
from tacit.run import Run
from tacit.views.image import ImageViews
from tests.exporting.conftest import MADE

pytest.importorskip("onnxscript")
runtime = pytest.importorskip("onnxruntime")


def session(file):
    return runtime.InferenceSession(str(file), providers=["CPUExecutionProvider"])


def test_what_would_lie_beside_is_not_replaced_either(made, tmp_path):
    run, data = made(sorted(MADE)[0])
    (tmp_path / "a.md").write_text("mine")
    with pytest.raises(TacitError, match=r"a\.md is there already"):
        export(run, out=tmp_path / "a.onnx", data=data)
    assert (tmp_path / "a.md").read_text() == "mine" and len([*tmp_path.iterdir()]) == 1
    export(run, out=tmp_path / "a.onnx", data=data, overwrite=True)
    assert (tmp_path / "a.md").read_text() != "mine" and (tmp_path / "a.onnx").exists()


@pytest.mark.parametrize("name", sorted(MADE))
def test_every_kind_of_encoder(made, tmp_path, name):
    run, data = made(name)
    out = tmp_path / f"{name}.onnx"
    written = export(run, out=out, data=data)
    assert "real samples" in written.checked
    front = front_of(Run(run.path, "cpu"), 0)
    answers = session(out).run(None, {one: tensor.numpy() for one, tensor in zip(front.names, front.made_up())})
    assert len(answers) == 1 and np.isfinite(answers[0]).all() and answers[0].std(0).max() > 0


def test_no_encoder_is_forgotten():
    """What is tried above, or below by a test of its own, or is refused with a reason."""
    tried = {*MADE, "small_resnet", "transformers", "transformers_audio"}
    refused = {"node_table", "entities", "two_tower", "unigcnii", "scattering"}
    assert {name for home in MODALITIES.values() for name in home.encoders} <= tried | refused


def test_complex_numbers_are_refused(cloth, tmp_path):
    options = {"encoder": "scattering", "directions": 2, "stem": 8, "width": 8, "blocks": 1, "epochs": 1, "batch": 32}
    run = tacit.pretrain(cloth, "simclr", out=tmp_path / "run", device="cpu", precision="fp32", quiet=True, **options)
    with pytest.raises(TacitError, match="wavelets are complex numbers"):
        export(run, out=tmp_path / "a.onnx", data=cloth)
    assert not (tmp_path / "a.onnx").exists()


def test_a_batch_is_its_samples_one_by_one(trained, cloth, exported):
    run = session(exported)
    pixels = trained.open(cloth).read(np.arange(7))[0].pixels.numpy()
    (together,) = run.run(None, {"image": pixels})
    alone = np.concatenate([run.run(None, {"image": one[None]})[0] for one in pixels])
    np.testing.assert_allclose(together, alone, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(together, trained.embed(cloth)[:7].numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("shape", [(16, 16), (5, 9), (40, 23), (23, 61), (90, 17), (130, 201)])
@pytest.mark.parametrize("channels", [1, 3])
def test_images_of_any_size_are_seen_as_the_run_sees_them(shape, channels):
    views = ImageViews(size=16, mean=(0.4,) * channels, std=(0.2,) * channels)
    front = ImageFront(views, {"side": 19})
    pixels = np.random.default_rng(0).integers(0, 256, (2, *shape, channels)).astype(np.uint8)
    smooth = np.stack([_blurred(image) for image in pixels])
    samples = ImageArrays("here", smooth, np.arange(2), ["a", "b"], side=19)
    content, _ = samples.read(np.arange(2))
    wanted, _ = views.look(content, np.arange(2), 0, "plain")
    found = front(torch.from_numpy(smooth))
    assert found.shape == (2, channels, 16, 16)
    assert float((found - wanted).abs().mean()) < 1e-4  # a grey level may round the other way
    assert float((found - wanted).abs().max()) < 1.01 / 255 / 0.2


def _blurred(image):
    grey = image.shape[2] == 1
    small = Image.fromarray(image[:, :, 0] if grey else image).resize((6, 6)).resize(image.shape[1::-1])
    array = np.array(small)
    return array[:, :, None] if grey else array


def test_large_images_through_the_file(trained, exported):
    pixels = np.random.default_rng(1).integers(0, 256, (3, 70, 111, 3)).astype(np.uint8)
    (found,) = session(exported).run(None, {"image": pixels})
    wanted = trained.embed(ImageArrays("here", pixels, np.arange(3), ["a", "b", "c"]))
    np.testing.assert_allclose(found, wanted.numpy(), rtol=1e-3, atol=1e-4)


def test_vectors_of_length_one(trained, cloth, tmp_path):
    export(trained, out=tmp_path / "a.onnx", unit=True)
    (z,) = session(tmp_path / "a.onnx").run(None, {"image": trained.open(cloth).read(np.arange(5))[0].pixels.numpy()})
    np.testing.assert_allclose(np.linalg.norm(z, axis=1), 1, rtol=1e-5)


def test_the_second_part_of_pairs(made, tmp_path):
    run, data = made("dual")
    written = export(run, out=tmp_path / "second.onnx", part="second", data=data)
    assert "8 real samples" in written.checked


def test_what_the_file_says_of_itself(trained, exported):
    import onnx

    told = {entry.key: entry.value for entry in onnx.load(exported).metadata_props}
    assert told["tacit.encoder"] == trained.fingerprint() and told["tacit.similarity"] == "cosine"
    assert told["tacit.kind"] == "image" and "tacit.version" in told
    (shown,) = session(exported).get_inputs()
    assert shown.name == "image" and shown.shape == ["batch", "height", "width", 3]


def test_large_weights_lie_beside_the_graph(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_file, "LARGE", 100)
    written = export(trained, out=tmp_path / "a.onnx")
    assert {file.name for file in written.files} == {"a.onnx", "a.onnx.data", "a.md"}
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for file in written.files:
        file.rename(moved / file.name)
    session(moved / "a.onnx")


def test_a_file_that_differs_is_not_kept(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_file, "TOLERANCE", -1.0)
    with pytest.raises(TacitError, match="differs from its encoder"):
        export(trained, out=tmp_path / "a.onnx")
    assert not [*tmp_path.iterdir()]


def test_portable_spectrograms_are_the_same_ones():
    class Known:
        more = {"rate": 8000, "mean": -3.0, "std": 2.0}

    front, x = LogMel(Known, 32), torch.randn(2, 2400, generator=torch.Generator().manual_seed(0)) * 0.1
    wanted = front(x)
    torch.testing.assert_close(portable(front)(x), wanted, rtol=1e-4, atol=1e-3)


def test_every_portable_class_keeps_the_state_of_its_own():
    for own, other in PORTABLE.items():
        assert issubclass(other, own) and "__init__" not in vars(other)


def test_models_of_transformers(tmp_path):
    transformers = pytest.importorskip("transformers")
    from tacit.data.text.tokenizer import trained as trained_tokenizer
    from tacit.encoders.pretrained_text import Transformers

    written = trained_tokenizer(["one two three", "two three four"] * 4)
    config = transformers.BertConfig(
        vocab_size=600,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
    )
    import json

    about = {"name": "none", "config": json.dumps(config.to_dict()), "before": [3], "behind": [4]}
    seen = " ".join(["1"] * 300)
    facts = Facts("text", 10, (16, 300), {"seen": seen, "texts": 10, "model": about, "tokenizer": written})
    for pooling in ("mean", "first"):
        encoder = Transformers(facts, pooling=pooling, pretrained=False).eval()
        x = torch.tensor([[5, 6, 7, 8], [9, 0, 0, 0], [2, 3, 0, 0]])
        with torch.no_grad():
            wanted = encoder(x)
            torch.testing.assert_close(portable(encoder)(x), wanted, rtol=1e-5, atol=1e-6)
