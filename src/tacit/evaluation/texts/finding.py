"""Whether queries find the documents that people found relevant, and BM25, which is to be beaten at it."""

import re
from collections.abc import Callable, Sequence

import numpy as np
import scipy.sparse as sparse

from tacit.evaluation.intervals import bootstrap
from tacit.evaluation.number import Number

FIRST, WIDE = 10, 100  # places that nDCG and recall look at
TILE = 256  # queries compared together
WORD = re.compile(r"\w+")

Scores = Callable[[np.ndarray], np.ndarray]  # of queries -> len(queries) × documents, larger is better


def finding_numbers(scores: Scores, relevant: np.ndarray, documents: int) -> list[Number]:
    """nDCG at 10 and recall at 100 over the queries that have a relevant document.

    relevant: int64, judgements × 3: query, document, grade. Gain is the grade and the discount log₂(place + 1) (Järvelin and
    Kekäläinen 2002, as in trec_eval); recall is the share of the documents of a grade above 0 that are among the first 100.
    Of equal scores the earlier document comes first.
    """
    good = relevant[relevant[:, 2] > 0]
    queries, row = np.unique(good[:, 0], return_inverse=True)
    grades = sparse.csr_array((good[:, 2].astype(float), (row, good[:, 1])), shape=(len(queries), documents))
    discount = 1 / np.log2(np.arange(2, FIRST + 2))
    gains, recalls = [], []
    for start in range(0, len(queries), TILE):
        some = slice(start, start + TILE)
        order = np.argsort(-scores(queries[some]), axis=1, kind="stable")[:, :WIDE]
        grade = grades[some].toarray()
        found = np.take_along_axis(grade, order, 1)
        best = -np.sort(-grade, axis=1)[:, :FIRST]
        gains.append((found[:, :FIRST] @ discount[: found.shape[1]]) / (best @ discount[: best.shape[1]]))
        recalls.append((found > 0).sum(1) / (grade > 0).sum(1))
    told = {"test": len(queries), "ranked": f"among {documents:,} documents", "interval": "bootstrap over queries, 95 %"}
    each = {"ndcg_at_10": np.concatenate(gains), "recall_at_100": np.concatenate(recalls)}
    return [Number(name, float(values.mean()), *bootstrap(values, name), told) for name, values in each.items()]


def bm25(documents: Sequence[str], queries: Sequence[str], k1: float = 1.2, b: float = 0.75) -> Scores:
    """Okapi BM25 (Robertson and Zaragoza 2009, "The probabilistic relevance framework", equation 3.15) of lower-case words.

    The inverse document frequency is Lucene's, log(1 + (N − n + ½) / (n + ½)), which is never negative.
    """
    vocabulary: dict[str, int] = {}
    counts = _counted(documents, vocabulary)
    asked = _counted(queries, vocabulary, grow=False)
    asked.resize(len(queries), len(vocabulary))
    length = counts.sum(1)
    often = (counts > 0).sum(0)
    idf = np.log1p((len(documents) - often + 0.5) / (often + 0.5))
    weights = counts.tocoo()
    saturated = weights.data * (k1 + 1) / (weights.data + k1 * (1 - b + b * length[weights.row] / length.mean()))
    table = sparse.csr_array((saturated * idf[weights.col], (weights.row, weights.col)), shape=counts.shape).T.tocsr()
    return lambda which: (asked[which] @ table).toarray()


def _counted(texts: Sequence[str], vocabulary: dict[str, int], grow: bool = True) -> sparse.csr_array:
    """How often each word of the vocabulary stands in each text; `grow`: new words join it."""
    rows, columns = [], []
    for number, text in enumerate(texts):
        for word in WORD.findall(text.lower()):
            place = vocabulary.setdefault(word, len(vocabulary)) if grow else vocabulary.get(word, -1)
            if place >= 0:
                rows.append(number)
                columns.append(place)
    ones = np.ones(len(rows))
    return sparse.csr_array(sparse.coo_array((ones, (rows, columns)), shape=(len(texts), max(len(vocabulary), 1))))
