"""How well the nearest are of the same class, over the whole ranking."""

import torch
from torch import Tensor

from tacit.evaluation.intervals import bootstrap, subsample, wilson
from tacit.evaluation.number import Number, missing
from tacit.numerics.exact import unit

NAMES = ("map", "recall_at_1", "recall_at_10", "ndcg_at_10")
FIRST = 10  # places that nDCG and the wider recall look at
LIMIT = 4096  # queries: each sorts the whole gallery
CELLS = 1 << 21  # similarities sorted at once: about 100 MiB with all that is made of them


def retrieval(gallery: Tensor, gallery_labels: Tensor, queries: Tensor, query_labels: Tensor) -> list[Number]:
    """mAP, recall at 1 and at 10, and nDCG at 10 of each query's gallery in order of cosine similarity.

    Features n × d and m × d, labels int64; relevant is what has the query's label. Average precision is the mean, over
    the relevant, of the precision at their place (Manning et al. 2008, Introduction to Information Retrieval, section
    8.4), over the full ranking; recall at k is whether a relevant one is among the first k (Jégou et al. 2011; not the
    share of the relevant that is found); nDCG (Järvelin and Kekäläinen 2002) has gain 1 and discount log₂(place + 1). Of
    equal similarities the lower row comes first. A query whose class the gallery lacks scores 0 in all of them.
    """
    if len(gallery_labels.unique()) < 2:
        why = f"the {len(gallery)} samples that are searched are not of two classes, so every order is as good."
        return [missing(name, why) for name in NAMES]
    chosen = torch.from_numpy(subsample(len(queries), LIMIT, "retrieval")).to(queries.device)
    place, found = unit(gallery), []
    for tile in chosen.split(max(1, CELLS // len(gallery))):
        order = (unit(queries[tile]) @ place.T).sort(dim=1, descending=True, stable=True).indices
        found.append(_scores(gallery_labels[order] == query_labels[tile, None]))
    scores = torch.cat(found).cpu().numpy()
    protocol = {
        "train": len(gallery),
        "test": len(chosen),
        "similarity": "cosine",
        "unanswerable": int((~torch.isin(query_labels[chosen], gallery_labels)).sum()),
    }
    if len(chosen) < len(queries):
        protocol["drawn_from"] = len(queries)
    numbers = []
    for name, each in zip(NAMES, scores.T):
        if name.startswith("recall"):
            interval, how = wilson(int(each.sum()), len(each)), "Wilson, 95 %"
        else:
            interval, how = bootstrap(each, name), "bootstrap over queries, 1000 resamples, 95 %"
        numbers.append(Number(name, float(each.mean()), *interval, {**protocol, "interval": how}))
    return numbers


def _scores(relevant: Tensor) -> Tensor:
    """Average precision, recall at 1 and at 10, nDCG at 10, of galleries in order: m × n, bool -> m × 4, float64."""
    places = torch.arange(1, relevant.shape[1] + 1, device=relevant.device, dtype=torch.float64)
    so_far = relevant.cumsum(1, dtype=torch.int32)
    total = so_far[:, -1]
    precision = torch.where(relevant, so_far / places, 0.0).sum(1) / total.clamp_min(1)
    first = relevant[:, :FIRST]
    discount = 1 / (places[:FIRST] + 1).log2()
    ideal = discount.cumsum(0)[total.clamp(1, len(discount)).long() - 1]
    gain = (first * discount).sum(1) / ideal
    return torch.stack([precision, first[:, 0].double(), first.any(1).double(), gain], dim=1)
