"""OPN by hand: comparisons of two frames, shared but for their norms, and twelve orders."""

import pytest
import torch
from torch.nn.functional import adaptive_avg_pool2d, cross_entropy

from tacit.encoders.video import FrameResNet
from tacit.errors import TacitError
from tacit.method import Batch, Facts
from tacit.methods.pretext.opn import OPN, PAIRS
from tests.methods.fixed import wave

FACTS = Facts("video", 10, (1, 4, 8, 8))


def made(pieces=4, **options):
    torch.manual_seed(0)
    method = OPN(FrameResNet(FACTS, width=4, depth=(1,)), hidden=6, compared=5, **options)
    batch = Batch([wave(6, pieces, 1, 1, 8, 8, turn=0.7)], torch.arange(6), params=[{"order": torch.arange(6)}], key=3)
    return method, batch


def test_a_step_written_out():
    method, batch = made(dropped=0.0)
    loss = method.step(batch)
    frames = batch.views[0]
    all_maps = method.encoder.frames(frames.squeeze(3).transpose(1, 2))
    cells = adaptive_avg_pool2d(all_maps.flatten(0, 1), 2).flatten(1)
    z = method.each(cells).view(6, 4, 6)
    assert PAIRS == ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))
    pairs = torch.cat([method.compare(torch.cat([z[:, i], z[:, j]], 1)) for i, j in PAIRS], 1)
    torch.testing.assert_close(loss, cross_entropy(method.tell(method.norm(pairs)), batch.params[0]["order"]))
    loss.backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in method.parameters())


def test_dropout_is_each_samples_own_and_only_in_training():
    method, batch = made(dropped=0.5)
    frames = batch.views[0]
    z = torch.ones(6, 4, 6)
    thinned = method._thinned(z, "each", batch)
    assert set(thinned.unique().tolist()) == {0.0, 2.0}
    some = Batch([frames[2:4]], torch.arange(2, 4), key=3)
    assert torch.equal(method._thinned(z[2:4], "each", some), thinned[2:4])
    method.eval()
    assert method._thinned(z, "each", batch) is z


def test_the_layer_on_pairs_is_one_and_mistakes_are_named():
    method, _ = made()
    assert method.compare.weight.shape == (5, 12) and method.tell.weight.shape == (12, 30)
    with pytest.raises(TacitError, match="3 frames came to be ordered"):
        made(pieces=3)[0].step(made(pieces=3)[1])
    with pytest.raises(TacitError, match=r"dropped is 1\.0"):
        made(dropped=1.0)
