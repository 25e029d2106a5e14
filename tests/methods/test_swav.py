"""SwAV against facebookresearch/swav@06b1b7c.

ROUNDS are what its own `train` (main_swav.py) did, one batch at a time, with the forward pass of its src/resnet50.py around a
small backbone, on current torch: 2 large and 3 small crops of 4 samples, SGD, prototypes held for two batches, a queue of two
batches from the second batch on.
"""

import numpy as np
import pytest
import torch
from torch import nn

from tacit.data.samples import Images
from tacit.encoders import build
from tacit.errors import TacitError
from tacit.method import Batch, Facts
from tacit.methods.clustering.swav import SwAV
from tacit.views import Program, modality
from tests.methods.fixed import sine

W, H, D, K, N = 6, 8, 5, 7, 4  # width, hidden, dim, prototypes, samples
OPTIONS = {"dim": D, "hidden": H, "prototypes": K}

# loss, norms of the gradients of convolution, projector and prototypes (None: held), prototype 3 after the step, queues' sum
ROUNDS = [
    (3.9274845, 4.978394, 2.006156, None, [0.2330585, 0.5707207, -0.3801269, -0.4727662, 0.5019535], 0.0),
    (3.072731, 1.7679485, 1.787608, None, [0.2330585, 0.5707207, -0.3801269, -0.4727662, 0.5019535], 10.955372),
    (2.7086642, 0.3934044, 0.2575738, 2.8896141, [0.228978, 0.6031347, -0.3417414, -0.4480763, 0.5159826], 24.483278),
    (3.0476246, 1.2203677, 1.2507159, 2.6445282, [0.1794976, 0.5688874, -0.3810529, -0.4773517, 0.5206552], 25.222383),
    (1.845046, 0.1138674, 0.2847288, 1.4850153, [0.1346888, 0.5290305, -0.4268202, -0.5204685, 0.4989216], 27.879108),
    (3.2275472, 0.6402445, 0.4346538, 3.9174876, [0.1220369, 0.5572217, -0.3996787, -0.4895119, 0.5246389], 32.162163),
]
NEWEST = [0.6044085, 0.4967516, 0.4181731, 0.4611675, 0.019596]  # of the second queue: its newest batch's first row
KERNEL = [0.1377946, 0.5535731, 0.8350715, 0.542682, 0.0646819, -0.5129746, -0.712906, -0.7159482, -0.3602454]


class Backbone(nn.Module):
    """A convolution, a norm and a mean: takes images of any size, and minds with whom they are normalised."""

    dim = W

    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.seen = nn.Conv2d(3, W, 3, padding=1, bias=False), nn.BatchNorm2d(W), []

    def forward(self, x):
        self.seen.append(tuple(x.shape))
        return torch.relu(self.norm(self.conv(x))).mean((2, 3))


def made(**options):
    method = SwAV(Backbone(), **{**OPTIONS, **options})
    first, last = method.projector[0], method.projector[3]
    with torch.no_grad():
        method.encoder.conv.weight.copy_(sine(W, 3, 3, 3, rate=0.7))
        first.weight.copy_(sine(H, W, rate=1.1))
        last.weight.copy_(sine(D, H, rate=0.9))
        last.bias.copy_(sine(D, rate=0.4))
        method.prototypes.directions.weight.copy_(sine(K, D, rate=1.7))
        method.prototypes.normalise()
    return method


def crops(step):
    sides = [8, 8, 4, 4, 4]
    views = [sine(N, 3, side, side, rate=0.37 + 0.11 * v + 0.05 * step) for v, side in enumerate(sides)]
    return Batch(views, torch.arange(N))


def test_six_steps_of_the_released_training():
    method = made(queue=2 * N, queue_from=1)
    optimizer = torch.optim.SGD(method.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-2)
    prototypes = method.prototypes.directions.weight
    for step, (loss, convolution, projector, moved, row, queued) in enumerate(ROUNDS):
        method.before_epoch(None)  # an epoch of one batch
        prototypes.requires_grad_(moved is not None)  # what `hold` does
        batch = crops(step)
        optimizer.zero_grad()
        ours = method.step(batch)
        ours.backward()
        assert float(ours.detach()) == pytest.approx(loss, rel=1e-4)
        assert float(method.encoder.conv.weight.grad.norm()) == pytest.approx(convolution, rel=1e-3)
        assert float(method.projector[0].weight.grad.norm()) == pytest.approx(projector, rel=1e-3)
        assert moved is None or float(prototypes.grad.norm()) == pytest.approx(moved, rel=1e-3)
        optimizer.step()
        method.after_step(batch)
        torch.testing.assert_close(prototypes[3].detach(), torch.tensor(row), rtol=1e-3, atol=1e-4)
        assert sum(float(queue.rows.sum()) for queue in method.queues) == pytest.approx(queued, rel=1e-3)
        assert method.remembers == (step > 2)  # filled by steps 1 and 2
    assert (method.queues[1].rows - torch.tensor(NEWEST)).abs().amax(1).min() < 1e-3
    torch.testing.assert_close(method.encoder.conv.weight[2, 1].detach().flatten(), torch.tensor(KERNEL), rtol=1e-3, atol=1e-4)


def test_one_forward_for_each_size_of_crop():
    method = made()
    method.step(crops(0))
    assert method.encoder.seen == [(2 * N, 3, 8, 8), (3 * N, 3, 4, 4)]
    alike = Batch([view[:, :, :4, :4] for view in crops(0)], torch.arange(N))
    method.encoder.seen.clear()
    method.step(alike)
    assert method.encoder.seen == [(5 * N, 3, 4, 4)]
    method.encoder.seen.clear()
    method.step(Batch(crops(0).views[:2], torch.arange(N)))  # large crops alone
    assert method.encoder.seen == [(2 * N, 3, 8, 8)]


def test_without_queue_nothing_is_kept_and_nothing_asked():
    method, batch = made(), crops(0)
    method.step(batch)
    method.after_step(batch)
    assert not batch.kept and not len(method.queues)


def test_a_queue_that_was_full_is_used_after_resuming():
    method = made(queue=N, queue_from=0)
    method.before_epoch(None)
    batch = crops(0)
    method.step(batch)
    method.after_step(batch)
    again = made(queue=N, queue_from=0)
    again.load_state_dict(method.state_dict())
    assert torch.equal(method.step(crops(1)), again.step(crops(1))) and again.remembers
    assert not torch.equal(made().step(crops(1)), again.step(crops(1)))


def test_more_prototypes_than_samples_are_refused():
    method = made()
    method.prepare(Facts("image", K))
    with pytest.raises(TacitError, match=r"^There are 7 prototypes for 6 samples; give --prototypes 2\.$"):
        method.prepare(Facts("image", K - 1))


@pytest.mark.parametrize("wrong", [{"prototypes": 0}, {"epsilon": 0}, {"temperature": -1}, {"queue": -1}, {"queue_from": -1}])
def test_bad_options_are_named(wrong):
    with pytest.raises(TacitError, match=next(iter(wrong))):
        made(**wrong)


def test_a_batch_that_does_not_divide_the_queue_is_refused():
    method, batch = made(queue=N + 1, queue_from=0), crops(0)
    method.before_epoch(None)
    method.step(batch)
    with pytest.raises(TacitError, match="queue of 5"):
        method.after_step(batch)


def test_it_is_refused_long_before_the_queue_is_used():
    method, batch = made(queue=N + 1, queue_from=15), crops(0)
    method.before_epoch(None)
    method.step(batch)
    with pytest.raises(TacitError, match="queue of 5"):
        method.after_step(batch)


@pytest.mark.parametrize(("side", "local"), [(28, 16), (32, 16), (64, 24), (224, 96)])
def test_small_crops_fit_the_image_and_their_boxes_are_told(side, local):
    views = modality("image").fit({"size": side, "mean": [0.5], "std": [0.3]})
    content = Images(torch.randint(0, 256, (2, side, side, 1), dtype=torch.uint8), torch.full((2, 2), side))
    seen, params = Program(SwAV.views, views)(content, np.arange(2), 0)
    assert [view.shape[2] for view in seen] == [side] * 2 + [local] * 6
    for view, drawn in zip(seen, params):
        top, left, height, width = (drawn["box"] * side).round().int().T  # exact: whole pixels of the image
        torch.testing.assert_close(drawn["box"] * side, (drawn["box"] * side).round(), rtol=0, atol=1e-4)
        assert (top >= 0).all() and (left >= 0).all() and (top + height <= side).all() and (left + width <= side).all()
        if view.shape[2] == local:
            assert (drawn["box"][:, 2] * drawn["box"][:, 3] <= views.local_crop[1] * 1.2).all()
    for encoder in ("small_resnet", "small_vit") if side <= 64 else ("small_resnet",):
        model = build(encoder, Facts("image", 2, views.shape), width=12)
        assert model(seen[-1]).shape == (2, model.dim)
