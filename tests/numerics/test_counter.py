"""Randomness by counter: the published known answers, and that a draw belongs to its row alone."""

import numpy as np
import pytest

from tacit.numerics import counter

# Philox4x32-10: counter words, key words, answer (Salmon et al., Random123, kat_vectors)
KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("words", "key", "answer"), KNOWN)
def test_the_bits_are_philox(words, key, answer):
    drawn = counter._philox(*(np.uint64(word) for word in (*key, *words)))
    assert tuple(int(word) for word in drawn) == answer


def test_uniform_is_made_of_those_bits():
    drawn = counter.uniform(0, np.array([0]), 4)[0]
    assert drawn.tolist() == [np.float32((word >> 8) * 2.0**-24) for word in KNOWN[0][2]]


def test_a_block_is_the_generator_at_its_key_row_and_number():
    """Columns 4…7 of row r under key k: counter words (1, 0, low r, high r), key words (low k, high k)."""
    key, row = 0x0123456789ABCDEF, 0x1_0000_0005
    words = counter._philox(*(np.uint64(w) for w in (0x89ABCDEF, 0x01234567, 1, 0, 5, 1)))
    expected = [np.float32((int(word) >> 8) * 2.0**-24) for word in words]
    assert counter.uniform(key, np.array([row]), 8)[0, 4:].tolist() == expected


@pytest.mark.parametrize("draw", [counter.uniform, counter.normal])
def test_a_row_is_its_own(draw):
    rows = np.array([5, 0, 9, 5, 2**40])
    drawn = draw(123, rows, 7)
    assert drawn.shape == (5, 7) and drawn.dtype == np.float32
    assert np.array_equal(drawn[0], drawn[3]) and not np.array_equal(drawn[0], drawn[1])
    assert np.array_equal(draw(123, rows[::-1], 7), drawn[::-1])
    assert np.array_equal(draw(123, rows[2:3], 5), drawn[2:3, :5])  # more columns change no earlier one
    assert not np.array_equal(draw(124, rows, 7), drawn)
    assert draw(123, rows[:0], 7).shape == (0, 7)


def test_moments():
    uniform, normal = counter.uniform(1, np.arange(20_000), 10), counter.normal(1, np.arange(20_000), 10)
    assert uniform.min() >= 0 and uniform.max() < 1
    assert abs(uniform.mean() - 0.5) < 0.003 and abs(uniform.var() - 1 / 12) < 0.001
    assert abs(normal.mean()) < 0.01 and abs(normal.var() - 1) < 0.015
    assert abs((normal**3).mean()) < 0.03 and abs((normal**4).mean() - 3) < 0.1
    for drawn in (uniform, normal):
        between = np.corrcoef(drawn.T) - np.eye(10)
        assert abs(between).max() < 0.04
        assert abs(np.corrcoef(drawn[:-1, 0], drawn[1:, 0])[0, 1]) < 0.04


def test_permutation():
    order = counter.permutation(7, 1000)
    assert np.array_equal(np.sort(order), np.arange(1000))
    assert np.array_equal(order, counter.permutation(7, 1000)) and not np.array_equal(order, counter.permutation(8, 1000))
    first = np.array([counter.permutation(key, 5)[0] for key in range(2000)])
    assert abs(np.bincount(first, minlength=5) - 400).max() < 90


def test_keys():
    assert counter.key(1, "main", 2) == counter.key(1, "main", 2)
    keys = {counter.key(*parts) for parts in ((1, 2), (2, 1), (12,), ("1", 2), (1, "2"), ())}
    assert len(keys) == 6 and all(0 <= key < 2**64 for key in keys)
