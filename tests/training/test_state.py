"""The whole state of a stage goes into one file and comes back; generators are seeded by place."""

import random

import numpy as np
import pytest
import torch
from torch import nn

from tacit.errors import TacitError
from tacit.method import Facts, Method, Plan, Recipe, Stage
from tacit.training import optimizers
from tacit.training.averaging import Average
from tacit.training.journal import Journal
from tacit.training.state import Keeper, Position, open_stage, reseed

NO_CODES = torch.zeros(0)


class Memory(Method):
    """A weight, a buffer of N rows and an option that is a tensor."""

    def __init__(self, encoder: nn.Module, *, codes: torch.Tensor = NO_CODES, width: int = 2):
        super().__init__(encoder)
        self.head = nn.Linear(2, width)
        self.register_buffer("codes", codes)

    def prepare(self, facts: Facts):
        self.register_buffer("rows", torch.zeros(facts.n, 2))

    def step(self, batch):
        return self.head(self.encoder(batch)).square().mean()


def find(name):
    assert name.endswith(":Memory")
    return Memory


def build(stage, encoder):
    return stage.method(encoder, **stage.options)


STAGE = Stage(Memory, codes=torch.arange(3.0), width=4)
FACTS = Facts("vector", 5)


def kept(folder, steps=0):
    """A stage some steps on, and its keeper."""
    torch.manual_seed(steps)
    method = build(STAGE, nn.Linear(3, 2))
    method.prepare(FACTS)
    optimizer, average = optimizers.build(method, Recipe(lr=0.1)), Average(method, 0.9)
    journal = Journal(folder, quiet=True, device=torch.device("cpu"))
    for _ in range(steps):
        optimizer.zero_grad()
        method.step(torch.randn(4, 3)).backward()
        optimizer.step()
        average.update()
        method.rows += 1
        journal.add({"loss": torch.tensor(2.0)}, 4)
    return (
        method,
        optimizer,
        average,
        journal,
        Keeper(folder, 0, STAGE, method, optimizer, average, journal),
    )


PLANS = {
    "none": None,
    "batches": Plan(batches=[torch.tensor([3, 1]), torch.tensor([0, 2, 4])]),
    "partners": Plan(partners=torch.arange(10).view(5, 2)),
    "weights": Plan(weights=torch.linspace(0, 1, 5), partners=torch.arange(5)[:, None]),
}


@pytest.mark.parametrize("name", PLANS)
def test_everything_comes_back(name, tmp_path):
    method, optimizer, average, journal, keeper = kept(tmp_path, steps=3)
    journal.path.write_text("12345\n")
    keeper.save(Position(epoch=1, batch=2, step=3, planned=True), PLANS[name])
    again = kept(tmp_path)
    at, plan, length = again[4].restore()
    assert (at, length) == (Position(1, 2, 3, True, False), 6)
    for own, found in ((method.state_dict(), again[0].state_dict()), (average.weights, again[2].weights)):
        assert own.keys() == found.keys() and all(torch.equal(value, found[key]) for key, value in own.items())
    states = [optimizers.state_by_name(one) for one in (optimizer, again[1])]
    assert states[0].keys() == states[1].keys() and all(torch.equal(v, states[1][k]) for k, v in states[0].items())
    assert again[3].means(False) == journal.means(False) == ({"loss": 2.0}, False)
    same_plan(plan, PLANS[name])


def same_plan(found, expected):
    assert (found is None) == (expected is None)
    for name in ("partners", "weights") if expected else ():
        a, b = getattr(found, name), getattr(expected, name)
        assert (a is None) == (b is None) and (a is None or torch.equal(a, b))
    if expected and expected.batches is not None:
        assert [batch.tolist() for batch in found.batches] == [batch.tolist() for batch in expected.batches]


def test_a_new_stage_stands_at_the_beginning_of_the_log_so_far(tmp_path):
    *_, journal, keeper = kept(tmp_path)
    journal.path.write_text("a stage before\n")
    assert keeper.restore() == (Position(), None, 15)


def test_a_finished_stage_is_opened_with_its_options_and_rows(tmp_path):
    method, *_, keeper = kept(tmp_path, steps=2)
    keeper.save(Position(step=2), None)
    with pytest.raises(TacitError, match="has not finished; go on with --resume"):
        open_stage(keeper.file, find, build, nn.Linear(3, 2), FACTS)
    keeper.save(Position(step=2, finished=True), None)
    opened = open_stage(keeper.file, find, build, nn.Linear(3, 2), FACTS)
    assert not opened.training and torch.equal(opened.codes, torch.arange(3.0)) and opened.head.out_features == 4
    assert torch.equal(opened.rows, torch.full((5, 2), 2.0))
    assert all(torch.equal(value, opened.state_dict()[name]) for name, value in method.state_dict().items())


def test_reseeding_sets_every_generator_by_place():
    def draws(*place):
        reseed(*place)
        return torch.rand(()).item(), np.random.rand(), random.random()

    first = draws(0, 1, "build")
    torch.rand(7)
    assert draws(0, 1, "build") == first
    assert not set(first) & set(draws(0, 1, "prepare")) | set(first) & set(draws(0, 2, "build"))


def test_an_option_may_be_a_number_of_numpy_s(tmp_path):
    keeper = kept(tmp_path)[4]
    keeper.stage = Stage(Memory, codes=torch.arange(3.0), width=np.int64(4))
    keeper.save(Position(finished=True), None)
    assert open_stage(keeper.file, find, build, nn.Linear(3, 2), FACTS).head.out_features == 4
