"""Nearest centroids and nearest neighbours beside faiss and scikit-learn: `python benchmarks/search.py`.

    OMP_NUM_THREADS=2 python benchmarks/search.py              # all that is missing
    OMP_NUM_THREADS=2 python benchmarks/search.py --row k-means --again

All take turns in one process and begin k-means at the same centroids. The rules: k-means of 200 000 rows of 384 dimensions,
1024 centroids and 10 rounds 3 times faiss and scikit-learn, inertia at most 0.1 % above theirs; 1000 exact queries of as many
rows 1.7 times faiss' flat index, recall at least 0.999.
"""

import warnings
from typing import Any

import faiss
import numpy as np
import sklearn
import torch
from rows import Measure, Row, main, turns
from sklearn.cluster import KMeans
from torch import Tensor

from tacit.numerics import kmeans, topk
from tacit.numerics.tiling import nearest_one

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
    return row | {"n": {"rows": ROWS, "d": D, "k": K, "rounds": ROUNDS}, "inertia": inertia}


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


MEASURES = {
    "k-means": Measure(clusters, (kmeans, nearest_one, spread)),
    "exact neighbours": Measure(neighbours, (topk, spread)),
}

if __name__ == "__main__":
    faiss.omp_set_num_threads(torch.get_num_threads())
    main(__doc__, "search.json", MEASURES, {"faiss": faiss.__version__, "scikit-learn": sklearn.__version__})
