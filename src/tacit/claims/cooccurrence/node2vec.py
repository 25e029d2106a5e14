"""node2vec: walks that may stay near or go far make better vectors than plain walks."""

from tacit.claims.claim import Claim, Found
from tacit.claims.node_labels import Spectral, Walked
from tacit.methods.cooccurrence.deepwalk import DeepWalk
from tacit.methods.cooccurrence.line import LINE
from tacit.methods.cooccurrence.node2vec import Node2Vec

WALKS = {"walks": 10, "length": 80, "window": 10, "width": 128}


def rule(found: Found) -> dict[str, bool]:
    return {f"it is above {other}": found.above("node2vec", other) for other in ("spectral", "LINE", "DeepWalk")} | {
        "it is above itself with p = q = 1": found.above("node2vec", "p = q = 1"),
    }


CLAIM = Claim(
    says="Second-order walks give better features for the labels of nodes than DeepWalk, LINE and spectral clustering "
    "(macro-F1 on PPI with half of the nodes labelled: 17.9 % against 17.7, 14.5 and 6.8).",
    here="ppi-node2vec, the paper's own set, with the paper's p = 4 and q = 1 for it, which we did not choose anew; 10 walks "
    "of 80 nodes from each, window 10, 128 dimensions; macro-F1 of one-vs-rest logistic regression, half labelled, 5 splits.",
    arms={
        "spectral": Spectral(128),
        "LINE": Walked(LINE, {"width": 128, "draws": 200}),
        "DeepWalk": Walked(DeepWalk, WALKS),
        "p = q = 1": Walked(Node2Vec, WALKS),
        "node2vec": Walked(Node2Vec, {**WALKS, "back": 4.0, "away": 1.0}),
    },
    metric="macro 50 %",
    rule=rule,
    kinds=("graph",),
    why="It is 1.6 points below spectral vectors (± 0.4), 0.3 below LINE (± 0.6), 0.4 below DeepWalk (± 1.0) and level with "
    "p = q = 1 (0.0 ± 0.2). Likely the baselines are stronger than the paper's, since node2vec is near its 17.9 there "
    "(17.7) but spectral vectors, scaled for the classifier, have 19.3 for 6.8 and LINE 18.0 for 14.5; over DeepWalk the "
    "paper's own gain is 0.2. No longer run was tried.",
)
