"""How far apart two words are, for naming the nearest right one among very many."""

from collections.abc import Sequence

import numpy as np

LAST = 64  # characters that are looked at: of two paths the ends differ


def distances(word: str, others: Sequence[str]) -> np.ndarray:
    """Edit distances (Levenshtein 1966) from the end of a word to the ends of all others: int16, n.

    The table of the textbook, one line for each character of `word`, filled for all others at once. The step along a
    line is a running minimum: d[j] = min over i ≤ j of (c[i] + j − i), where c is what comes from the line above.
    """
    word = word[-LAST:]
    ends = np.array([other[-LAST:] for other in others])
    letters = np.ascontiguousarray(ends.view(np.uint32).reshape(len(ends), -1).T)  # longest × n, padded with 0
    steps = np.arange(len(letters) + 1, dtype=np.int16)[:, None]
    above = np.repeat(steps, len(ends), axis=1)
    for number, letter in enumerate(word, start=1):
        line = np.empty_like(above)
        line[0] = number
        line[1:] = np.minimum(above[1:] + 1, above[:-1] + (letters != ord(letter)))
        above = np.minimum.accumulate(line - steps, axis=0) + steps
    return above[np.strings.str_len(ends), np.arange(len(ends))]
