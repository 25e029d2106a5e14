"""Difference hashes: by value on small pictures, and the greedy choice against a naive loop."""

from io import BytesIO

import numpy as np
from PIL import Image

from tacit.curation.hashes import difference_hashes, hashes_of, unlike


def png(pixels):
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def bits(word):
    return bin(int(word)).count("1")


def test_a_picture_that_grows_lighter_has_all_bits_and_its_mirror_none():
    slope = np.tile(np.arange(9, dtype=np.uint8) * 20, (8, 1))
    up, down, flat = difference_hashes(np.stack([slope, slope[:, ::-1], np.zeros_like(slope)]))
    assert up == np.uint64(2**64 - 1) and down == 0 and flat == 0


def test_one_place_that_is_lighter_is_one_bit_more():
    small = np.full((2, 8, 9), 100, np.uint8)
    small[1, 3, 8] = 200
    first, second = difference_hashes(small)
    assert bits(first ^ second) == 1


def test_what_is_no_picture_is_said_to_be_none():
    picture = np.random.default_rng(0).integers(0, 255, (32, 32, 3), dtype=np.uint8)
    lighter = (picture // 2 + 60).astype(np.uint8)
    found, known = hashes_of([png(picture), None, b"no picture", png(lighter)])
    assert known.tolist() == [True, False, False, True]
    assert bits(found[0] ^ found[3]) <= 3


def test_the_choice_is_that_of_a_naive_loop():
    draw = np.random.default_rng(0)
    groups = draw.integers(0, 4, 300)
    hashes = np.array(
        [int(draw.integers(0, 8)) * 0x0101010101010101 ^ 1 << int(draw.integers(0, 63)) for _ in groups], np.uint64
    )
    of, differ = unlike(hashes, groups, 6)
    kept = {}
    for i in range(len(hashes)):
        near = [(bits(hashes[i] ^ hashes[j]), j) for j in kept.setdefault(groups[i], [])]
        best = min((pair for pair in near if pair[0] <= 6), default=None)
        assert (of[i], differ[i]) == ((-1, 0) if best is None else (best[1], best[0]))
        if best is None:
            kept[groups[i]].append(i)
    assert 0 < (of >= 0).sum() < len(of)


def test_groups_are_kept_apart():
    hashes = np.zeros(4, np.uint64)
    assert unlike(hashes, np.array([0, 1, 0, 1]), 0)[0].tolist() == [-1, -1, 0, 1]
