"""Search by words and by vectors together."""

from typing import Any

from tacit.embeddings.read import Table, reading
from tacit.embeddings.search import Hit
from tacit.embeddings.write import EVER, changing
from tacit.errors import TacitError

FUSED = 100  # hits of each way that are fused
K = 60  # Cormack et al. 2009, section 2


def fused(table: Table, text: str, near: list[Hit], top: int, where: str = "") -> list[Hit]:
    """Hits by vector and hits by words (BM25 on the column of texts, LanceDB's index), best first by reciprocal ranks.

    Each way gives a row 1/(K + its rank), and a row's score is the sum (Cormack et al. 2009, "Reciprocal rank fusion
    outperforms Condorcet and individual rank learning methods"). The index of words is made with the first such search and
    brought up to date when rows were added. A table holds the beginning of each text, and words are found in that.
    """
    if table.provenance.kind != "text":
        raise TacitError(
            f"{table.path} holds {table.provenance.kind} and no texts, so there are no words to find; leave out --hybrid."
        )
    shown = ["id", "label", "path", "thumbnail", "text"]
    with reading(table.path):
        asked = _indexed(table).search(text, query_type="fts", fts_columns="text").select([*shown, "_score"])
        found = (asked.where(where) if where else asked).limit(FUSED).to_arrow().select(shown)
    worded = [Hit(score=0.0, **row) for row in found.to_pylist()]
    scores: dict[str, float] = {}
    for hits in (near, worded):
        for rank, hit in enumerate(hits, 1):
            scores[hit.id] = scores.get(hit.id, 0.0) + 1 / (K + rank)
    rows = {hit.id: hit for hit in [*worded, *near]}
    best = sorted(rows, key=lambda id: -scores[id])[:top]
    return [rows[id]._replace(score=scores[id]) for id in best]


def _indexed(table: Table) -> Any:
    """LanceDB's table with an index of words that knows all its rows."""
    from lancedb.index import FTS

    stats = [table.lance.index_stats(index.name) for index in table.lance.list_indices() if index.columns == ["text"]]
    if stats and not any(found is not None and found.num_unindexed_rows for found in stats):
        return table.lance
    with changing(table.path) as lance:
        if stats:
            lance.optimize(cleanup_older_than=EVER)
        else:
            lance.create_index("text", config=FTS())
    return lance
