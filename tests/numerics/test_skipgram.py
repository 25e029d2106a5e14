import heapq

import numpy as np
import pytest

from tacit.numerics import counter
from tacit.numerics.skipgram import SHARE, edge_sampling, hierarchical_softmax, huffman, kept, negative_sampling, noise, started

KEY = np.uint64(5)


def word(number, block, which):
    """One 32-bit word of the counter."""
    return int(counter._block(KEY, number, block)[which])


def tables(n, d, rows=0):
    g = np.random.default_rng(0)
    return g.normal(size=(n, d)).astype(np.float32) * 0.3, g.normal(size=(rows or n, d)).astype(np.float32) * 0.3


def step(inputs, outputs, rows, targets, labels, rate):
    """All pairs of a window at once, as equation 4 of the paper has the gradient."""
    x, y = inputs[rows].astype(np.float64), outputs[targets].astype(np.float64)
    slope = rate * (np.asarray(labels) - 1 / (1 + np.exp(-x @ y.T)))
    np.add.at(inputs, rows, (slope @ y).astype(np.float32))
    np.add.at(outputs, targets, (slope.T @ x).astype(np.float32))


def windows(sentences, numbers, chance, window, blocks):
    """Each kept word with its place and window, by the counter."""
    for sentence, number in zip(sentences, numbers):
        places = [j for j, w in enumerate(sentence) if w >= 0 and word(number, j * blocks, 0) / 2**32 < chance[w]]
        for i, place in enumerate(places):
            radius = 1 + (word(number, place * blocks, 1) * window >> 32)
            around = [sentence[j] for j in places[max(i - radius, 0) : i] + places[i + 1 : i + radius + 1]]
            if around:
                yield number, place, sentence[place], around


SENTENCES = np.array([[0, 1, 2, 3, 4, 2, 1], [5, 5, 6, 0, -1, -1, -1], [7, -1, -1, -1, -1, -1, -1]], np.int32)
NUMBERS, RATES = np.array([3, 10**9, 8]), np.full(3, 0.05, np.float32)


@pytest.mark.parametrize("dim", [4, 33])
@pytest.mark.parametrize("negatives", [1, 4, 5])
def test_negative_sampling_equals_a_naive_loop(negatives, dim):
    """Pair by pair, each with the negatives of its group, all slopes of a group taken at the same tables."""
    inputs, outputs = tables(8, dim)
    slow = inputs.copy(), outputs.copy()
    table, chance = noise(np.arange(1, 9)), np.array([1, 1, 0.5, 1, 1, 0.7, 1, 1], np.float32)
    negative_sampling(inputs, outputs, SENTENCES, NUMBERS, RATES, table, chance, int(KEY), window=3, negatives=negatives)
    blocks = 1 + (negatives + 1) // 2
    for sentence, number in zip(SENTENCES, NUMBERS):
        places = [j for j, w in enumerate(sentence) if w >= 0 and word(number, j * blocks, 0) / 2**32 < chance[w]]
        for first in range(0, len(places), SHARE):
            group = range(first, min(first + SHARE, len(places)))
            centres, noisy = [sentence[places[i]] for i in group], []
            for k in range(negatives):
                draw, coin = (word(number, places[first] * blocks + 1 + k // 2, 2 * (k % 2) + w) for w in (0, 1))
                entry = draw * 8 >> 32
                noisy.append(entry if coin / 2**32 < table.keep[entry] else table.other[entry])
            noisy = [target for target in noisy if target not in centres]
            moves = [np.zeros_like(part, np.float64) for part in slow]
            for i in group:
                radius = 1 + (word(number, places[i] * blocks, 1) * 3 >> 32)
                for j in (*range(max(i - radius, 0), i), *range(i + 1, min(i + radius + 1, len(places)))):
                    row = sentence[places[j]]
                    for target, label in ((sentence[places[i]], 1), *((other, 0) for other in noisy)):
                        x, y = slow[0][row].astype(np.float64), slow[1][target].astype(np.float64)
                        slope = 0.05 * (label - 1 / (1 + np.exp(-x @ y)))
                        moves[0][row] += slope * y
                        moves[1][target] += slope * x
            for part, move in zip(slow, moves):
                part += move.astype(np.float32)
    np.testing.assert_allclose(inputs, slow[0], atol=2e-6)
    np.testing.assert_allclose(outputs, slow[1], atol=2e-6)


def test_hierarchical_softmax_equals_a_naive_loop():
    inputs, outputs = tables(8, 16, 7)
    slow = inputs.copy(), outputs.copy()
    tree, chance = huffman(np.array([9, 8, 5, 4, 3, 2, 2, 1])), np.ones(8, np.float32)
    hierarchical_softmax(inputs, outputs, SENTENCES, NUMBERS, RATES, tree, chance, int(KEY), window=3)
    for _, _, centre, around in windows(SENTENCES, NUMBERS, chance, 3, 1):
        path = slice(tree.indptr[centre], tree.indptr[centre + 1])
        step(*slow, around, tree.nodes[path], tree.labels[path], 0.05)
    np.testing.assert_allclose(inputs, slow[0], atol=2e-6)
    np.testing.assert_allclose(outputs, slow[1], atol=2e-6)


@pytest.mark.parametrize("order", [1, 2])
def test_edge_sampling_equals_a_naive_loop(order):
    vectors, contexts = tables(8, 16)
    slow = vectors.copy(), contexts.copy()
    edges, table = np.array([[0, 1], [2, 3], [1, 0]]), noise(np.arange(1, 9))
    edge_sampling(vectors, contexts if order == 2 else vectors, edges, NUMBERS, RATES, table, int(KEY), negatives=5)
    for (head, tail), number in zip(edges, NUMBERS):
        targets = [tail]
        for k in range(5):
            draw, coin = (word(number, k // 2, 2 * (k % 2) + w) for w in (0, 1))
            entry = draw * 8 >> 32
            targets.append(entry if coin / 2**32 < table.keep[entry] else table.other[entry])
        step(slow[0], slow[order - 1], [head], targets, [1, 0, 0, 0, 0, 0], 0.05)
    np.testing.assert_allclose(vectors, slow[0], atol=2e-6)
    np.testing.assert_allclose(contexts, slow[1], atol=2e-6)


def test_the_huffman_code_is_a_shortest_prefix_code():
    counts = np.random.default_rng(0).integers(1, 1000, 60)
    tree = huffman(counts)
    codes = [tuple(zip(tree.nodes[a:b], tree.labels[a:b])) for a, b in zip(tree.indptr, tree.indptr[1:])]
    assert {code[0][0] for code in codes} == {58}  # the root is the last inner node
    assert not [(a, b) for a in codes for b in codes if a is not b and a == b[: len(a)]]
    heap, shortest = counts.tolist(), 0
    heapq.heapify(heap)
    while len(heap) > 1:
        both = heapq.heappop(heap) + heapq.heappop(heap)
        shortest += both
        heapq.heappush(heap, both)
    assert (np.diff(tree.indptr) * counts).sum() == shortest
    with pytest.raises(ValueError, match="two words or more"):
        huffman(np.array([3]))


def test_frequent_words_are_kept_less_often():
    chance = kept(np.array([1, 10, 1000, 0]), 1e-2)
    assert chance[0] == chance[3] == 1 and chance[2] < chance[1] <= 1
    share = 1000 / 1011
    assert chance[2] == pytest.approx((np.sqrt(share / 1e-2) + 1) * 1e-2 / share)


def communities(pairs=3000, length=20):
    """Sentences that stay among even or among odd words."""
    g = np.random.default_rng(1)
    return (2 * g.integers(0, 20, (pairs, length)) + g.integers(0, 2, pairs)[:, None]).astype(np.int32)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("tree", [False, True])
def test_words_that_come_together_end_up_together(tree, threads):
    sentences = communities()
    numbers, rates = np.arange(len(sentences)), np.linspace(0.025, 1e-4, len(sentences), dtype=np.float32)
    counts, results = np.bincount(sentences.ravel()), []
    for _ in range(2):
        inputs, chance = started(40, 16, 3), np.ones(40, np.float32)
        given = sentences, numbers, rates
        if tree:
            outputs = np.zeros((39, 16), np.float32)
            hierarchical_softmax(inputs, outputs, *given, huffman(counts), chance, 5, window=5, threads=threads)
        else:
            outputs = np.zeros((40, 16), np.float32)
            negative_sampling(inputs, outputs, *given, noise(counts), chance, 5, window=5, negatives=5, threads=threads)
        results.append(inputs)
    unit = results[0] / np.linalg.norm(results[0], axis=1, keepdims=True)
    likeness = unit @ unit.T - 9 * np.eye(40)
    assert (likeness.argmax(1) % 2 == np.arange(40) % 2).all()
    if threads == 1:
        np.testing.assert_array_equal(*results)


def test_chunks_give_the_tables_of_the_whole():
    sentences = communities(200)
    numbers, rates, counts = np.arange(200), np.full(200, 0.025, np.float32), np.bincount(sentences.ravel())
    found = []
    for parts in (1, 7):
        inputs, outputs = started(40, 16, 3), np.zeros((40, 16), np.float32)
        for part in np.array_split(np.arange(200), parts):
            given = sentences[part], numbers[part], rates[part], noise(counts), np.ones(40, np.float32), 5
            negative_sampling(inputs, outputs, *given, window=5, negatives=5)
        found.append(inputs)
    np.testing.assert_array_equal(*found)
