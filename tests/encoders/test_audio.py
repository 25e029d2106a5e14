"""The encoders of sounds: waves in, one vector each out."""

import pytest
import torch

from tacit.encoders.audio import SpectrogramCNN, SpectrogramTransformer, WaveConvolutions
from tacit.encoders.audio_models import at_rate
from tacit.errors import TacitError
from tacit.method import Facts

FACTS = Facts("audio", 100, (2400,), {"rate": 8000, "mean": -9.0, "std": 3.0})
ALL = [SpectrogramCNN, SpectrogramTransformer, WaveConvolutions]


def waves(n=4, t=2400):
    return 0.1 * torch.randn(n, t, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("cls", ALL)
def test_any_length_goes_through(cls):
    torch.manual_seed(0)
    encoder = cls(FACTS).eval()
    for length in (1200, 2400, 4800, 8000):
        z = encoder(waves(3, length))
        assert z.shape == (3, encoder.dim) and z.isfinite().all()
    torch.testing.assert_close(encoder(waves())[:2], encoder(waves()[:2]), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("cls", ALL)
def test_gradient_reaches_every_parameter(cls):
    torch.manual_seed(0)
    encoder = cls(FACTS)
    (encoder(waves()) * torch.randn(4, encoder.dim)).sum().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in encoder.parameters())


def test_patches_are_pieces_of_the_spectrogram():
    encoder, x = SpectrogramTransformer(FACTS, band_patch=16, frame_patch=4), waves()
    patches, mels = encoder.patches(x), encoder.front(x)
    assert mels.shape == (4, 64, 30) and patches.shape == (4, 28, 64) and encoder.rows == 4
    assert torch.equal(patches[1, 7 + 2].view(16, 4), mels[1, 16:32, 8:12])


def test_only_kept_patches_enter_the_transformer():
    torch.manual_seed(0)
    encoder, x = SpectrogramTransformer(FACTS).eval(), waves()
    keep = torch.tensor([[1, 4, 6]]).expand(4, 3)
    tokens = encoder.tokens(x, keep)
    inner = encoder.embed(encoder.patches(x)) + encoder.positions(28)
    torch.testing.assert_close(tokens, encoder.attended(inner[:, [1, 4, 6]]))
    assert tokens.shape == (4, 3, 192)


def test_latents_of_the_wave():
    """Where each lies, and how much it sees."""
    encoder = WaveConvolutions(FACTS)
    assert (encoder.stride, encoder.field) == (80, 225)  # of 5, 4, 2, 2; the paper's five at 16 kHz:
    assert WaveConvolutions(Facts("audio", 1, (16000,), {"rate": 16000})).stride == 160
    assert WaveConvolutions(Facts("audio", 1, (16000,), {"rate": 16000})).field == 465
    z = encoder.sequence(waves())
    assert z.shape == (4, (2400 - 225) // 80 + 1, 128)
    plain = WaveConvolutions(FACTS)
    for layer in plain.layers:
        layer.norm = torch.nn.Identity()  # a norm sees all of time
    x = waves(1).requires_grad_()
    plain.sequence(x)[0, 3].sum().backward()
    seen = x.grad[0].nonzero()[:, 0]
    assert seen.min() >= 3 * 80 and seen.max() < 3 * 80 + 225 and seen.max() - seen.min() > 190


def test_another_rate_by_the_spectrum():
    t = torch.arange(800) / 8000
    tone = torch.sin(2 * torch.pi * 500 * t)[None]
    doubled = at_rate(tone, 8000, 16000)
    torch.testing.assert_close(doubled[0], torch.sin(2 * torch.pi * 500 * torch.arange(1600) / 16000), atol=1e-4, rtol=0)
    torch.testing.assert_close(at_rate(doubled, 16000, 8000), tone, atol=1e-4, rtol=0)


def test_a_model_of_transformers(tmp_path):
    transformers = pytest.importorskip("transformers")
    from tacit.encoders.audio_models import TransformersAudio

    small = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    convolutions = {"conv_dim": [16, 16], "conv_kernel": [10, 8], "conv_stride": [5, 4], "num_conv_pos_embeddings": 16}
    config = transformers.HubertConfig(**small, **convolutions, num_feat_extract_layers=2, num_conv_pos_embedding_groups=4)
    config.save_pretrained(tmp_path / "hubert")
    torch.manual_seed(0)
    encoder = TransformersAudio(FACTS, model=str(tmp_path / "hubert"), pretrained=False).eval()
    z = encoder(waves())
    assert z.shape == (4, 32) and encoder.sequence(waves()).shape[0::2] == (4, 32)
    torch.testing.assert_close(encoder(3 * waves() + 0.1), z, atol=1e-3, rtol=1e-3)
    encoder.model.save_pretrained(tmp_path / "weights")
    again = TransformersAudio(FACTS, model=str(tmp_path / "weights"))
    torch.testing.assert_close(again.eval()(waves()), z)
    transformers.ASTConfig().save_pretrained(tmp_path / "ast")
    with pytest.raises(TacitError, match="is not fed waves"):
        TransformersAudio(FACTS, model=str(tmp_path / "ast"), pretrained=False)
    with pytest.raises(TacitError, match="can be loaded"):
        TransformersAudio(FACTS, model=str(tmp_path), pretrained=False)


@pytest.mark.parametrize(
    ("cls", "facts", "options"),
    [
        (SpectrogramCNN, Facts("image", 9, (3, 8, 8)), {}),
        (SpectrogramCNN, FACTS, {"width": 0}),
        (SpectrogramTransformer, FACTS, {"width": 100}),
        (SpectrogramTransformer, FACTS, {"band_patch": 7}),
        (SpectrogramTransformer, FACTS, {"frame_patch": 40}),
        (WaveConvolutions, FACTS, {"kernels": (3,)}),
        (WaveConvolutions, Facts("audio", 9, (100,), {"rate": 8000}), {}),
    ],
)
def test_mistakes_are_named(cls, facts, options):
    with pytest.raises(TacitError):
        cls(facts, **options)
