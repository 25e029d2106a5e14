"""Nearest centroids and nearest neighbours beside faiss and scikit-learn: `python benchmarks/search.py`.

    OMP_NUM_THREADS=2 python benchmarks/search.py              # all that is missing
    OMP_NUM_THREADS=2 python benchmarks/search.py --row k-means --again

All take turns in one process and begin k-means at the same centroids. The rules: k-means of 200 000 rows of 384 dimensions,
1024 centroids and 10 rounds 3 times faiss and scikit-learn, inertia at most 0.1 % above theirs; 1000 exact queries of as many
rows 1.7 times faiss' flat index, recall at least 0.999; late interaction of 8 questions of 32 tokens with 10 000 documents of
128, 128 numbers each, 4 times PyLate's way, and twice that again of documents pooled by 2 (whose nDCG the claim `token_pooling`
holds).
"""

import warnings
from functools import partial
from typing import Any

import faiss
import numpy as np
import sklearn
import torch
from rows import Measure, Row, main, products, turns
from sklearn.cluster import KMeans
from torch import Tensor

from tacit.method import Ragged
from tacit.numerics import kmeans, topk
from tacit.numerics.tiling import nearest_one
from tacit.retrieval import late_interaction, token_pooling

ROWS, D, K, ROUNDS, NEIGHBOURS = 200_000, 384, 1024, 10, 10


def spread() -> Tensor:
    """Rows about 4096 centres, of unlike sizes."""
    g = torch.Generator().manual_seed(0)
    centres = torch.randn(4096, D, generator=g)
    which = (4096 * torch.rand(ROWS, generator=g) ** 2).long()
    return centres[which] + torch.randn(ROWS, D, generator=g)


def clusters() -> Row:
    x = spread()
    first, found = x[:: ROWS // K][:K].clone(), dict[str, np.ndarray]()

    def ours() -> None:
        found["tacit"] = kmeans.lloyd(x, first, ROUNDS).numpy()

    def flat() -> None:
        rival = faiss.Kmeans(D, K, niter=ROUNDS, max_points_per_centroid=ROWS)
        rival.train(x.numpy(), init_centroids=first.numpy())
        found["faiss"] = rival.centroids

    def scikit() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # ten rounds are not enough to rest
            rival = KMeans(K, init=first.numpy(), n_init=1, max_iter=ROUNDS, tol=0, algorithm="lloyd")
            found["scikit-learn"] = rival.fit(x.numpy()).cluster_centers_

    row = turns(3, tacit=ours, faiss=flat, **{"scikit-learn": scikit})
    inertia = {name: float(nearest_one.nearest_one(x, torch.tensor(c))[1].double().sum()) for name, c in found.items()}
    least = products(512, D, K, topk._screening(x.device)[0], ROUNDS * ROWS / 512)
    n = {"rows": ROWS, "d": D, "k": K, "rounds": ROUNDS}
    return row | {"n": n, "inertia": inertia, "products alone": least}


def neighbours() -> Row:
    keys = torch.nn.functional.normalize(spread())
    queries = torch.nn.functional.normalize(
        keys[:1000] + 0.02 * torch.randn(1000, D, generator=torch.Generator().manual_seed(1))
    )
    index, found = faiss.IndexFlatIP(D), dict[str, Any]()
    index.add(keys.numpy())

    def ours() -> None:
        found["tacit"] = topk.nearest(queries, keys, NEIGHBOURS).positions.numpy()

    def flat() -> None:
        found["faiss"] = index.search(queries.numpy(), NEIGHBOURS)[1]

    row = turns(5, tacit=ours, faiss=flat)
    exact = (queries.double() @ keys.double().T).topk(NEIGHBOURS).indices.numpy()
    recall = {name: float(np.mean([np.isin(a, b).mean() for a, b in zip(exact, there)])) for name, there in found.items()}
    return row | {"n": {"queries": 1000, "keys": ROWS, "d": D, "k": NEIGHBOURS}, "recall": recall}


def late(dtype: torch.dtype, pool: int) -> Row:
    """The ways of PyLate (one product of all, padded) and of ColBERT (one question after another), in PyTorch as they have
    it; the peers' documents are float32 and whole, and in a further turn of our type."""
    questions, documents, asked, long, d = 8, 10_000, 32, 128, 128
    g = torch.Generator().manual_seed(0)
    x = torch.nn.functional.normalize(torch.randn(documents, long, d, generator=g), dim=2)
    q = torch.nn.functional.normalize(torch.randn(questions, asked, d, generator=g), dim=2)
    whole = Ragged(x.flatten(0, 1), torch.arange(documents + 1) * long)
    ours = token_pooling.pooled(whole, pool, group=token_pooling.in_a_row)  # of as many vectors as Ward's groups
    ours = Ragged(ours.values.to(dtype), ours.offsets)
    flat, low, found = Ragged(q.flatten(0, 1), torch.arange(questions + 1) * asked), (q.to(dtype), x.to(dtype)), {}

    def tacit() -> None:
        found["tacit"] = late_interaction.maxsim(flat, ours)

    def pylate() -> None:
        found["PyLate"] = torch.einsum("ash,bth->abst", q, x).amax(3).sum(2)

    def colbert() -> None:
        found["ColBERT"] = torch.stack([(x @ one.T).amax(1).sum(1) for one in q])

    def same() -> None:
        torch.einsum("ash,bth->abst", *low).amax(3).sum(2)

    row = turns(3, tacit=tacit, PyLate=pylate, ColBERT=colbert, **{f"PyLate, {dtype}".replace("torch.", ""): same})
    off = float((found["tacit"] - found["PyLate"]).abs().max()) if pool == 1 else None
    n = {
        "questions": questions,
        "tokens of one": asked,
        "documents": documents,
        "tokens of a document": long,
        "d": d,
        "pool": pool,
    }
    least = products(questions * asked, d, 4096, dtype, documents * long / pool / 4096)
    return row | {"n": n, "off": off, "products alone": least}


MEASURES = {
    "late interaction, float32": Measure(partial(late, torch.float32, 1), (late_interaction,)),
    "late interaction, bfloat16": Measure(partial(late, torch.bfloat16, 1), (late_interaction,)),
    "late interaction, bfloat16, pooled by 2": Measure(partial(late, torch.bfloat16, 2), (late_interaction, token_pooling)),
    "k-means": Measure(clusters, (kmeans, nearest_one, spread)),
    "exact neighbours": Measure(neighbours, (topk, spread)),
}

if __name__ == "__main__":
    faiss.omp_set_num_threads(torch.get_num_threads())
    main(__doc__, "search.json", MEASURES, {"faiss": faiss.__version__, "scikit-learn": sklearn.__version__})
