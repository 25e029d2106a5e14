"""MAE against facebookresearch/mae@efb2a80.

The numbers are what its own models_mae.py gave on these tensors (`norm_pix_loss` on and off), run on current torch and timm
with the noise given, the biases of queries, keys and values at zero, and its layers called in the order of its forward
without the class token, which our encoder does not have.
"""

from dataclasses import replace

import pytest
import torch

import tacit
from tacit.data.generated import tiny_images
from tacit.encoders import build
from tacit.encoders.image import SmallViT
from tacit.errors import TacitError
from tacit.method import Batch, Facts
from tacit.methods.masked.mae import MAE
from tacit.objectives.hidden import hidden_patches
from tacit.parts.patches import cut
from tacit.views.masks import scattered
from tests.methods.fixed import sine

N, SIDE, PATCH, T = 3, 16, 4, 16
FACTS = Facts("image", 9, (3, SIDE, SIDE))
KEPT = [[2, 5, 10, 13], [0, 5, 8, 11], [0, 3, 11, 14]]
WHOLE = {  # standardise: loss, norm of the gradient of the encoder and of the decoder, beginnings of two gradients
    True: (
        1.125653862953186,
        0.03907026723027229,
        3.2363204956054688,
        [-0.08733152598142624, 0.1064225435256958, 0.20376592874526978, 0.11543971300125122],
        [0.0004621436237357557, -0.0002845334238372743, -0.0008158813579939306, -0.00072978634852916],
    ),
    False: (
        0.6479413509368896,
        0.03979926183819771,
        3.2522599697113037,
        [-0.087778240442276, 0.10711327195167542, 0.204802006483078, 0.11619029939174652],
        [0.0004718430573120713, -0.0002741123898886144, -0.0008126251050271094, -0.0007361593306995928],
    ),
}

# The official parameters in the order in which they were filled, and ours.
BLOCK = {
    "norm1": "norm1",
    "attn.qkv": "qkv",
    "attn.proj": "out",
    "norm2": "norm2",
    "mlp.fc1": "mlp.0",
    "mlp.fc2": "mlp.2",
}


def layers(module, depth):
    for i in range(depth):
        for name in BLOCK.values():
            yield module.get_submodule(f"blocks.{i}.{name}")


def filled(**options):
    """MAE with the weights that the official model had."""
    method = MAE(SmallViT(FACTS, patch=PATCH, width=12, depth=1, heads=2), **options)
    method.prepare(FACTS)
    encoder, decoder = method.encoder, method.decoder
    owners = [decoder.embed, *layers(decoder, 2), decoder.norm, decoder.predict]
    owners += [encoder.embed, *layers(encoder, 1), encoder.norm]
    ours = [decoder.missing, *(p for owner in owners for p in owner.parameters())]
    assert {*map(id, ours)} == {*map(id, method.parameters())}
    norms = {id(owner.weight) for owner in owners if isinstance(owner, torch.nn.LayerNorm)}
    with torch.no_grad():
        for number, p in enumerate(ours, 1):
            p.copy_((id(p) in norms) + (0.3 if p.ndim > 1 else 0.1) * sine(*p.shape, rate=0.7 + 0.01 * number))
        for p in decoder.predict.parameters():  # theirs gives a patch pixel by pixel, ours channel by channel
            p.copy_(p.unflatten(0, (PATCH**2, 3)).transpose(0, 1).flatten(0, 1).clone())
    return method


def batch():
    mask = scattered((sine(N, T, rate=2.3) + 1) / 2, 12)
    keep = (~mask).nonzero()[:, 1].view(N, -1)
    return Batch([sine(N, 3, SIDE, SIDE, rate=0.9)], torch.arange(N), params=[{"mask": mask, "keep": keep}])


def test_the_same_noise_keeps_the_same_patches():
    assert batch().params[0]["keep"].tolist() == KEPT


@pytest.mark.parametrize("standardise", WHOLE)
def test_a_whole_step(standardise):
    loss, encoders, decoders, missing, embed = WHOLE[standardise]
    method = filled(decoder_width=16, decoder_depth=2, decoder_heads=2, standardise=standardise)
    ours = method.step(batch())
    ours.backward()
    assert float(ours.detach()) == pytest.approx(loss, rel=1e-5)
    for part, norm in ((method.encoder, encoders), (method.decoder, decoders)):
        assert float(torch.cat([p.grad.flatten() for p in part.parameters()]).norm()) == pytest.approx(norm, rel=1e-4)
    torch.testing.assert_close(method.decoder.missing.grad[0, :4], torch.tensor(missing), rtol=1e-3, atol=1e-6)
    torch.testing.assert_close(method.encoder.embed.weight.grad[0, :4], torch.tensor(embed), rtol=1e-3, atol=1e-7)


@pytest.mark.parametrize(("standardise", "loss", "norm"), [(True, 1.4749573, 0.05843161), (False, 0.99707288, 0.04804206)])
def test_the_criterion(standardise, loss, norm):
    (view,), (drawn,) = batch(), batch().params
    prediction = sine(N, T, 48, rate=0.37).requires_grad_()
    by_channel = prediction.unflatten(2, (PATCH**2, 3)).transpose(2, 3).flatten(2)
    ours = hidden_patches(by_channel, cut(view, PATCH), drawn["mask"], standardise)
    ours.backward()
    assert float(ours.detach()) == pytest.approx(loss, rel=1e-5)
    assert float(prediction.grad.norm()) == pytest.approx(norm, rel=1e-4)


def test_what_is_hidden_never_enters_the_encoder():
    method, given = filled(decoder_width=16, decoder_depth=2, decoder_heads=2), batch()
    (view,), (drawn,) = given, given.params
    hidden = drawn["mask"].view(N, 1, 4, 4).repeat_interleave(PATCH, 2).repeat_interleave(PATCH, 3)
    seen = []
    method.encoder.embed.register_forward_hook(lambda _, given, __: seen.append(given[0].shape))
    for x in (view, torch.where(hidden, 77.0, view)):
        tokens = method.encoder.tokens(x, drawn["keep"])
        seen.append(method.decoder(tokens, drawn["keep"]).detach())
    assert seen[0] == seen[2] == (N, 4, 48)  # only the kept patches are even embedded
    assert torch.equal(seen[1], seen[3])
    # and the loss asks for nothing but the hidden: what the kept hold moves it through the encoder alone
    x = view.clone().requires_grad_()
    constant = method.decoder(torch.zeros(N, 4, 12), drawn["keep"]).detach()
    method.decoder.forward = lambda tokens, keep: constant
    method.step(Batch([x], given.index, params=given.params)).backward()
    assert (x.grad[hidden.expand_as(x)] != 0).any() and (x.grad[~hidden.expand_as(x)] == 0).all()


def test_the_paper_decoder_is_the_default():
    method = MAE(SmallViT(FACTS))
    method.prepare(FACTS)
    decoder = method.decoder
    assert (decoder.embed.out_features, len(decoder.blocks), decoder.blocks[0].heads) == (512, 8, 16)
    assert method.recipe.lr * method.recipe.batch / 256 == pytest.approx(2.4e-3)


class Patchless(torch.nn.Module):
    """Tokens of a size that nobody knows."""

    dim = 5

    def tokens(self, x, keep=None):
        return x


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: MAE(SmallViT(FACTS), decoder_width=30, decoder_heads=3), "decoder_width is 30; give a multiple of 4"),
        (lambda: MAE(SmallViT(FACTS), decoder_depth=0), "decoder_depth"),
        (lambda: MAE(Patchless()), "Patchless does not say .* `patch`"),
    ],
)
def test_mistakes_are_named(make, sentence):
    with pytest.raises(TacitError, match=sentence):
        make().prepare(FACTS)


def test_a_mask_of_other_patches_than_the_encoders_is_named():
    method = MAE(SmallViT(FACTS, patch=2))
    method.prepare(FACTS)
    with pytest.raises(TacitError, match="of 16 patches and the encoder cuts 64; give --mask-patch 2"):
        method.step(batch())


DECODER = {"decoder_width": 16, "decoder_depth": 1, "decoder_heads": 2}


@pytest.mark.parametrize(
    ("encoder", "size", "options"),
    [("timm/vit_tiny_patch16_224", 224, {}), ("small_vit", 32, {"patch": 8, "width": 16, "depth": 1, "heads": 2})],
)
def test_the_mask_takes_the_encoders_patches(tmp_path, encoder, size, options):
    """Neither cuts its images into 8 × 8, as a mask does of which nothing is said; the run represents by the tokens' mean."""
    samples = replace(tiny_images(8, size=size), splits=None)
    how = {"epochs": 1, "batch": 4, "device": "cpu", "precision": "fp32", "quiet": True}
    run = tacit.pretrain(samples, "mae", out=tmp_path / "run", encoder=encoder, size=size, **how, **DECODER, **options)
    assert len(run.embed(samples)) == 8


@pytest.mark.parametrize(("encoder", "side"), [("timm/vit_tiny_patch16_224", 32), ("small_vit", 16)])
def test_it_represents_by_what_was_trained(encoder, side):
    """The mean of the tokens, which is all that small_vit says; the class token of timm's is in no loss."""
    method = MAE(build(encoder, Facts("image", 9, (3, side, side)))).eval()
    x = sine(2, 3, side, side, rate=0.9)
    with torch.no_grad():
        found, answer = method.represent(Batch([x], torch.arange(2))), method.encoder(x)
        assert torch.equal(found, method.encoder.tokens(x).mean(1))
    assert torch.equal(found, answer) == (encoder == "small_vit")
