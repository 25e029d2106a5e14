"""DeepWalk: walks as sentences tell more of a node than the spectrum does, most where few nodes are labelled."""

from tacit.claims.claim import Claim, Found
from tacit.claims.node_labels import Spectral, Walked
from tacit.methods.cooccurrence.deepwalk import DeepWalk
from tacit.methods.cooccurrence.node2vec import Node2Vec

SHARES = (0.1, 0.36, 0.9)
WALKS = {"walks": 20, "length": 40, "window": 10, "width": 128}


def rule(found: Found) -> dict[str, bool]:
    gains = {s: found.values("DeepWalk", f"micro {s} %") - found.values("spectral", f"micro {s} %") for s in (10, 90)}
    less = found.values("DeepWalk", "micro 36 %") - found.values("spectral", "micro 90 %")
    return {
        "it is above spectral vectors with 10 % labelled": found.above("DeepWalk", "spectral", "micro 10 %"),
        "with 36 % labelled it is above spectral vectors with 90 %, which are 60 % more": bool(less.mean() > 0),
        "its gain is larger with 10 % labelled than with 90 %": bool(gains[10].mean() > gains[90].mean()),
        "negative sampling in place of the tree is within 1 point": bool(
            abs(found.gap("DeepWalk", "negative sampling", "micro 90 %").value) < 1
        ),
    }


CLAIM = Claim(
    says="Vectors from short random walks are above spectral ones, up to 10 % in F1 where labels are sparse, and beat all "
    "baselines with 60 % less training data.",
    here="ppi-node2vec (3 890 proteins, 50 labels) in place of BlogCatalog, Flickr and YouTube; 20 walks of 40 nodes from "
    "each, window 10, 128 dimensions; micro-F1 of one-vs-rest logistic regression, the number of labels known, 5 splits.",
    arms={
        "spectral": Spectral(128, SHARES),
        "negative sampling": Walked(Node2Vec, WALKS, SHARES),
        "DeepWalk": Walked(DeepWalk, WALKS, SHARES),
    },
    metric="micro 10 %",
    rule=rule,
    kinds=("graph",),
    why="With 10 % labelled it is 1.0 points below spectral vectors (± 0.1), with 36 % it is 3.8 below theirs with 90 %. "
    "Likely the baseline is stronger than the paper's: its columns are scaled for the classifier, and reach a macro-F1 of "
    "19.3 with half labelled (claim of `node2vec`), where node2vec's paper has 6.8 for these proteins; and the set is not "
    "one of DeepWalk's paper. No longer run was tried.",
)
