"""G-SimCLR: batches of different clusters, the stage before, and the loss of the notebooks of ariG23498/G-SimCLR@bd77e7f."""

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy, normalize

from tacit.errors import TacitError
from tacit.method import Batch, Facts, Trained
from tacit.methods.negatives.g_simclr import DenoisingAutoencoder, GSimCLR, apart
from tests.methods.fixed import D, Identity, N, views, wave

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


def test_the_loss_is_that_of_the_notebooks():
    """Both directions against 2n − 2 negatives, summed and divided by 2n."""
    torch.manual_seed(0)
    method, batch = GSimCLR(Identity(), dim=4), views(0.9, 1.7)
    x, y = (normalize(method.projector(view)) for view in batch)
    total = torch.zeros(())
    for here, there in ((x, y), (y, x)):
        for i in range(N):
            others = [k for k in range(N) if k != i]
            logits = torch.cat([(here[i] @ there[i])[None], here[i] @ here[others].T, here[i] @ there[others].T]) / 0.1
            total = total + cross_entropy(logits[None], torch.zeros(1, dtype=torch.long))
    torch.testing.assert_close(method.step(batch), total / (2 * N))


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
