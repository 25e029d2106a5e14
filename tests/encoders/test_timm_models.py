"""timm's models as encoders: widths, maps and tokens as timm itself computes them; no download."""

import pytest
import timm
import torch

from tacit import encoders
from tacit.encoders.timm_models import timm_encoder
from tacit.errors import TacitError
from tacit.method import Encoder, Facts, Maps, Tokens


def facts(size: int = 32, channels: int = 3) -> Facts:
    return Facts("image", 100, (channels, size, size))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("name", "dim", "side", "tokens"), [("resnet18", 512, 4, False), ("vit_tiny_patch16_224", 192, 8, True)]
)
def test_small_images(name, dim, side, tokens, channels):
    encoder = encoders.factory(f"timm/{name}", facts(32, channels), 0)()
    x = torch.randn(2, channels, 32, 32)
    assert encoder.training and encoder.dim == dim
    encoder.eval()
    assert encoder(x).shape == (2, dim)
    assert encoder.maps(x).shape == (2, dim, side, side)
    assert encoders.satisfies(encoder, Encoder) and encoders.satisfies(encoder, Maps)
    assert encoders.satisfies(encoder, Tokens) == tokens
    assert "small images" in repr(encoder)


@pytest.mark.parametrize("name", ["test_resnet", "test_vit"])
def test_fresh_and_reproducible(name):
    def weights(encoder):
        return torch.cat([p.flatten() for p in encoder.parameters()])

    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    one, two = (encoders.factory(f"timm/{name}", facts(), seed) for seed in (1, 1))
    first = weights(one())
    assert torch.equal(weights(two()), first) and not torch.equal(weights(one()), first)
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize(
    ("name", "dim", "maps"),
    [
        ("mobilenetv3_small_050", 1024, False),  # its head is wider than its features
        ("convnext_atto", 320, True),
        ("test_convnext", 64, True),
        ("swin_tiny_patch4_window7_224", 768, True),  # channels last
        ("mixer_s16_224", 512, False),
    ],
)
def test_what_a_model_offers_is_what_it_answers(name, dim, maps):
    encoder = timm_encoder(name, facts(64)).eval()
    x = torch.randn(2, 3, 64, 64)
    y = encoder(x)
    assert encoder.dim == dim and y.shape == (2, dim)
    assert encoders.satisfies(encoder, Maps) == maps and not encoders.satisfies(encoder, Tokens)
    if maps:
        assert encoder.maps(x).shape[:2] == (2, dim)


def test_resnet_maps_are_pooled_to_its_answer():
    encoder, x = timm_encoder("test_resnet", facts()).eval(), torch.randn(2, 3, 32, 32)
    torch.testing.assert_close(encoder.maps(x).mean((2, 3)), encoder(x))


@pytest.mark.parametrize("name", ["test_vit", "test_vit3", "deit_tiny_distilled_patch16_224"])
def test_tokens_are_timms_own(name):
    encoder, x = timm_encoder(name, facts(64)).eval(), torch.randn(2, 3, 64, 64)
    model = encoder.model
    tokens = encoder.tokens(x)
    torch.testing.assert_close(tokens, model.forward_features(x)[:, model.num_prefix_tokens :])
    assert tokens.shape == (2, encoder.grid[0] * encoder.grid[1], encoder.dim) and encoder.patch * encoder.grid[0] == 64
    everything = torch.arange(tokens.shape[1]).expand(2, -1)
    torch.testing.assert_close(encoder.tokens(x, everything), tokens)


def test_dropped_tokens_are_dropped():
    torch.manual_seed(0)
    encoder, x = timm_encoder("test_vit", facts()).eval(), torch.randn(2, 3, 32, 32)
    model, keep = encoder.model, torch.tensor([[5, 0, 63], [7, 8, 9]])
    kept = encoder.tokens(x, keep)
    # naively: one image at a time, its kept rows by index
    for i in range(2):
        tokens = model._pos_embed(model.patch_embed(x[i : i + 1]))
        tokens = torch.cat([tokens[:, : model.num_prefix_tokens], tokens[:, model.num_prefix_tokens :][:, keep[i]]], 1)
        naive = model.norm(model.blocks(model.norm_pre(tokens)))[0, model.num_prefix_tokens :]
        torch.testing.assert_close(kept[i], naive)
    other = x.clone()
    other[0, :, 8:12, 8:12] = 99.0  # patch 18, dropped
    other[1, :, 8:12, 8:12] = 99.0
    assert torch.equal(encoder.tokens(other, keep), kept)


def test_gradient_reaches_every_parameter():
    for name in ("test_resnet", "test_vit"):
        torch.manual_seed(0)
        encoder = timm_encoder(name, facts())
        (encoder(torch.randn(4, 3, 32, 32)) * torch.randn(4, encoder.dim)).sum().backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in encoder.parameters())


def test_stems():
    stem = timm_encoder("resnet18", facts(), small_stem="no").model.conv1
    assert stem.kernel_size == (7, 7) and stem.stride == (2, 2)
    assert timm_encoder("resnet26d", facts(64)).model.conv1.stride == (1, 1)  # a deep stem is replaced whole
    assert timm_encoder("test_resnet", facts(96)).stem == "timm's own"
    assert timm_encoder("test_vit", facts(), small_stem="no").grid == (2, 2)
    with pytest.raises(TacitError, match="neither a ResNet"):
        timm_encoder("test_convnext", facts(), small_stem="yes")
    with pytest.raises(TacitError, match="did you mean 'auto'"):
        timm_encoder("resnet18", facts(), small_stem="atuo")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("resnet81", "did you mean 'timm/resnet"),
        ("qqqqqqqqqqqq", "list_models"),
        ("resnet18.a1_in2k", "did you mean 'a1_in1k'"),
        ("hf-hub:timm/resnet18", "no model"),
    ],
)
def test_misspelt_names(name, sentence):
    with pytest.raises(TacitError) as caught:
        encoders.factory(f"timm/{name}", facts(), 0)
    assert sentence in str(caught.value) and len(str(caught.value)) < 250


def test_a_convolutional_stem_offers_no_tokens():
    """Behind one, dropped patches would be seen by the kept."""
    assert not encoders.satisfies(timm_encoder("vit_tiny_r_s16_p8_224", facts()), Tokens)


def test_a_size_that_a_model_cannot_take():
    with pytest.raises(TacitError, match="view size"):
        timm_encoder("vit_tiny_patch16_224", facts(72), small_stem="no")


def test_weights_that_cannot_be_had(monkeypatch):
    create = timm.create_model

    def offline(name, pretrained=False, **about):
        if pretrained:
            raise ConnectionError("no route to the hub\nwith details")
        return create(name, **about)

    monkeypatch.setattr(timm, "create_model", offline)
    with pytest.raises(TacitError, match=r"could not be loaded \(ConnectionError: no route to the hub\)"):
        timm_encoder("test_resnet", facts(), pretrained=True)
    with pytest.raises(TacitError, match="kind image"):
        encoders.factory("timm/resnet18", Facts("vector", 9, (7,)), 0)


@pytest.mark.parametrize("name", ["test_vit", "vit_tiny_patch16_224"])
def test_small_views_beside_large_ones(name):
    """MultiCrop shows pieces of another size than the images; timm resamples the positions."""
    encoder = timm_encoder(name, facts(32)).eval()
    fixed = timm.create_model(name, num_classes=0, img_size=32, patch_size=encoder.patch).eval()
    fixed.load_state_dict(encoder.model.state_dict())
    x = torch.randn(2, 3, 32, 32)
    torch.testing.assert_close(encoder(x), fixed(x))  # nothing changes at the size it was made for
    for size in (32, 16):
        rows = size // encoder.patch
        small = torch.randn(2, 3, size, size)
        assert encoder(small).shape == (2, encoder.dim)
        assert encoder.maps(small).shape == (2, encoder.dim, rows, rows)
        tokens = encoder.tokens(small)
        torch.testing.assert_close(tokens, encoder.model.forward_features(small)[:, encoder.model.num_prefix_tokens :])
        torch.testing.assert_close(encoder.maps(small)[:, :, 1, 0], tokens[:, rows])
