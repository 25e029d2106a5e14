"""ClusterNS: clusters give harder negatives and keep false ones near."""

from tacit.claims.claim import Claim, Found
from tacit.claims.positives.composition_cse import SHARED, TEXTS
from tacit.claims.texts import OnTexts
from tacit.methods.contrast.simcse import SimCSE
from tacit.methods.negatives.clusterns import ClusterNS

CLUSTERS = {**SHARED, "clusters": 64}


def rule(found: Found) -> dict[str, bool]:
    return {
        "STS-B: it is above SimCSE": found.above("ClusterNS", "SimCSE"),
        "STS-B: it is above itself without the margin": found.above("ClusterNS", "without the margin"),
        "STS-B: it is above the untrained encoder": found.above("ClusterNS", "untrained"),
        "uniformity is lower than SimCSE's": found.gap("ClusterNS", "SimCSE", "uniformity").high < 0,
    }


CLAIM = Claim(
    says="Hard negatives from clusters, and a margin for false ones, compare favourably with baselines on STS (BERT-base: "
    "77.55).",
    here="10 000 sentences of brown and wikitext2-small, a transformer of 2 layers and 64 numbers trained from nothing in "
    "place of BERT, 3 epochs of batches of 128, the same for all; 64 clusters, half a batch as in the paper; its other "
    "numbers; Spearman's correlation on the test part of STS-B.",
    arms={
        "untrained": OnTexts(SimCSE, TEXTS, SHARED, which="untrained encoder"),
        "SimCSE": OnTexts(SimCSE, TEXTS, SHARED),
        "without the margin": OnTexts(ClusterNS, TEXTS, {**CLUSTERS, "margin": 0.0}),
        "ClusterNS": OnTexts(ClusterNS, TEXTS, CLUSTERS),
    },
    metric="sts",
    rule=rule,
    kinds=("text",),
)
