"""Whose parameters ask for gradient, and the sum of a loss's terms."""

import pytest
import torch
from torch import nn

from tacit.errors import TacitError
from tacit.method import Method
from tacit.training.signals import Signals
from tacit.training.turns import Focus, add


class Probe(Method):
    """Two players, one of two parts, and something nobody moves."""

    players = {"generator": ("encoder", "decoder"), "critic": ("critic",)}

    def __init__(self):
        super().__init__(nn.Linear(2, 2))
        self.decoder, self.critic = nn.Linear(2, 2), nn.Linear(2, 2)
        self.teacher = nn.Linear(2, 2).requires_grad_(False)


def asking(method):
    return sorted({name.partition(".")[0] for name, p in method.named_parameters() if p.requires_grad})


def test_only_the_player_whose_turn_it_is_asks():
    method = Probe()
    focus = Focus(method)
    assert focus.on("generator", ()) and asking(method) == ["decoder", "encoder"]
    assert focus.on("critic", ()) and asking(method) == ["critic"]
    assert focus.on("generator", ("encoder",)) and asking(method) == ["decoder"]
    assert not focus.on("critic", ("critic",)) and asking(method) == []
    assert focus.on("", ()) and asking(method) == ["critic", "decoder", "encoder"]


def test_a_single_loss():
    terms = {}
    x = torch.tensor(6.0, requires_grad=True)
    added = add(x * 2, "", terms, 3)
    added.backward()
    assert (added.item(), x.grad.item()) == (4.0, pytest.approx(2 / 3))
    assert {name: value.item() for name, value in terms.items()} == {"loss": 4.0}
    assert not terms["loss"].requires_grad


def test_named_terms_are_weighted_and_logged_unweighted():
    terms = {}
    for _ in range(2):  # two micro-batches
        added = add({"agree": torch.tensor(2.0), "vary": (torch.tensor(10.0), 0.5)}, "", terms, 2)
        assert added.item() == 3.5
    assert {name: value.item() for name, value in terms.items()} == {"loss": 7.0, "agree": 2.0, "vary": 10.0}


def test_players_terms_are_told_apart_and_their_losses_summed():
    terms = {}
    add({"fool": torch.tensor(1.0)}, "generator", terms, 1)
    add({"tell": torch.tensor(3.0)}, "critic", terms, 1)
    assert {name: value.item() for name, value in terms.items()} == {"loss": 4.0, "generator_fool": 1.0, "critic_tell": 3.0}


class Alike(Method):
    """A player whose name begins another part's."""

    players = {"first": ("head",), "second": ("header",)}

    def __init__(self):
        super().__init__()
        self.head, self.header = nn.Linear(2, 2), nn.Linear(2, 2)


def test_prefixes_are_whole_words():
    method = Alike()
    focus = Focus(method)
    assert focus.on("first", ()) and asking(method) == ["head"]
    assert focus.on("", ("head",)) and asking(method) == ["header"]


def test_a_player_s_unknown_part_is_named(monkeypatch):
    monkeypatch.setattr(Alike, "players", {"first": ("haed",)})
    with pytest.raises(TacitError, match="no part of a player 'haed'; did you mean 'head'"):
        Focus(Alike())


@pytest.mark.parametrize("name", ["loss", "step", *Signals._fields])
def test_a_term_may_not_take_the_log_s_own_names(name):
    with pytest.raises(ValueError, match=f"named '{name}'"):
        add({name: torch.tensor(1.0)}, "", {}, 1)


def test_a_player_s_turns_are_averaged():
    terms = {}
    for value in (1.0, 3.0):
        add({"tell": torch.tensor(value)}, "critic", terms, 1, 2)
    add({"fool": torch.tensor(5.0)}, "generator", terms, 1)
    assert {name: value.item() for name, value in terms.items()} == {"loss": 7.0, "critic_tell": 2.0, "generator_fool": 5.0}
