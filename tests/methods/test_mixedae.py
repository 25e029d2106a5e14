"""MixedAE against loops: who is shown where, what is read, and what is asked."""

import math

import pytest
import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention

from tacit.encoders.image import SmallViT
from tacit.errors import TacitError
from tacit.method import Batch, Facts
from tacit.methods.masked.mixedae import MixedAE
from tacit.methods.masked.mixedae.most_alike import MostAlike, most_alike
from tacit.objectives.dense.own_image import own_image
from tests.methods.fixed import sine

FACTS = Facts("image", 8, (3, 16, 16))  # of 4 × 4 patches
SMALL = {"decoder_width": 8, "decoder_depth": 1, "decoder_heads": 2}


def built(**options):
    torch.manual_seed(0)
    method = MixedAE(SmallViT(FACTS, patch=4, width=12, depth=2, heads=2), **SMALL | options)
    method.prepare(FACTS)
    return method


def test_every_image_gives_a_mixture_other_patches_and_equally_many():
    method, images = built(), sine(8, 3, 16, 16, rate=0.37)
    with torch.no_grad():
        method.segments.copy_(torch.tensor([1.0, 2.0, 4.0, 8.0])[:, None, None, None].expand_as(method.segments))
    order = torch.stack([torch.randperm(16), torch.randperm(16)])
    keep = order.view(8, 4)
    shown = torch.zeros(8, 16, dtype=torch.bool).scatter(1, keep, True)
    found = method.mixture(images, shown).detach()
    for mixture in range(2):
        for patch in range(16):
            own = int((shown[4 * mixture : 4 * mixture + 4, patch]).nonzero())
            rows, columns = slice(patch // 4 * 4, patch // 4 * 4 + 4), slice(patch % 4 * 4, patch % 4 * 4 + 4)
            wanted = images[4 * mixture + own, :, rows, columns] + 2.0**own
            assert torch.equal(found[mixture, :, rows, columns], wanted)


def test_a_step_draws_with_its_own_tokens_and_only_what_is_missing(monkeypatch):
    method, images = built(attended=1.0), sine(8, 3, 16, 16, rate=0.37)
    batch = Batch([images], torch.arange(8), key=3)
    seen = {}
    decode = method.decoder.forward

    def spied(tokens, keep):
        seen["tokens"], seen["keep"] = tokens, keep
        return decode(tokens, keep)

    monkeypatch.setattr(method.decoder, "forward", spied)
    terms = method.step(batch)
    keep = seen["keep"]
    assert keep.view(2, 16).sort(1).values.tolist() == [list(range(16))] * 2
    shown = torch.zeros(8, 16, dtype=torch.bool).scatter(1, keep, True)
    tokens = method.encoder.tokens(method.mixture(images, shown))
    for image in range(8):
        assert torch.allclose(seen["tokens"][image], tokens[image // 4, keep[image]], atol=1e-6)
    drawn = decode(seen["tokens"], keep)
    errors = []
    for image, patch in (~shown).nonzero().tolist():
        row, column = patch // 4 * 4, patch % 4 * 4
        pixels = images[image, :, row : row + 4, column : column + 4].flatten()
        wanted = (pixels - pixels.mean()) / (pixels.var() + 1e-6).sqrt()
        errors.append((drawn[image, patch] - wanted).square().mean().item())
    assert terms["drawing"].item() == pytest.approx(sum(errors) / len(errors), rel=1e-4)


def test_recognition_is_the_mean_of_a_loop_and_its_gradient_is_right(monkeypatch):
    tokens, temperature = sine(2, 3, 4, 5, rate=0.7), 0.3
    rows = tokens.flatten(1, 2) / tokens.flatten(1, 2).norm(dim=2, keepdim=True)
    losses = []
    for z in rows:
        likely = (z @ z.T / temperature).exp()
        for i in range(12):
            below = sum(likely[i, j].item() for j in range(12) if j != i)
            losses += [-math.log(likely[i, j].item() / below) for j in range(12) if j != i and j // 4 == i // 4]
    assert own_image(tokens, temperature).item() == pytest.approx(sum(losses) / len(losses), rel=1e-5)
    monkeypatch.setattr(torch.Tensor, "float", lambda self: self.double())
    assert torch.autograd.gradcheck(lambda x: own_image(x, temperature), tokens.double().requires_grad_())


@pytest.mark.parametrize("share", [0.25, 0.5, 1.0])
def test_attention_reads_the_keys_of_highest_scores(share):
    q, k, v = (sine(2, 3, 8, 4, rate=rate) for rate in (0.7, 1.1, 1.9))
    found = most_alike(q, k, v, share=share)
    for n in range(2):
        for head in range(3):
            for query in range(8):
                scores = (k[n, head] @ q[n, head, query]) / 2
                read = scores.argsort(descending=True)[: round(share * 8)]
                wanted = scores[read].softmax(0) @ v[n, head, read]
                assert torch.allclose(found[n, head, query], wanted, atol=1e-5)
    if share == 1.0:
        assert torch.allclose(found, scaled_dot_product_attention(q, k, v), atol=1e-6)


def test_every_layer_of_an_encoder_chooses_its_keys_and_only_within_the_context():
    encoder, images = SmallViT(FACTS, patch=4, width=12, depth=2, heads=2), sine(2, 3, 16, 16, rate=0.37)
    whole = encoder.tokens(images)
    with MostAlike(1.0) as attention:
        assert torch.allclose(encoder.tokens(images), whole, atol=1e-5)
    assert attention.layers == 2
    with MostAlike(0.25):
        some = encoder.tokens(images)
    assert not torch.allclose(some, whole, atol=1e-3)
    assert torch.allclose(encoder.tokens(images), whole)


class Convolved(nn.Conv2d):
    """An encoder of patches without attention."""

    dim, patch = 8, 4

    def __init__(self):
        super().__init__(3, 8, 4, stride=4)

    def tokens(self, x, keep=None):
        return super().forward(x).flatten(2).transpose(1, 2)


def test_what_cannot_be_mixed_is_refused():
    with pytest.raises(TacitError, match="6 images came where each mixture takes 4"):
        built().step(Batch([sine(6, 3, 16, 16, rate=0.3)], torch.arange(6)))
    with pytest.raises(TacitError, match="16 patches came and each of 3 shows equally many"):
        built(mixed=3)
    with pytest.raises(TacitError, match="mixed is 1; give 2 or more"):
        built(mixed=1)
    with pytest.raises(TacitError, match="decoder_width is 9"):
        built(decoder_width=9)
    with pytest.raises(TacitError, match="has a mask of its own"):
        most_alike(*(sine(1, 1, 4, 2, rate=0.3),) * 3, is_causal=True, share=0.5)
    with pytest.raises(TacitError, match=r"attended is 1\.5"):
        built(attended=1.5)
    method = MixedAE(Convolved(), **SMALL)
    method.prepare(FACTS)
    with pytest.raises(TacitError, match="calls torch's scaled_dot_product_attention nowhere"):
        method.step(Batch([sine(4, 3, 16, 16, rate=0.3)], torch.arange(4)))
