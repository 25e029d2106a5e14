import numpy as np

from tacit.embeddings.spelling import LAST, distances


def textbook(a: str, b: str) -> int:
    above = list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        line = [i]
        for j, y in enumerate(b, start=1):
            line.append(min(above[j] + 1, line[j - 1] + 1, above[j - 1] + (x != y)))
        above = line
    return above[-1]


def test_equals_the_textbook():
    random = np.random.default_rng(0)
    words = ["".join(random.choice(list("abcé"), random.integers(0, 9))) for _ in range(60)]
    for word in words[:20]:
        assert distances(word, words).tolist() == [textbook(word, other) for other in words]


def test_known_case_and_only_ends():
    assert distances("kitten", ["sitting", "kitten", ""]).tolist() == [3, 0, 6]
    assert distances("a" * LAST, ["b" * 9 + "a" * LAST]).tolist() == [0]
    assert distances("", ["", ""]).tolist() == [0, 0]
