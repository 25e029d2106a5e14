"""JigClu against dvlab-research/JigsawClustering@1490f3b.

The numbers are what its own JigClu model (JigClu/jigclu.py, losses.py) gave on these tensors on current torch, for the
permutation ORDER, a temperature of 0.3, and one convolution as encoder with the pooling of its resnet_jigclu.py.
"""

import numpy as np
import pytest
import torch
from torch import nn

from tacit.data.samples import Images
from tacit.errors import TacitError
from tacit.method import Batch
from tacit.methods.pretext.jigclu import BASE, JigClu, montage, pieces
from tacit.views import Program, modality
from tests.methods.fixed import sine, wave

N, C, S, D = 5, 3, 4, 6
ORDER = [13, 4, 18, 0, 9, 7, 15, 2, 11, 19, 6, 1, 16, 8, 3, 12, 5, 17, 10, 14]
MONTAGES = -15.947158  # the sum of all pixels by weights
CLUSTERING, LOCATION = 12.610979, 1.532203
NORMS = [0.414012, 0.172480, 0.025098, 0.434578]
ROW = [-0.047562, -0.042523, -0.011550, 0.018807, 0.044292, 0.010808, -0.032121, -0.049555, -0.033765]


class Convolution(nn.Conv2d):
    """An encoder of one layer."""

    dim = D

    def __init__(self):
        super().__init__(C, D, 3, stride=2, padding=1)

    def maps(self, x):
        return super().forward(x)

    def forward(self, x):
        return self.maps(x).mean((2, 3))


class Ordered(Batch):
    """A batch whose draws have this order."""

    def uniform(self, name, *shape):
        draws = torch.empty(4 * N)
        draws[torch.tensor(ORDER)] = torch.linspace(0, 0.99, 4 * N)
        return draws.view(4, N).T


def looks():
    return [sine(N, C, S, S, rate=0.3 + 0.17 * k) for k in range(4)]


def filled():
    method = JigClu(Convolution(), dim=4, temperature=0.3)
    layers = (method.encoder, method.projector[0], method.projector[2], method.locate)
    with torch.no_grad():
        for i, p in enumerate(p for layer in layers for p in (layer.weight, layer.bias)):
            p.copy_(wave(*p.shape, turn=0.7 + 0.13 * i) * 0.5)
    return method, layers


def test_montages_are_the_official():
    made = montage(torch.stack(looks(), 1), torch.tensor(ORDER))
    assert made.shape == (N, C, 2 * S, 2 * S)
    assert (made * sine(*made.shape, rate=0.37)).sum().item() == pytest.approx(MONTAGES, abs=1e-4)
    assert torch.equal(made[1, :, S:, :S], looks()[ORDER[2 * N + 1] // N][ORDER[2 * N + 1] % N])  # below left


def test_losses_and_gradients_are_the_official():
    method, layers = filled()
    terms = method.step(Ordered(looks(), torch.arange(N)))
    clustering, location = (loss * weight for loss, weight in terms.values())
    (clustering + location).backward()
    assert [clustering.item(), location.item()] == pytest.approx([CLUSTERING, LOCATION], abs=1e-4)
    assert [float(layer.weight.grad.norm()) for layer in layers] == pytest.approx(NORMS, rel=1e-3)
    assert method.encoder.weight.grad[1, 0].flatten().tolist() == pytest.approx(ROW, abs=1e-5)


def test_a_piece_is_what_its_quarter_of_the_map_says():
    corner = torch.zeros(1, 1, 8, 8)
    corner[:, :, :4, 4:] = 1.0  # above right
    assert pieces(corner).flatten().tolist() == [0.0, 1.0, 0.0, 0.0]


def test_pieces_are_shuffled_over_the_whole_batch_and_anew_in_each():
    batches = [Batch(looks(), torch.arange(N), key=key) for key in (1, 2)]
    first, second = (batch.uniform("place", 4).T.flatten().argsort() for batch in batches)
    assert first.sort().values.tolist() == list(range(4 * N)) and not torch.equal(first, second)


def test_the_clustering_term_weighs_as_in_the_released_code():
    method, _ = filled()
    weights = [weight for _, weight in method.step(Batch(looks(), torch.arange(N))).values()]
    assert weights == pytest.approx([0.3 / BASE, 1.0])


def test_each_look_is_at_a_corner_of_the_image():
    """An image whose quarters have a colour each: the mean colour of a look from within a corner is nearest to that one's."""
    pixels = torch.zeros(40, 30, 30, 3, dtype=torch.uint8)
    pixels[:, :15, 15:, 0] = pixels[:, 15:, :15, 1] = pixels[:, 15:, 15:, 2] = 255
    program = Program(
        JigClu.views, modality("image").fit({"size": 32, "mean": [0.0] * 3, "std": [1.0] * 3}, jitter=0.0, grey=0.0)
    )
    views, params = program(Images(pixels, torch.full((40, 2), 30, dtype=torch.int32)), np.arange(40), 0)
    assert [view.shape for view in views] == [(40, 3, 16, 16)] * 4
    for drawn, corner in zip(params, ((0.0, 0.0), (0.0, 0.2), (0.2, 0.0), (0.2, 0.2))):
        low, high = drawn["box"][:, :2], drawn["box"][:, :2] + drawn["box"][:, 2:]
        edges = torch.tensor(corner)
        assert bool((low >= edges - 1e-6).all()) and bool((high <= edges + 0.8 + 1e-6).all())
        assert float(low.max()) > edges.max() and len(low.unique(dim=0)) > 10  # drawn within
    means = torch.stack([view.mean((0, 2, 3)) for view in views])
    assert means[1:].argmax(1).tolist() == [0, 1, 2] and float(means[0].sum()) < float(means[1:].sum(1).min())


@pytest.mark.parametrize("wrong", [{"temperature": 0.0}, {"dim": 0}, {"location_weight": -1.0}])
def test_numbers_that_mean_nothing_are_refused(wrong):
    with pytest.raises(TacitError, match=next(iter(wrong))):
        JigClu(Convolution(), **wrong)
