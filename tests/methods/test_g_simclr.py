"""G-SimCLR against ariG23498/G-SimCLR@bd77e7f: its loss and its batches; and the stage before.

ROUNDS are three steps by cells 32, 33 and 35 of CIFAR10/SimCLR_Pseudo_Labels/SimCLR_Pseudo_Labels_Training.ipynb: its own
projector, train_step, criterion, optimiser and schedule on TensorFlow 2.21 with Keras 2, with the similarities and the mask of
sthalles/SimCLR-tensorflow@281c7d4 that it loads; on these tensors as pictures of one pixel, in batches of 8, with an encoder
that says what it sees. ORDERS are the batches that its cells 19 to 23 and 27 make, by pandas, of these clusters.
"""

import pytest
import torch
from torch import nn

from tacit.errors import TacitError
from tacit.method import Batch, Facts, Trained
from tacit.methods.negatives.g_simclr import DenoisingAutoencoder, GSimCLR, apart
from tests.methods.fixed import D, Identity, N, fill, views, wave

# rate, loss, norms of the gradients of the three layers' weights and biases, part of the last layer's second row; then it
ROUNDS = [
    (0.1, 2.777874, [2.020458, 1.920831, 8.535385, 0.442743, 0.461013, 0.019736],
     [-0.010374, -0.006437, -0.000248, 0.0, 0.0, -0.002011]),
    (0.09999974817, 3.699881, [3.580837, 1.720887, 20.138634, 0.70253, 1.009122, 0.043016],
     [-0.022579, -0.022462, -0.00463, 0.0, 0.0, -0.000122]),
    (0.09999901056, 3.00532, [0.345956, 0.096691, 1.972749, 0.079265, 0.115079, 0.003615],
     [-0.00044, -0.002052, -0.001449, 7.1e-05, 1e-06, -0.000338]),
]  # fmt: skip
AFTER = [0.151277, 0.50246, 0.195903, -0.365165, -0.446239, 0.05871]
ORDERS = {  # by the cluster of each sample: which samples make each batch
    (2, 0, 1, 3, 1, 1, 2, 0, 3, 3, 0, 2, 1, 2, 3, 0): [[1, 2, 3, 0], [6, 8, 4, 7], [9, 11, 10, 5], [12, 15, 13, 14]],
    (0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 3, 3, 4): [[0, 6, 11, 9], [15, 10, 7, 1], [12, 8, 13, 2], [3, 14, 4, 5]],
}
GROUPS = torch.tensor([0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 3, 3, 4])


def most(groups, size):
    """As many batches as there can be: m such that the groups, of which each lends m at most, fill them."""
    counts = groups.bincount()
    return max(m for m in range(len(groups)) if int(counts.clamp_max(m).sum()) >= m * size)


@pytest.mark.parametrize("size", [2, 3, 4, 5])
def test_batches_are_of_different_groups_and_as_many_as_there_can_be(size):
    for seed in range(5):
        torch.manual_seed(seed)
        batches = apart(GROUPS, size)
        assert all(len(GROUPS[rows].unique()) == size == len(rows) for rows in batches)
        assert len(torch.cat(batches).unique()) == size * len(batches)  # nobody twice
        assert len(batches) == most(GROUPS, size)


def test_who_lends_and_in_which_order_is_drawn_anew():
    torch.manual_seed(0)
    first, second = (torch.cat(apart(GROUPS, 3)) for _ in range(2))
    assert not torch.equal(first, second)
    assert len(torch.cat([apart(GROUPS, 3)[0] for _ in range(200)]).unique()) > 12


def test_an_epoch_is_as_long_as_the_samples_fill_it():
    method = GSimCLR(Identity(), pseudo=GROUPS)
    method.batch_size = 5  # of which there is one batch without repetition
    batches = method.before_epoch(None).batches
    assert len(batches) == 3 and all(len(GROUPS[rows].unique()) == 5 for rows in batches)


def test_fewer_clusters_than_a_batch_has_samples_are_named():
    with pytest.raises(TacitError, match="There are 5 clusters for batches of 6"):
        apart(GROUPS, 6)


def test_three_steps_are_those_of_the_notebook():
    method = GSimCLR(Identity())
    layers = [layer for layer in method.projector if isinstance(layer, nn.Linear)]
    fill(method.projector.parameters())
    for number, (rate, loss, norms, row) in enumerate(ROUNDS):
        found = method.step(views(0.9 + 0.1 * number, 1.7 + 0.1 * number))
        gradients = torch.autograd.grad(found, list(method.projector.parameters()))
        assert found.item() == pytest.approx(loss, rel=1e-4)
        assert [float(g.norm()) for g in gradients] == pytest.approx(norms, rel=2e-3)
        torch.testing.assert_close(gradients[4][1, :6], torch.tensor(row), rtol=2e-3, atol=2e-5)
        with torch.no_grad():
            for p, g in zip(method.projector.parameters(), gradients):
                p -= rate * g
    torch.testing.assert_close(layers[2].weight[1, :6], torch.tensor(AFTER), rtol=0, atol=1e-5)


def test_batches_of_clusters_alike_large_are_as_the_notebooks_and_of_others_none_repeats_one():
    """How many clusters are in each batch."""
    torch.manual_seed(0)
    counts = []
    for groups, order in ORDERS.items():
        of = torch.tensor(groups)
        counts += [[len(of[rows].unique()) for rows in batches] for batches in (order, apart(of, 4))]
    assert counts == [[4, 4, 4, 4], [4, 4, 4, 4], [4, 4, 3, 2], [4, 4, 4]]


def test_the_autoencoder_sees_noise_and_is_asked_for_the_picture_without():
    torch.manual_seed(0)
    x = wave(N, D, turn=0.9)
    silent, loud = (DenoisingAutoencoder(Identity(), pixel_noise=noise) for noise in (1e-9, 2.0))
    silent.prepare(Facts("image", N, (1, 2, 3)))
    loud.decoder = silent.decoder
    expected = (silent.decoder(x) - x).square().mean()
    batch = Batch([x], torch.arange(N))
    torch.testing.assert_close(silent.step(batch), expected)
    noisy = x + 2.0 * batch.normal("noise", D)
    torch.testing.assert_close(loud.step(batch), (silent.decoder(noisy) - x).square().mean())


def test_the_second_stage_begins_anew_with_clusters_of_the_codes():
    story = GSimCLR.stages(clusters=2, pixel_noise=0.1, dim=4)
    stage = next(story)
    assert stage.method is DenoisingAutoencoder and stage.options == {"pixel_noise": 0.1}
    codes = torch.cat([torch.zeros(4, 2), torch.ones(3, 2)])
    torch.manual_seed(0)
    stage = story.send(Trained(nn.Module(), lambda: codes))
    assert stage.encoder == "fresh" and stage.options["dim"] == 4
    assert stage.options["pseudo"].bincount().sort().values.tolist() == [3, 4]
    assert len(stage.options["pseudo"][:4].unique()) == 1
    with pytest.raises(StopIteration):
        story.send(None)


@pytest.mark.parametrize("wrong", [{"temperature": 0.0}, {"dim": 0}])
def test_numbers_that_mean_nothing_are_refused(wrong):
    with pytest.raises(TacitError, match=next(iter(wrong))):
        GSimCLR(Identity(), **wrong)
    with pytest.raises(TacitError, match="pixel_noise"):
        DenoisingAutoencoder(Identity(), pixel_noise=0.0)
