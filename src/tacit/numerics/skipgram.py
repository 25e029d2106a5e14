"""Skip-gram over walks or sentences, by negative sampling or hierarchical softmax; and what LINE trains, over edges.

Tables are changed in place. What a sentence draws is a pure function of (key, its number), so one thread gives the same tables
every time. More threads train the same tables without locks (Niu et al., Hogwild, NeurIPS 2011), and no two runs are alike.
"""

import heapq
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numba
import numpy as np

from tacit.numerics.alias import Alias, alias
from tacit.numerics.counter import _block, uniform

FAST = {"reassoc", "contract", "nsz", "arcp"}  # sums may be reordered; infinities and NaN stay what they are
_32 = np.uint64(32)
SHARE = 6  # words that follow one another and share their negatives


class Tree(NamedTuple):
    """The Huffman path of each word: rows of inner nodes from the root down, and at each the label to be predicted."""

    indptr: np.ndarray  # int64, words + 1
    nodes: np.ndarray  # int32: which of the words − 1 inner nodes
    labels: np.ndarray  # float32: 1 for one child, 0 for the other


def huffman(counts: np.ndarray) -> Tree:
    """The code that is shortest on average for words that come `counts` times; for two words or more."""
    n = len(counts)
    if n < 2:
        raise ValueError(f"a Huffman tree needs two words or more, got {n}")
    parent, bit = np.zeros(2 * n - 1, np.int64), np.zeros(2 * n - 1, np.float32)
    heap = [(int(count), word) for word, count in enumerate(counts)]
    heapq.heapify(heap)
    for inner in range(n, 2 * n - 1):
        (few, a), (more, b) = heapq.heappop(heap), heapq.heappop(heap)
        parent[a] = parent[b] = inner
        bit[a] = 1
        heapq.heappush(heap, (few + more, inner))
    return Tree(*_paths(parent, bit, n))


def noise(counts: np.ndarray, power: float = 0.75) -> Alias:
    """The table from which negatives are drawn: in proportion to counts^power."""
    return alias(np.asarray(counts, np.float64) ** power)


def kept(counts: np.ndarray, threshold: float = 1e-3) -> np.ndarray:
    """The chance that an occurrence of each word is kept: float32.

    (√(f / t) + 1) t / f for a word of frequency f, as word2vec's code has it, and not √(t / f) as its paper.
    """
    share = np.maximum(counts, 1) / np.sum(counts) / threshold
    return np.minimum((np.sqrt(share) + 1) / share, 1).astype(np.float32)


def started(n: int, dim: int, key: int) -> np.ndarray:
    """Vectors before training, as in word2vec: uniform in ±1 / (2 dim), float32, n × dim."""
    return (uniform(key, np.arange(n), dim) - np.float32(0.5)) / np.float32(dim)


def negative_sampling(
    inputs: np.ndarray,
    outputs: np.ndarray,
    sentences: np.ndarray,
    numbers: np.ndarray,
    rates: np.ndarray,
    noise: Alias,
    kept: np.ndarray,
    key: int,
    *,
    window: int,
    negatives: int,
    threads: int = 1,
) -> None:
    """Skip-gram with negative sampling (Mikolov et al. 2013, equation 4), in place.

    inputs, outputs  float32, words × d
    sentences        int32, m × length, −1 after the end of each
    numbers, rates   of each sentence: what it is drawn by, int64, and its learning rate, float32
    kept             float32, words: the chance that an occurrence is kept (`kept`)
    window           the most words to each side; the radius is drawn from 1…window for each word

    Differs from word2vec: negatives are drawn once for all pairs of the windows of SHARE words that follow one another, and
    these pairs are trained at once (after Ji et al. 2016, arXiv:1604.04661, who share them within a window), not one after
    another; a pair has as many negatives as there. The sigmoid is not taken for 0 or 1 beyond ±6.
    """
    drawn = np.uint64(key), window, negatives
    _spread(_negative, threads, sentences, numbers, rates, (inputs, outputs, kept, *noise, *drawn))


def hierarchical_softmax(
    inputs: np.ndarray,
    outputs: np.ndarray,
    sentences: np.ndarray,
    numbers: np.ndarray,
    rates: np.ndarray,
    tree: Tree,
    kept: np.ndarray,
    key: int,
    *,
    window: int,
    threads: int = 1,
) -> None:
    """Skip-gram by a Huffman tree (Mikolov et al. 2013, section 2.1); `outputs` is words − 1 × d, the rest as above."""
    _spread(_hierarchical, threads, sentences, numbers, rates, (inputs, outputs, kept, *tree, np.uint64(key), window))


def edge_sampling(
    inputs: np.ndarray,
    outputs: np.ndarray,
    edges: np.ndarray,
    numbers: np.ndarray,
    rates: np.ndarray,
    noise: Alias,
    key: int,
    *,
    negatives: int,
    threads: int = 1,
) -> None:
    """LINE (Tang et al. 2015, equation 7): the end of each edge told from `negatives` drawn nodes, in place.

    `edges` is m × 2; with outputs = inputs it is proximity of the first order. A negative may be the true end, as in its code.
    """
    _spread(_edges, threads, edges, numbers, rates, (inputs, outputs, *noise, np.uint64(key), negatives))


def _spread(kernel, threads: int, rows: np.ndarray, numbers: np.ndarray, rates: np.ndarray, rest: tuple) -> None:
    """The kernel over all rows, or over as many parts of them as there are threads, at once."""
    whole = np.asarray(rows, np.int32), np.asarray(numbers, np.int64), np.asarray(rates, np.float32)
    if threads == 1:
        kernel(*whole, *rest)
        return
    parts = zip(*(np.array_split(each, threads) for each in whole))
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda part: kernel(*part, *rest), parts))


@numba.njit(cache=True)
def _paths(parent, bit, n):
    root = len(parent) - 1
    indptr = np.zeros(n + 1, np.int64)
    for word in range(n):
        at = word
        while at != root:
            at = parent[at]
            indptr[word + 1] += 1
        indptr[word + 1] += indptr[word]
    nodes, labels = np.empty(indptr[n], np.int32), np.empty(indptr[n], np.float32)
    for word in range(n):
        at = word
        for place in range(indptr[word + 1] - 1, indptr[word] - 1, -1):
            labels[place], nodes[place] = bit[at], parent[at] - n
            at = parent[at]
    return indptr, nodes, labels


@numba.njit(cache=True, nogil=True, fastmath=FAST, inline="always")
def _add_four(to, row, y, at, start, by, first, stride):
    """to[row] += four rows of y, named by at[start:], times `by`: one is written while four are read, since writing costs."""
    a, b, c, d = at[start], at[start + 1], at[start + 2], at[start + 3]
    p, q, r, s = by[first], by[first + stride], by[first + 2 * stride], by[first + 3 * stride]
    for j in range(to.shape[1]):
        to[row, j] += p * y[a, j] + q * y[b, j] + r * y[c, j] + s * y[d, j]


@numba.njit(cache=True, nogil=True, fastmath=FAST, inline="always")
def _sigmoid(x, size, bits, power):
    """x[:size] ← 1 / (1 + exp(−x)), to about 1e−6. 2^t is 2^⌊t⌋, made of bits, times a polynomial: this is vectorised."""
    for i in range(size):
        t = min(max(x[i] * np.float32(-1.442695041), np.float32(-126)), np.float32(126))
        whole = np.floor(t)
        f = t - whole
        bits[i] = (np.int32(whole) + np.int32(127)) << np.int32(23)
        x[i] = np.float32(1) + f * (
            np.float32(0.69314698)
            + f
            * (
                np.float32(0.24022982)
                + f * (np.float32(0.05550540) + f * (np.float32(0.00967884) + f * np.float32(0.00143918)))
            )
        )
    for i in range(size):
        x[i] = np.float32(1) / (np.float32(1) + power[i] * x[i])


@numba.njit(cache=True, nogil=True, fastmath=FAST)
def _likelihoods(inputs, outputs, rows, wide, targets, long, work):
    """σ(x · y) of `wide` rows of the inputs and `long` targets, into work; the places of a row, a multiple of four.

    rows and targets have three places more than are used.
    """
    slopes, bits, power, _ = work
    for i in range(3):
        rows[wide + i], targets[long + i] = rows[0], targets[0]
    across = (long + 3) // 4 * 4
    for c in range(wide):
        for k in range(0, long, 2):  # two targets at a time, so that a row of the inputs is read half as often
            row, a, b = rows[c], targets[k], targets[k + 1]
            p = q = np.float32(0)
            for j in range(inputs.shape[1]):
                p += inputs[row, j] * outputs[a, j]
                q += inputs[row, j] * outputs[b, j]
            slopes[c * across + k], slopes[c * across + k + 1] = p, q
    _sigmoid(slopes, wide * across, bits, power)
    return across


@numba.njit(cache=True, nogil=True, fastmath=FAST)
def _ascend(inputs, outputs, rows, wide, targets, long, work):
    """Add to each row the targets times the slopes in work, and to each target the rows.

    The gradients of a window's pairs are taken at the same tables and added up (Ji et al. 2016, arXiv:1604.04661), so that
    each row of a table is written once for a window.
    """
    slopes, _, _, moves = work
    across = (long + 3) // 4 * 4
    size = wide * across
    for c in range(wide):
        slopes[c * across + long : (c + 1) * across] = 0
    slopes[size : size + 3 * across] = 0
    moves[:long] = 0
    for c in range(0, wide, 4):
        for k in range(long):
            _add_four(moves, k, inputs, rows, c, slopes, c * across + k, across)
    for c in range(wide):
        for k in range(0, long, 4):
            _add_four(inputs, rows[c], outputs, targets, k, slopes, c * across + k, 1)
    for k in range(long):
        for j in range(moves.shape[1]):
            outputs[targets[k], j] += moves[k, j]


@numba.njit(cache=True, nogil=True, fastmath=FAST)
def _step(inputs, outputs, rows, wide, targets, labels, long, rate, work):
    """One step of ascent for all pairs of `wide` rows of the inputs and `long` targets at once, each target with its label."""
    slopes = work[0]
    across = _likelihoods(inputs, outputs, rows, wide, targets, long, work)
    for c in range(wide):
        for k in range(long):
            slopes[c * across + k] = (labels[k] - slopes[c * across + k]) * rate
    _ascend(inputs, outputs, rows, wide, targets, long, work)


@numba.njit(cache=True, nogil=True)
def _work(wide, long, dim):
    """What `_step` works in: for so many rows and targets."""
    size = (wide + 4) * (long + 4)
    bits = np.empty(size, np.int32)
    return np.empty(size, np.float32), bits, bits.view(np.float32), np.empty((long, dim), np.float32)


@numba.njit(cache=True, nogil=True)
def _sentence(sentence, number, kept, key, blocks, words, places):
    """The words of a sentence that are kept, and their places in it; how many. A place has `blocks` blocks of the counter."""
    size = 0
    for place in range(len(sentence)):
        word = sentence[place]
        if word < 0:
            break
        if _block(key, number, place * blocks)[0] * 2.0**-32 < kept[word]:
            words[size], places[size] = word, place
            size += 1
    return size


@numba.njit(cache=True, nogil=True)
def _drawn(keep, other, word, coin):
    """An entry of an alias table of one row."""
    entry = np.int64((word * np.uint64(len(keep))) >> _32)
    return entry if coin * 2.0**-32 < keep[entry] else np.int64(other[entry])


@numba.njit(cache=True, nogil=True)
def _noisy(keep, other, key, number, block, negatives, true, apart, targets):
    """Draw negatives behind `true` targets, two from a block of the counter, leaving out the first `apart`; how many then."""
    count = true
    for k in range(negatives):
        bits = _block(key, number, block + k // 2)
        target = _drawn(keep, other, bits[2 * (k % 2)], bits[2 * (k % 2) + 1])
        targets[count] = target
        count += 1
        for i in range(apart):
            if targets[i] == target:
                count -= 1
                break
    return count


@numba.njit(cache=True, nogil=True)
def _window(words, i, size, window, bits, rows):
    """The words around the i-th, within a radius drawn from 1…window, into rows; how many."""
    radius = 1 + np.int64((bits * np.uint64(window)) >> _32)
    count = 0
    for j in range(max(i - radius, 0), min(i + radius + 1, size)):
        rows[count] = words[j]
        count += j != i
    return count


@numba.njit(cache=True, nogil=True, fastmath=FAST)
def _negative(sentences, numbers, rates, inputs, outputs, kept, keep, other, key, window, negatives):
    """SHARE centres that follow one another share their negatives and are trained at once."""
    words, places = np.empty((2, sentences.shape[1]), np.int64)
    rows, targets = np.empty(2 * window + SHARE + 3, np.int64), np.empty(SHARE + negatives + 4, np.int64)
    radius, times = np.empty(SHARE, np.int64), np.empty(2 * window + SHARE, np.float32)
    work = _work(2 * window + SHARE, SHARE + negatives, inputs.shape[1])
    slopes, blocks = work[0], 1 + (negatives + 1) // 2
    for s in range(len(sentences)):
        size = _sentence(sentences[s], numbers[s], kept, key, blocks, words, places)
        for first in range(0, size, SHARE):
            many = min(SHARE, size - first)
            low, high = size, 0
            for i in range(many):
                bits = _block(key, numbers[s], places[first + i] * blocks)[1]
                radius[i] = 1 + np.int64((bits * np.uint64(window)) >> _32)
                targets[i] = words[first + i]
                low, high = min(low, max(first + i - radius[i], 0)), max(high, min(first + i + radius[i] + 1, size))
            wide = high - low
            if wide < 2:
                continue
            rows[:wide] = words[low:high]
            long = _noisy(keep, other, key, numbers[s], places[first] * blocks + 1, negatives, many, many, targets)
            across = _likelihoods(inputs, outputs, rows, wide, targets, long, work)
            times[:wide] = 0
            for c in range(wide):
                for i in range(many):
                    away = abs(low + c - first - i)
                    paired = np.float32(0 < away <= radius[i])
                    slopes[c * across + i] = paired * rates[s] * (np.float32(1) - slopes[c * across + i])
                    times[c] += paired
                for k in range(many, long):
                    slopes[c * across + k] *= -times[c] * rates[s]
            _ascend(inputs, outputs, rows, wide, targets, long, work)


@numba.njit(cache=True, nogil=True)
def _hierarchical(sentences, numbers, rates, inputs, outputs, kept, indptr, nodes, labels, key, window):
    words, places = np.empty((2, sentences.shape[1]), np.int64)
    deepest = np.diff(indptr).max()
    rows, targets = np.empty(2 * window + 4, np.int64), np.empty(deepest + 4, np.int64)
    work = _work(2 * window, deepest, inputs.shape[1])
    for s in range(len(sentences)):
        size = _sentence(sentences[s], numbers[s], kept, key, 1, words, places)
        for i in range(size):
            wide = _window(words, i, size, window, _block(key, numbers[s], places[i])[1], rows)
            if wide:
                first, long = indptr[words[i]], indptr[words[i] + 1] - indptr[words[i]]
                targets[:long] = nodes[first : first + long]
                _step(inputs, outputs, rows, wide, targets, labels[first : first + long], long, rates[s], work)


@numba.njit(cache=True, nogil=True)
def _edges(edges, numbers, rates, inputs, outputs, keep, other, key, negatives):
    rows, targets = np.empty(4, np.int64), np.empty(negatives + 5, np.int64)
    labels, work = np.zeros(negatives + 1, np.float32), _work(1, negatives + 1, inputs.shape[1])
    labels[0] = 1
    for s in range(len(edges)):
        rows[0], targets[0] = edges[s, 0], edges[s, 1]
        long = _noisy(keep, other, key, numbers[s], 0, negatives, 1, 0, targets)
        _step(inputs, outputs, rows, 1, targets, labels, long, rates[s], work)
