"""Processes kept alive: answers in order, failures told, and work that goes on after one."""

import pytest

from tacit.numerics.processes import rank, size
from tacit.training.spawned import Pair


def who(word):
    return rank(), size(), word


def fail_on_the_second():
    if rank() == 1:
        raise ValueError("the second fails")


def test_one_answer_per_process_in_order(pair):
    assert pair.run(who, "x") == [(0, 2, "x"), (1, 2, "x")]


def test_a_failure_is_told_and_the_pair_lives_on(pair):
    with pytest.raises(RuntimeError, match="ValueError: the second fails"):
        pair.run(fail_on_the_second)
    assert pair.run(who, "y") == [(0, 2, "y"), (1, 2, "y")]


class Late:
    """A process that answers between the first time it is asked and the second."""

    def __init__(self, answer, asked_before):
        self.answer, self.asked = answer, asked_before

    def send(self, what):
        pass

    def poll(self, patience):
        self.asked += 1
        return self.asked > 1

    def recv(self):
        return True, self.answer


def test_answers_are_by_rank_even_where_the_first_comes_late():
    two = Pair.__new__(Pair)
    two.links = [Late("first", 0), Late("second", 1)]
    assert two.run(who, "x") == ["first", "second"]
