"""The queue keeps the newest rows, in the order of a ring."""

import pytest
import torch
from torch import nn

from tacit.errors import TacitError
from tacit.parts.queue import KeyQueue, Queue


def rows(first, n, dim=2):
    """Rows that are told apart: all numbers of row i are i."""
    return torch.arange(first, first + n, dtype=torch.float32)[:, None].expand(n, dim)


def test_it_starts_at_zero_and_counts_what_is_pushed():
    queue = Queue(6, 2)
    assert torch.equal(queue.rows, torch.zeros(6, 2)) and not queue.full
    seen = []
    for batch in range(4):
        queue.push(rows(10 + 2 * batch, 2))
        seen.append((int(queue.at), int(queue.filled), queue.full))
    assert seen == [(2, 2, False), (4, 4, False), (0, 6, True), (2, 6, True)]
    assert queue.full is True


def test_the_oldest_rows_go_first():
    queue, pushed = Queue(6, 2), []
    for batch in range(7):
        queue.push(rows(2 * batch, 2))
        pushed = [*pushed, 2 * batch, 2 * batch + 1][-6:]
        assert sorted(row for row in queue.rows[:, 0].tolist() if row or queue.full) == [
            row for row in pushed if row or queue.full
        ]
    assert queue.rows[:, 0].tolist() == [12, 13, 8, 9, 10, 11]


def test_batches_of_several_sizes_go_round():
    queue = Queue(6, 2)
    for first, n in ((0, 2), (2, 3), (5, 3)):  # the last crosses the end
        queue.push(rows(first, n))
    assert queue.rows[:, 0].tolist() == [6, 7, 2, 3, 4, 5]
    assert int(queue.at) == 2 and queue.full


def test_a_batch_may_be_the_whole_queue():
    queue = Queue(4, 2)
    queue.push(rows(1, 4))
    queue.push(rows(5, 4))
    assert torch.equal(queue.rows, rows(5, 4)) and int(queue.at) == 0


@pytest.mark.parametrize(("length", "n", "enough"), [(1000, 64, 1024), (100, 256, 256), (12, 8, 16)])
def test_a_batch_that_does_not_divide_it_is_refused_with_a_length_that_does(length, n, enough):
    queue = Queue(length, 2)
    with pytest.raises(
        TacitError, match=f"^A queue of {length} .* batches of {n}; give --queue {enough} or a batch that divides it.$"
    ):
        queue.push(rows(1, n))
    assert not queue.rows.any() and int(queue.filled) == 0
    Queue(enough, 2).push(rows(1, n))


@pytest.mark.parametrize("length", [0, -4])
def test_a_queue_of_nothing_is_refused(length):
    with pytest.raises(TacitError, match=f"queue is {length}; it must be above 0"):
        Queue(length, 2)


def test_what_was_filled_by_its_owner_is_overwritten_in_order():
    queue = Queue(4, 2)
    queue.rows.copy_(rows(-4, 4))
    queue.push(rows(1, 2))
    assert queue.rows[:, 0].tolist() == [1, 2, -2, -1] and not queue.full


def test_it_goes_on_where_it_was_saved():
    one, two = Queue(6, 2), Queue(6, 2)
    for batch in range(2):
        one.push(rows(10 + 2 * batch, 2))
    assert set(one.state_dict()) == {"rows", "at", "filled"}
    two.load_state_dict(one.state_dict())
    for queue in (one, two):
        queue.push(rows(1, 2))
        queue.push(rows(3, 2))
    for name, value in one.state_dict().items():
        assert torch.equal(value, two.state_dict()[name]), name


def test_it_keeps_no_gradient_and_its_own_precision():
    queue = Queue(4, 2)
    queue.push(torch.ones(2, 2, dtype=torch.bfloat16, requires_grad=True) * 3)
    assert queue.rows.dtype == torch.float32 and not queue.rows.requires_grad
    assert queue.rows[:, 0].tolist() == [3, 3, 0, 0] and not list(queue.parameters())


def test_pushing_never_asks_the_device():
    """On the meta device nothing has a value: whatever asked for one would fail."""
    queue = Queue(6, 2).to("meta")
    queue.push(torch.empty(3, 2, device="meta"))
    with pytest.raises((RuntimeError, NotImplementedError)):
        int(queue.at)


def mine():
    queue = Queue(6, 2)
    queue.push(rows(0, 6))
    return queue.mine[:, 0].tolist()


def test_every_row_is_one_processs(pair):
    assert mine() == [0, 1, 2, 3, 4, 5]
    assert pair.run(mine) == [[0, 2, 4], [1, 3, 5]]


def test_what_cannot_be_pushed_is_refused_before():
    queue = Queue(6, 2)
    queue.require(3)
    with pytest.raises(TacitError, match=r"^A queue of 6 cannot be filled in batches of 4; give --queue 8 or"):
        queue.require(4)
    assert not int(queue.filled)


def test_keys_are_the_slow_copy_s_and_follow_the_student():
    torch.manual_seed(0)
    student = nn.Linear(3, 2)
    queue = KeyQueue(8, 2, student)
    torch.testing.assert_close(queue.rows.norm(dim=1), torch.ones(8))
    before = student.weight.detach().clone()
    with torch.no_grad():
        student.weight.add_(1)
    view = torch.ones(4, 3)
    keys = queue.keys(view)
    expected = nn.functional.normalize(view @ before.T + student.bias.detach(), dim=1)
    torch.testing.assert_close(keys, expected)
    queue.take(keys, 0.75, student)
    torch.testing.assert_close(queue.rows[:4], expected)
    torch.testing.assert_close(queue.teacher.module[0].weight, before + 0.25)
    assert not keys.requires_grad
