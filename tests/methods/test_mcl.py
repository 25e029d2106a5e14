"""MCL: groups as MajorDavidZhang/MCL@cab98c1 batches them, stages that hand on what was learned, and what is represented.

ORDER is the group of each batch that its own `MCL_batch_sampler_DDP` (my_training/data.py) gave for GROUPS in batches of 3 on
one process.
"""

import pytest
import torch
from torch import nn

from tacit.errors import TacitError
from tacit.method import Batch, Trained
from tacit.methods.negatives.mcl import MCL, by_group
from tacit.parts.wrappers.earlier import Earlier, packed
from tests.methods.fixed import D, Identity, wave

GROUPS = torch.tensor([0, 1, 2, 2, 0, 1, 1, 3, 2, 1, 0, 1, 2, 1, 2, 1, 1, 2, 0, 1, 3])
ORDER = [0, 1, 2, 1, 2, 1]


class Normed(nn.Sequential):
    """A linear layer and a norm, which counts batches."""

    dim = D

    def __init__(self):
        super().__init__(nn.Linear(D, D), nn.BatchNorm1d(D))


def test_batches_of_groups_come_as_the_official_sampler_has_them():
    torch.manual_seed(0)
    batches = by_group(GROUPS, 3)
    assert [GROUPS[rows].unique().tolist() for rows in batches] == [[group] for group in ORDER]
    assert len(torch.cat(batches).unique()) == 18 and {len(rows) for rows in batches} == {3}
    assert not torch.equal(torch.cat(batches), torch.cat(by_group(GROUPS, 3)))  # drawn anew


def test_groups_that_fill_no_batch_are_named():
    with pytest.raises(TacitError, match="No group of samples that are alike fills a batch of 10"):
        by_group(GROUPS, 10)


def test_without_groups_there_is_no_plan():
    method = MCL(Identity())
    method.batch_size = 3
    assert method.before_epoch(None) is None
    assert len(MCL(Identity(), alike=GROUPS).alike) == 21


def test_an_encoder_comes_back_from_its_row():
    torch.manual_seed(1)
    encoders = [Normed(), Normed()]
    for encoder in encoders:
        encoder(torch.randn(9, D))
    earlier = Earlier(Normed(), torch.cat([packed(encoder) for encoder in encoders])).train()
    x = torch.randn(4, D)
    for encoder, said in zip(encoders, earlier(x)):
        assert torch.equal(encoder.eval()(x), said)
    assert not any(p.requires_grad for p in earlier.parameters()) and not earlier.training
    assert int(earlier.encoders[0][1].num_batches_tracked) == 1


def test_labels_of_all_stages_are_joined_and_encoders_kept():
    story = MCL.stages(rounds=3, clusters=2, dim=4)
    rows = [torch.tensor([[1.0, 0], [1, 0.1], [0, 1], [0.1, 1]]), torch.tensor([[1.0, 0], [0, 1], [1, 0.1], [0.1, 1]])]
    stage = next(story)
    assert stage.encoder == "fresh" and not len(stage.options["alike"]) and not len(stage.options["earlier"])
    for number, z in enumerate(rows):
        torch.manual_seed(number)
        stage = story.send(Trained(MCL(Normed(), **stage.options), lambda how: z))  # noqa: B023
        assert len(stage.options["earlier"]) == number + 1 and stage.options["dim"] == 4
    assert stage.options["alike"].sort().values.tolist() == [0, 1, 2, 3]  # each is apart from the others by one of the stages
    with pytest.raises(StopIteration):
        story.send(None)


def test_all_answers_together_have_length_one():
    torch.manual_seed(2)
    first, method = Normed().eval(), None
    method = MCL(Normed(), earlier=packed(first)).eval()
    x = wave(5, D, turn=0.9)
    z = method.represent(Batch([x], torch.arange(5)))
    torch.testing.assert_close(z, nn.functional.normalize(torch.cat([first(x), method.encoder(x)], 1)))
