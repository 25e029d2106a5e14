"""nDCG, recall and BM25: by hand."""

import math

import numpy as np
import pytest

from tacit.evaluation.texts.finding import bm25, finding_numbers


def test_ndcg_of_grades_and_recall_by_hand():
    table = np.array([[0.9, 0.8, 0.7, 0.1], [0.1, 0.2, 0.2, 0.4], [1.0, 0.0, 0.0, 0.0]])
    relevant = np.array([[0, 1, 2], [0, 3, 1], [0, 0, 0], [1, 2, 1]])
    ndcg, recall = finding_numbers(lambda which: table[which], relevant, 4)
    first = (2 / math.log2(3) + 1 / math.log2(5)) / (2 + 1 / math.log2(3))
    second = 1 / math.log2(4)  # of equal scores the earlier document comes first
    assert ndcg.value == pytest.approx((first + second) / 2) and recall.value == 1.0
    assert ndcg.protocol["test"] == 2  # nobody asked the third


def test_bm25_is_that_of_a_naive_loop():
    documents = ["the cat sat", "The dog sat on the cat, the end", "birds fly", ""]
    queries = ["cat the the", "nothing known"]
    words = [text.lower().replace(",", "").split() for text in documents]
    mean = sum(map(len, words)) / 4
    naive = np.zeros((2, 4))
    for q, query in enumerate(queries):
        for word in query.split():
            n = sum(word in d for d in words)
            idf = math.log(1 + (4 - n + 0.5) / (n + 0.5))
            for d, own in enumerate(words):
                tf = own.count(word)
                naive[q, d] += idf * tf * 2.2 / (tf + 1.2 * (0.25 + 0.75 * len(own) / mean)) if tf else 0
    assert bm25(documents, queries)(np.arange(2)) == pytest.approx(naive)
