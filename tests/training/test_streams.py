"""Orders, partners and views of a stream: pure functions of the seed and the place, whatever batch a sample is in."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from tacit.errors import TacitError
from tacit.method import Plan
from tacit.numerics import counter
from tacit.training.streams import Source, Stream
from tacit.views import Program, modality
from tacit.views.kinds import Neighbours, Pair, Plain
from tests.training.numbers import CPU, Numbers, numbers


def test_an_epoch_covers_everything_once_and_drops_the_last():
    order = numbers().order(0)
    assert [len(batch) for batch in order] == [8] * 6
    assert len(set(np.concatenate(order))) == 48
    whole = np.concatenate(numbers(batch=10).order(0))
    assert sorted(whole) == list(range(50))


def test_orders_differ_by_epoch_seed_and_name_and_by_nothing_else():
    first = np.concatenate(numbers().order(3))
    assert np.array_equal(first, np.concatenate(numbers().order(3)))
    for other in (numbers().order(4), numbers(key=2).order(3), numbers(name="other").order(3)):
        assert not np.array_equal(first, np.concatenate(other))


@pytest.mark.parametrize("length", [2, 6, 15])
def test_an_epoch_of_a_given_length_goes_around_the_set(length):
    order = numbers(epoch_batches=length).order(0)
    assert len(order) == length
    positions = np.concatenate(order)
    for start in range(0, len(positions), 48):  # each lap without repetition
        lap = positions[start : start + 48]
        assert len(set(lap)) == len(lap)


def test_what_weighs_little_is_drawn_too(monkeypatch):
    """Between two of 2²⁴ draws lie more."""
    low = np.linspace(0, 1, 5, endpoint=False)
    monkeypatch.setattr(counter, "uniform", lambda key, rows, columns: np.stack([np.zeros(5), low], 1)[: len(rows), :columns])
    weights = torch.full((5,), 2.0**-24 / 5, dtype=torch.float64)
    weights[4] = 1 - 4 * weights[0]
    order = numbers(5, batch=5, epoch_batches=1).order(0, Plan(weights=weights))
    assert order[0].tolist() == [0, 1, 2, 3, 4]


def test_weights_draw_in_proportion():
    weights = torch.tensor([0.0, 1.0, 2.0, 5.0, 0.0])
    order = numbers(5, batch=5, epoch_batches=1600).order(0, Plan(weights=weights))
    counts = np.bincount(np.concatenate(order), minlength=5)
    assert counts.sum() == 8000
    assert counts[0] == counts[4] == 0
    assert counts[1:4] == pytest.approx([1000, 2000, 5000], abs=5 * (8000 * 0.25) ** 0.5)


def test_what_weighs_nothing_is_not_drawn_even_at_the_edges(monkeypatch):
    plan = Plan(weights=torch.tensor([0.0, 1.0, 0.0, 1.0, 0.0]))
    for draw, expected in ((0.0, 1), (0.5, 3), (1 - 2.0**-24, 3)):
        monkeypatch.setattr(counter, "uniform", lambda key, rows, columns, d=draw: np.full((len(rows), columns), d, np.float32))
        assert set(np.concatenate(numbers(5, batch=5).order(0, plan))) == {expected}


def test_a_plan_s_batches_are_cut_to_equal_shares():
    plan = Plan(batches=[torch.arange(7), torch.tensor([9, 8]), torch.arange(10, 13)])
    assert [batch.tolist() for batch in numbers(multiple=3).order(0, plan)] == [[0, 1, 2, 3, 4, 5], [10, 11, 12]]


def test_batches_are_cut_to_a_multiple_of_processes_and_micro_batches():
    assert numbers(batch=8, multiple=3).batch == 6
    assert numbers(batch=2, multiple=3).batch == 3


def test_a_stream_that_cycles():
    stream = numbers(20, batch=6, name="labelled")
    at = [stream.at(step) for step in range(9)]
    assert [lap for _, lap in at] == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    for lap in range(3):
        positions = np.concatenate([index for index, _ in at[3 * lap : 3 * lap + 3]])
        assert len(set(positions)) == 18
    fresh = numbers(20, batch=6, name="labelled")  # as after a resume
    assert all(np.array_equal(fresh.at(step)[0], at[step][0]) for step in (7, 2, 8))


def test_too_large_a_batch_is_a_mistake():
    with pytest.raises(TacitError, match="A batch of 51 is larger than the 50 samples of numbers; give --batch 25 or less"):
        numbers(batch=51)


def test_labels_are_seen_by_labelled_streams_alone():
    with pytest.raises(TacitError, match="'few' needs labels and numbers has none"):
        numbers(name="few", labelled=True)
    index = np.array([4, 7, 1])
    assert numbers(labels=True).load(index, 0).labels is None
    assert numbers(labels=True, labelled=True).load(index, 0).labels.tolist() == [0, 1, 1]


def views_by_sample(stream, index, *arguments):
    batch = stream.load(np.array(index), *arguments)
    noise = batch.normal("x", 2)
    assert batch.index.tolist() == list(index)
    return {i: [view[row].tolist() for view in batch.views] + [noise[row].tolist()] for row, i in enumerate(index)}


def test_what_a_sample_looks_like_does_not_depend_on_its_batch():
    stream = numbers()
    together = views_by_sample(stream, [3, 40, 7, 1], 2)
    for index in ([7, 3], [1], [40, 1, 7]):
        assert views_by_sample(stream, index, 2) == {i: together[i] for i in index}
    assert views_by_sample(stream, [7], 3)[7][2] != together[7][2]  # another epoch, another look


@pytest.mark.parametrize("kind", [Pair(), Plain(), Neighbours()])
def test_nor_do_the_real_views_of_vectors(kind):
    facts = {"kind": "vector", "shape": [3], "mean": [0.0] * 3, "std": [1.0] * 3}
    views = modality("vector").fit(facts, noise=0.5, drop=0.3)
    stream = Stream("main", Source(Numbers(50), Program(kind, views), Program(Plain(), views)), 8, 1, CPU)
    whole = stream.load(np.arange(50), 1)
    some = stream.load(np.array([41, 5, 13]), 1)
    for all_rows, rows in zip(whole.views, some.views):
        torch.testing.assert_close(rows, all_rows[[41, 5, 13]])


def test_repeated_draws_of_a_sample_look_different():
    stream = numbers(5, batch=5, epoch_batches=4)
    assert views_by_sample(stream, [3], 0, 0)[3][2] != views_by_sample(stream, [3], 0, 1)[3][2]
    once = numbers(5, batch=5)
    assert views_by_sample(once, [3], 0, 0) == views_by_sample(once, [3], 0, 1)


def test_partners_are_keyed_by_their_anchor():
    stream = numbers()
    plan = Plan(partners=(torch.arange(50)[:, None] + torch.tensor([10, 20, 30])) % 50)

    def partners(index, epoch):
        return dict(zip(index, stream.load(np.array(index), epoch, 0, plan).views[1][:, 0].int().tolist()))

    every = partners(list(range(50)), 0)
    assert all((partner - anchor) % 50 in (10, 20, 30) for anchor, partner in every.items())
    assert len({(partner - anchor) % 50 for anchor, partner in every.items()}) == 3
    assert partners([9, 2, 33], 0) == {i: every[i] for i in (9, 2, 33)}
    assert partners(list(range(50)), 1) != every
    assert stream.load(np.array([4]), 0).views[1][0, 0] == 4  # without a plan everyone is its own


def test_reading_ahead_changes_nothing():
    stream = numbers()
    todo = [(index, place) for place, index in enumerate(stream.order(1))]
    for (index, place), batch in zip(todo, stream.ahead(todo, 1, None), strict=True):
        assert batch.index.tolist() == index.tolist()
        alone = stream.load(index, 1, place)
        assert batch.key == alone.key and all(torch.equal(a, b) for a, b in zip(batch.views, alone.views))
    assert list(stream.ahead([], 1, None)) == []


def test_all_samples_in_order_without_randomness():
    batches = list(numbers(20).batches(8))
    assert [batch.index.tolist() for batch in batches] == [list(range(8)), list(range(8, 16)), list(range(16, 20))]
    assert len({batch.key for batch in batches}) == 1
    assert all(b.index[0] > a.index[-1] for a, b in pairwise(batches))


def test_a_sample_that_is_gone_stops_with_a_sentence():
    stream = numbers(gone=[7])
    stream.load(np.array([6, 8]), 0)
    with pytest.raises(TacitError, match=r"7 could be read when training began and cannot be read now \(it is gone\)"):
        stream.load(np.array([6, 7]), 0)
    with pytest.raises(TacitError, match="cannot be read now"):
        list(stream.ahead([(np.array([1]), 0), (np.array([7]), 1)], 0, None))


def test_a_batch_that_rounding_made_too_large():
    with pytest.raises(TacitError, match=r"A batch of 4 is larger than the 3 samples .* one for each process and micro-batch"):
        numbers(3, batch=2, multiple=4)


def test_a_labelled_stream_is_not_told_of_an_option_that_does_not_reach_it():
    with pytest.raises(TacitError, match="the stream 'few' needs as many") as error:
        numbers(3, batch=4, labels=True, labelled=True, name="few")
    assert "--batch" not in str(error.value)


def test_positions_are_known_without_asking_the_device():
    index = np.array([3, 1])
    for batch in (numbers().load(index, 0), numbers().plain(index)):
        batch.index = None  # nothing asks for it
        assert batch.positions.tolist() == [3, 1]


def test_after_its_end_a_stream_reads_no_more_ahead():
    stream = numbers()
    list(stream.ahead([(np.arange(4), 0)], 0, None))
    stream.end()
    assert len(stream.plain(np.arange(4))) == 4
    with pytest.raises(RuntimeError):
        list(stream.ahead([(np.arange(4), 0)], 0, None))
