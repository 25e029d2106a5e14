"""Views of triples: as they are, and with corrupted ones."""

import numpy as np
import pytest
import torch

from tacit.data.networks.triples import Triples
from tacit.errors import TacitError
from tacit.views.triples import TripleViews

FACTS = {"entities": [str(i) for i in range(7)], "relations": ["r"]}
GIVEN = Triples(torch.tensor([0, 6, 3]), torch.tensor([0, 0, 0]), torch.tensor([6, 0, 3]))


def test_plain_is_the_triples_alone():
    x, drawn = TripleViews.fit(FACTS).look(GIVEN, np.arange(3), 0, "plain")
    assert x.tolist() == [[0, 0, 6], [6, 0, 0], [3, 0, 3]] and drawn == {}


def test_heads_and_tails_are_corrupted_in_turn_by_all_others_alike():
    seen = []
    for key in range(400):
        x, drawn = TripleViews.fit(FACTS, corrupted=3).look(GIVEN, np.arange(3), key)
        false = drawn["corrupted"]
        assert false.shape == (3, 3, 3) and (false[:, :, 1] == 0).all()
        assert (false[:, [0, 2], 2] == x[:, None, 2]).all() and (false[:, 1, 0] == x[:, 0]).all()
        assert (false[:, [0, 2], 0] != x[:, None, 0]).all() and (false[:, 1, 2] != x[:, 2]).all()
        seen.append(false[0, 0, 0])
    counts = torch.stack(seen).bincount(minlength=7)
    assert counts[0] == 0 and (counts[1:] > 35).all()


def test_a_view_depends_on_its_sample_alone():
    views, index = TripleViews.fit(FACTS), np.array([50, 51, 52])
    whole = views.look(GIVEN, index, 1)[1]["corrupted"]
    some = views.look(Triples(*(part[[2, 0]] for part in GIVEN)), index[[2, 0]], 1)[1]["corrupted"]
    assert torch.equal(some, whole[[2, 0]])


def test_mistakes_are_named():
    with pytest.raises(TacitError, match="did you mean 'corrupted'"):
        TripleViews.fit(FACTS, corrupt=1)
    with pytest.raises(TacitError, match="1 or more"):
        TripleViews.fit(FACTS, corrupted=0)
    with pytest.raises(TacitError, match="at least 2"):
        TripleViews.fit({"entities": ["a"]})
    with pytest.raises(TacitError, match="role"):
        TripleViews.fit(FACTS).look(GIVEN, np.arange(3), 0, "local")
