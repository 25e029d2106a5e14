"""A word told from the mean of its sentence: words and hashed n-grams, by negative sampling (sent2vec)."""

import numba
import numpy as np

from tacit.numerics.alias import Alias
from tacit.numerics.counter import _block
from tacit.numerics.skipgram import FAST, _noisy, _spread, _step, _work

FACTOR = 116049371  # by which fastText's hash of an n-gram is multiplied for each further word
_32 = np.uint64(32)


def sentence_means(
    inputs: np.ndarray,
    outputs: np.ndarray,
    sentences: np.ndarray,
    numbers: np.ndarray,
    rates: np.ndarray,
    noise: Alias,
    kept: np.ndarray,
    key: int,
    *,
    ngrams: int,
    buckets: int,
    dropped: int,
    negatives: int,
    threads: int = 1,
) -> None:
    """Each kept word of a sentence is told from the mean of what is around it (Pagliardini et al. 2018, equation 6), in place.

    inputs    float32, words + 1 + buckets × d: row 0 stands for the word that is told, then words, then hashed n-grams
    outputs   float32, words + 1 × d; row 0 is of no word
    sentences, numbers, rates, noise, kept  as of `skipgram.negative_sampling`, words counted from 1
    ngrams    the most words of an n-gram
    dropped   places without n-grams for each word that is told; two places at least keep theirs

    Differs from sent2vec: a negative that is the word itself is left out and not drawn again, all of them are trained at once,
    and the hash does not overflow, so that n-grams of three words and more lie in other buckets.
    """
    rest = (inputs, outputs, kept, *noise, np.uint64(key), ngrams, buckets, dropped, negatives)
    _spread(_means, threads, sentences, numbers, rates, rest)


@numba.njit(cache=True, nogil=True)
def _without(key, number, block, size, dropped, order, out):
    """Which of `size` places are left out of n-grams: `dropped` of them, but at most all but two."""
    out[:size] = False
    for i in range(size):
        order[i] = i
    for i in range(min(dropped, size - 2)):
        bits = _block(key, number, block + i // 4)[i % 4]
        other = i + np.int64((bits * np.uint64(size - i)) >> _32)
        order[i], order[other] = order[other], order[i]
        out[order[i]] = True


@numba.njit(cache=True, nogil=True)
def _context(words, size, ngrams, first, buckets, out, rows):
    """The rows of words and of the n-grams that touch no place left out; how many."""
    rows[:size] = words[:size]
    count = size
    for i in range(size):
        hashed = words[i]
        for j in range(i, min(i + ngrams, size)):
            if out[j]:
                break
            if j > i:
                hashed = (hashed * FACTOR + words[j]) % buckets
                rows[count] = first + hashed
                count += 1
    return count


@numba.njit(cache=True, nogil=True, fastmath=FAST)
def _mean(inputs, rows, count, middle):
    """middle ← the mean of so many rows."""
    middle[:] = 0
    for c in range(count):
        row = rows[c]
        for j in range(len(middle)):
            middle[j] += inputs[row, j]
    for j in range(len(middle)):
        middle[j] /= np.float32(count)


@numba.njit(cache=True, nogil=True, fastmath=FAST)
def _spent(inputs, rows, count, moved, middle):
    """Every row moves as far as the mean did, divided by how many there are."""
    for j in range(len(middle)):
        middle[j] = (moved[j] - middle[j]) / np.float32(count)
    for c in range(count):
        row = rows[c]
        for j in range(len(middle)):
            inputs[row, j] += middle[j]


@numba.njit(cache=True, nogil=True)
def _means(sentences, numbers, rates, inputs, outputs, kept, keep, other, key, ngrams, buckets, dropped, negatives):
    longest, dim = sentences.shape[1], inputs.shape[1]
    words, order, out = np.empty(longest, np.int64), np.empty(longest, np.int64), np.empty(longest, np.bool_)
    rows, targets, alone = np.empty(longest * ngrams, np.int64), np.empty(negatives + 5, np.int64), np.zeros(4, np.int64)
    labels, work = np.zeros(negatives + 1, np.float32), _work(1, negatives + 1, dim)
    middle, moved = np.empty(dim, np.float32), np.empty((1, dim), np.float32)
    labels[0] = 1
    noisy = 1 + (negatives + 1) // 2  # blocks of the counter: a coin, negatives, places left out
    blocks = noisy + (dropped + 3) // 4
    for s in range(len(sentences)):
        size = 0
        while size < longest and sentences[s, size] >= 0:
            words[size] = sentences[s, size]
            size += 1
        for i in range(size if size > 1 else 0):
            word, block = words[i], i * blocks
            if _block(key, numbers[s], block)[0] * 2.0**-32 >= kept[word]:
                continue
            words[i] = 0
            _without(key, numbers[s], block + noisy, size, dropped, order, out)
            count = _context(words, size, ngrams, len(outputs), buckets, out, rows)
            words[i] = word
            _mean(inputs, rows, count, middle)
            moved[0] = middle
            targets[0] = word
            long = _noisy(keep, other, key, numbers[s], block + 1, negatives, 1, 1, targets)
            _step(moved, outputs, alone, 1, targets, labels, long, rates[s], work)
            _spent(inputs, rows, count, moved[0], middle)
