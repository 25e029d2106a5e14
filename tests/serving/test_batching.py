"""Samples of several requests go through the encoder together, and none of them costs another its answer."""

from threading import Event

import numpy as np
import pytest

from tacit.errors import TacitError
from tacit.serving.batching import Batcher, Loaded
from tacit.serving.limits import Limits, Refused
from tacit.serving.metrics import Metrics


class Doubling:
    """An encoder that doubles numbers; −1 cannot be read, −2 cannot be opened, −3 breaks it. `go` lets it compute."""

    def __init__(self):
        self.batches: list[list[int]] = []
        self.go, self.begun = Event(), Event()
        self.go.set()

    def load(self, items):
        if -2 in items:
            raise TacitError("It cannot be opened.")
        bad = {place: "it is minus one" for place, item in enumerate(items) if item == -1}
        good = np.array([place for place in range(len(items)) if place not in bad], np.int64)
        return Loaded([items[place] for place in good], good, bad, np.ones(len(good), np.int64))

    def represent(self, loaded):
        self.batches.append(list(loaded.content))
        self.begun.set()
        self.go.wait(30)
        if -3 in loaded.content:
            raise RuntimeError("broken")
        return np.array(loaded.content, np.float32)[:, None] * 2


@pytest.fixture
def made():
    batchers = []

    def make(**limits):
        batchers.append(Batcher(Limits(**{"batch": 8, **limits}), Metrics()))
        return batchers[-1], Doubling()

    yield make
    for batcher in batchers:
        batcher.close()


def doubled(job) -> list[float]:
    return job.answer.result(30).vectors[:, 0].tolist()


def held(batcher, encoder, first=(1,)):
    """A batch that is being computed until `go`, and one that is decoded meanwhile: what comes next waits in the queue."""
    encoder.go.clear()
    jobs = [batcher.submit(encoder, first, 0)]
    assert encoder.begun.wait(30)
    jobs += [batcher.submit(encoder, [2], 0)]
    while batcher._queue:
        pass
    jobs += [batcher.submit(encoder, [3], 0)]
    while batcher._queue:
        pass
    return jobs


def test_requests_are_put_together_and_large_ones_cut(made):
    batcher, encoder = made()
    before = held(batcher, encoder)
    jobs = [batcher.submit(encoder, list(range(10 * n, 10 * n + size)), 0) for n, size in enumerate((3, 2, 9, 1), 1)]
    encoder.go.set()
    assert [doubled(job) for job in before] == [[2.0], [4.0], [6.0]]
    assert [doubled(job) for job in jobs] == [
        [20.0, 22.0, 24.0],
        [40.0, 42.0],
        [60.0 + 2 * i for i in range(9)],
        [80.0],
    ]
    assert encoder.batches[3:] == [[10, 11, 12, 20, 21, 30, 31, 32], [33, 34, 35, 36, 37, 38, 40]]
    assert jobs[2].answer.result().tokens == 9
    assert batcher.metrics.registry.get_sample_value("tacit_batch_requests_sum") == 3 + 3 + 2
    assert batcher.samples == batcher.bytes == 0


def test_a_full_queue_refuses_at_once_and_has_room_again(made):
    batcher, encoder = made(waiting=10, held=1000)
    held(batcher, encoder)
    job = batcher.submit(encoder, [5] * 7, 10)
    with pytest.raises(Refused, match="10 samples wait and at most 10 may") as refusal:
        batcher.submit(encoder, [5], 10)
    assert refusal.value.status == 429 and refusal.value.headers == {"retry-after": "1"}
    encoder.go.set()
    assert len(doubled(job)) == 7
    with pytest.raises(Refused):
        batcher.submit(encoder, [5], 1001)
    assert doubled(batcher.submit(encoder, [5], 1000)) == [10.0]


def test_who_gives_up_leaves_the_queue(made):
    batcher, encoder = made(waiting=20)
    held(batcher, encoder)
    gone, stays = batcher.submit(encoder, [7] * 10, 5), batcher.submit(encoder, [9], 5)
    assert batcher.samples == 14
    gone.answer.cancel()
    assert batcher.samples == 4 and batcher.bytes == 5
    encoder.go.set()
    assert doubled(stays) == [18.0]
    assert not any(7 in batch for batch in encoder.batches)


def test_what_is_wrong_with_one_request_is_its_own(made):
    batcher, encoder = made()
    held(batcher, encoder)
    jobs = {item: batcher.submit(encoder, [item, 4], 0) for item in (1, -1, -2, -3)}
    encoder.go.set()
    assert doubled(jobs[1]) == [2.0, 8.0]
    for item, said in ((-1, "Sample 0 of the request cannot be read .it is minus one."), (-2, "opened"), (-3, "broken")):
        with pytest.raises(Exception, match=said):
            jobs[item].answer.result(30)
    assert batcher.samples == 0
    assert doubled(batcher.submit(encoder, [6], 0)) == [12.0]


def test_an_answer_that_is_not_finite_is_refused(made):
    batcher, encoder = made()
    with pytest.raises(TacitError, match="NaN or infinity"):
        doubled(batcher.submit(encoder, [float("inf")], 0))


def test_two_kinds_are_never_in_one_batch(made):
    batcher, encoder = made()
    other = Doubling()
    held(batcher, encoder)
    jobs = [batcher.submit(by, [n], 0) for n, by in enumerate((encoder, other, encoder, other))]
    encoder.go.set()
    assert [doubled(job) for job in jobs] == [[0.0], [2.0], [4.0], [6.0]]
    assert encoder.batches[3:] == [[0, 2]] and other.batches == [[1, 3]]


def test_what_waits_is_answered_before_the_end():
    batcher, encoder = Batcher(Limits(batch=8), Metrics()), Doubling()
    jobs = [batcher.submit(encoder, [n], 0) for n in range(20)]
    batcher.close()
    assert [doubled(job) for job in jobs] == [[2.0 * n] for n in range(20)]
    with pytest.raises(Refused, match="stopping"):
        batcher.submit(encoder, [1], 0)
