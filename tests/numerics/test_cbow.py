import numpy as np
import pytest

from tacit.numerics import counter
from tacit.numerics.cbow import FACTOR, sentence_means
from tacit.numerics.skipgram import kept, noise

KEY, BUCKETS, WORDS, DIM, RATE = np.uint64(5), 7, 9, 6, 0.3
SENTENCES = np.array(
    [[1, 2, 3, 4, 5, 3, 2], [6, 6, 7, 1, -1, -1, -1], [8, -1, -1, -1, -1, -1, -1], [9, 1, -1, -1, -1, -1, -1]], np.int32
)
NUMBERS = np.array([3, 10**9, 8, 5])


def tables():
    g = np.random.default_rng(0)
    inputs = g.normal(size=(1 + WORDS + BUCKETS, DIM)) * 0.3
    return inputs.astype(np.float32), (g.normal(size=(1 + WORDS, DIM)) * 0.3).astype(np.float32)


def official(inputs, outputs, line, i, targets, left_out, ngrams):
    """One word as FastText::sent2vec, Dictionary::addNgrams and Model::update treat it, in their order."""
    context = list(line)
    context[i] = 0
    rows = list(context)
    for a in range(len(context)):
        if a in left_out:
            continue
        h = context[a]
        for b in range(a + 1, min(len(context), a + ngrams)):
            if b in left_out:
                break
            h = h * FACTOR + context[b]
            rows.append(1 + WORDS + h % BUCKETS)
    hidden, gradient = inputs[rows].mean(0), np.zeros(DIM)
    before = outputs.copy()
    for target, label in targets:
        slope = RATE * (label - 1 / (1 + np.exp(-hidden @ before[target])))
        gradient += slope * before[target]
        outputs[target] += slope * hidden
    for row in rows:
        inputs[row] += gradient / len(rows)


@pytest.mark.parametrize("ngrams", [1, 2, 3])
@pytest.mark.parametrize("dropped", [0, 2, 5])
def test_it_equals_a_naive_loop_of_the_official_steps(ngrams, dropped):
    inputs, outputs = tables()
    slow = inputs.astype(float), outputs.astype(float)
    counts = np.array([0, 9, 8, 7, 6, 5, 4, 3, 2, 1])
    table, chance = noise(counts, 0.5), kept(counts, 0.1)
    how = {"ngrams": ngrams, "buckets": BUCKETS, "dropped": dropped, "negatives": 3}
    sentence_means(inputs, outputs, SENTENCES, NUMBERS, np.full(4, RATE, np.float32), table, chance, int(KEY), **how)
    blocks, told = 3 + (dropped + 3) // 4, 0
    for line, number in zip(SENTENCES, NUMBERS):
        line = [int(word) for word in line if word >= 0]
        for i, word in enumerate(line if len(line) > 1 else []):
            first = i * blocks

            def bits(block, place, number=number, first=first):
                return int(counter._block(KEY, number, first + block)[place])

            if bits(0, 0) / 2**32 >= chance[word]:
                continue
            drawn = []
            for k in range(3):
                entry, coin = bits(1 + k // 2, 2 * (k % 2)) * (1 + WORDS) >> 32, bits(1 + k // 2, 2 * (k % 2) + 1)
                drawn.append(entry if coin / 2**32 < table.keep[entry] else int(table.other[entry]))
            order = list(range(len(line)))
            for j in range(min(dropped, len(line) - 2)):
                other = j + (bits(3 + j // 4, j % 4) * (len(line) - j) >> 32)
                order[j], order[other] = order[other], order[j]
            left_out = set(order[: max(min(dropped, len(line) - 2), 0)])
            official(*slow, line, i, [(word, 1)] + [(one, 0) for one in drawn if one != word], left_out, ngrams)
            told += 1
    assert told > 5
    np.testing.assert_allclose(inputs, slow[0], atol=3e-6)
    np.testing.assert_allclose(outputs, slow[1], atol=3e-6)


def test_places_left_out_are_equally_likely():
    """Of a sentence of six places four are left out: what of three n-grams is never trained says how often."""
    inputs, outputs = np.zeros((1 + 6 + 1000, 2), np.float32), np.ones((7, 2), np.float32)
    sentences = np.tile(np.arange(1, 7, dtype=np.int32), (4000, 1))
    only = np.zeros(7, np.float32)
    only[6] = 1  # the last word is told, so four n-grams of those before it are always there, unless they are left out
    how = {"ngrams": 2, "buckets": 1000, "dropped": 4, "negatives": 0}
    table = noise(np.arange(7), 0.5)
    sentence_means(inputs, outputs, sentences, np.arange(4000), np.full(4000, 1e-3, np.float32), table, only, 1, **how)
    pairs = [inputs[7 + (a * FACTOR + a + 1) % 1000, 0] for a in range(1, 5)]
    assert min(pairs) > 0 and max(pairs) < 1.3 * min(pairs)


def test_more_threads_train_the_same_tables():
    inputs, outputs = tables()
    table, chance = noise(np.arange(10), 0.5), np.ones(10, np.float32)
    how = {"ngrams": 2, "buckets": BUCKETS, "dropped": 1, "negatives": 3, "threads": 2}
    before = inputs.copy()
    sentence_means(inputs, outputs, SENTENCES, NUMBERS, np.full(4, RATE, np.float32), table, chance, 5, **how)
    assert np.isfinite(inputs).all() and (inputs != before).any()
