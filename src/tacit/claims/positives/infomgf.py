"""InfoMGF: relations of a multiplex graph refined and fused, beside each relation alone and beside their union."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch

from tacit.claims.claim import Claim, Found, Measures
from tacit.claims.nodes import embedded
from tacit.data import known
from tacit.data.networks.generated import relations
from tacit.data.networks.graph import Graph, GraphNodes
from tacit.evaluation.labelled.clustering import clustering
from tacit.evaluation.labelled.nodes import node_classification
from tacit.method import Method
from tacit.methods.contrast.grace import GRACE
from tacit.methods.positives.infomgf import InfoMGF
from tacit.numerics import counter

PAPERS = 600
SHARED = {"middle": 128, "width": 64, "epochs": 100, "batch": PAPERS}


@dataclass(frozen=True)
class Trained:
    """Pretrained on all relations, or on one of them by its place: NMI of k-means and accuracy of nodes, in per cent."""

    method: type[Method]
    options: Mapping[str, Any] = field(default_factory=dict)
    relation: int = -1

    def measure(self, seed: int, quick: bool) -> Measures:
        nodes = papers(quick)
        if self.relation >= 0:
            nodes = nodes.only(list(nodes.relations)[self.relation])
        options = {**SHARED, **self.options, "batch": len(nodes), **({"epochs": 2} if quick else {})}
        vectors = embedded(self.method, nodes, seed, options)
        assert nodes.labels is not None
        labels = torch.from_numpy(nodes.labels)
        by_name = {number.name: number.value for number in clustering(vectors, labels, seeds=10)}
        return {
            "nmi": 100 * by_name["nmi"],
            "accuracy": 100 * node_classification(vectors, labels, {}, seed, splits=3)[0].value,
        }


def papers(quick: bool) -> GraphNodes:
    """Some of the papers, always the same, with the edges among them in each relation."""
    if quick:
        return relations(120)
    nodes = known("acm-multiplex")
    assert isinstance(nodes, GraphNodes) and nodes.labels is not None and nodes.graph.features is not None
    kept = np.sort(counter.permutation(counter.key("papers of the claim"), len(nodes))[:PAPERS])
    place = np.full(len(nodes), -1)
    place[kept] = np.arange(PAPERS)
    each = {}
    for name, graph in nodes.relations.items():
        sources, targets = place[graph.sources], place[graph.indices]
        inside = (sources >= 0) & (targets >= 0)
        each[name] = Graph.of(sources[inside], targets[inside], PAPERS, None, nodes.graph.features[kept])
    some = nodes.take(kept)
    return replace(some, graph=Graph.joined(each), rows=np.arange(PAPERS), splits=None, protocols={})


def rule(found: Found) -> dict[str, bool]:
    ours, singles = "InfoMGF", ("GRACE, first relation", "GRACE, second relation")
    best = max(singles, key=found.mean)
    return {
        "its NMI is above that of the better single relation": found.above(ours, best),
        "and above that of the union": found.above(ours, "GRACE, union"),
        "and above its own without what each relation alone tells": found.above(ours, "InfoMGF without the unique term"),
        "its accuracy is above the union's": found.above(ours, "GRACE, union", "accuracy"),
    }


CLAIM = Claim(
    says="Refined and fused graphs that keep what relations share and what each alone tells are above methods that keep only "
    "what is shared, and above single and averaged graphs, in clustering and classification of nodes.",
    here="600 papers drawn of acm-multiplex (4 019; papers of one author, papers of one subject) and the edges among them; "
    "InfoMGF with random augmentation and the authors' settings for ACM, against GRACE on either relation and on their union "
    "with the same encoder and its own 200 epochs, and itself without the unique term. NMI of 10 k-means; logistic heads "
    "on random tenths, on the embedding and not by a new network on the fused graph. No noise is added.",
    arms={
        "GRACE, first relation": Trained(GRACE, {"epochs": 200}, relation=0),
        "GRACE, second relation": Trained(GRACE, {"epochs": 200}, relation=1),
        "GRACE, union": Trained(GRACE, {"epochs": 200}),
        "InfoMGF without the unique term": Trained(InfoMGF, {"dropout": 0.5, "unique": 0.0}),
        "InfoMGF": Trained(InfoMGF, {"dropout": 0.5}),
    },
    metric="nmi",
    rule=rule,
    kinds=("graph",),
    why="It is 12.6 above the better relation and 11.0 above the union on average, and above both on every seed, by 4 to 21, "
    "which three seeds cannot tell from nothing; without the unique term it is level (−2.6 ± 19.8). Likely because of the "
    "sample: among 600 of 4 019 papers one edge in 40 or 50 is left in each relation, so that what a relation alone tells may "
    "be mostly noise; and the authors' learned augmentation, with which this term is taught too, is left out. So few papers "
    "answer to rounding alone: with other sums of the same terms it was above both and 8.8 below itself without the unique "
    "term. No longer run was tried.",
)
