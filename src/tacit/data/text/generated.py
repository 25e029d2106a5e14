"""Texts that code writes: topics that a bag of words does not tell, for checks."""

import numpy as np

from tacit.data.text.opening import from_strings
from tacit.data.text.samples import TextSamples
from tacit.numerics import counter

SYLLABLES = ("ka", "lo", "mi", "tu", "re", "so", "na", "vi", "do", "pe", "ba", "gu")


def topics(count: int, subjects: int = 8, words: int = 60, common: int = 400, length: int = 12, seed: int = 0) -> TextSamples:
    """Texts of `length` words in a random order: a third of the subject's own `words`, the others of the `common` ones.

    Common words are as rare as a subject's own, so which words matter must be learned from which occur together. A fifth of the
    texts is the test part.
    """
    draws = counter.uniform(counter.key(seed, "texts"), np.arange(count), 2 * length)
    subject = np.arange(count) % subjects
    own = common + subject[:, None] * words + (draws[:, :length] * words).astype(int)
    which = np.where(draws[:, length:].argsort(1) < length // 3, own, (draws[:, :length] * common).astype(int))
    samples = from_strings([" ".join(_word(int(number)) for number in row) for row in which], "generated topics")
    samples.labels, samples.classes = subject.astype(np.int64), tuple(f"subject {number}" for number in range(subjects))
    samples.splits = np.where(counter.uniform(counter.key(seed, "split"), np.arange(count), 1)[:, 0] < 0.2, "test", "train")
    return samples


def phrases(count: int, pairs: int = 24, length: int = 5, seed: int = 0) -> TextSamples:
    """Texts of `length` phrases of two words, of which the one tells the other."""
    chosen = (counter.uniform(counter.key(seed, "phrases"), np.arange(count), length) * pairs).astype(int)
    texts = [" ".join(f"{_word(2 * one)} {_word(2 * one + 1)}" for one in row) for row in chosen.tolist()]
    return from_strings(texts, "generated phrases")


def _word(number: int) -> str:
    """A word of three syllables, another for each number below 1728."""
    return "".join(SYLLABLES[number // 12**place % 12] for place in range(3))
