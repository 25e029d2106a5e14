"""Each claim's rule holds of numbers that speak for it, and fails of numbers that do not: no condition is met by itself."""

import numpy as np
import pytest

from tacit import claims
from tacit.claims.claim import Found

FOR = {  # by arm: the claim's metric, or metrics by name, that speak for it
    "dcl": {
        "InfoNCE, batch 32": 30, "DCL, batch 32": 38, "InfoNCE, batch 64": 34, "DCL, batch 64": 38,
        "InfoNCE, batch 256": 39, "DCL, batch 256": 40,
    },
    "npid": {
        "untrained": 30, "autoencoder": 31, "NPID, 1,000 images": 33, "NPID, 4,000 images": 36, "NPID, 15,000 images": 40,
        "softmax": {"knn": 40, "wavering": 0.5}, "softmax, proximal term": {"knn": 40, "wavering": 0.1},
    },
    "directpred": {
        "untrained": 30, "without a predictor": 20, "learned linear predictor": {"linear": 36, "turned": 0.8}, "DirectPred": 38,
    },
    "decoupled_uniformity": {
        "untrained": 30, "SimCLR, batch 32": 37, "uniformity, batch 32": 38, "SimCLR, batch 128": 39,
        "uniformity, batch 128": 40, "weak views": 33, "weak views, kernel": 36,
    },
    "mochi": {
        "untrained": 30, "MoCo v2": {"linear": 38, "spread": 0.8}, "MoCo v2, 4 × the queue": 38,
        "MoCHi": {"linear": 40, "spread": 0.9},
    },
    "obow": {"untrained": 30, "BYOL": 35, "MoCo v2": 36, "first vocabulary": 34, "OBoW": 40},
    "beclr": {
        arm: {"shot_1": one, "opta_1": one + 5, "shot_5": one + 20, "opta_5": one + 21}
        for arm, one in (("untrained", 40), ("BYOL", 60), ("without memories", 62), ("BECLR", 66))
    },
    "rotnet": {
        "untrained": 30, "autoencoder": 31, "RotNet": 38, "digits, any way up": {"linear": 60, "told": 1.38},
        "digits, upright": {"linear": 90, "told": 0.2},
    },
    "sla": {
        "classifier": 50, "rotations as augmentation": 48, "two tasks": 52,
        "SLA": {"accuracy": 57, "as it is": 53}, "SLA, distilled": {"accuracy": 56, "as it is": 53},
        "classifier, uneven": 40, "SLA, uneven": 45,
    },
    "g_simclr": {
        "untrained": 80, "SimCLR": {"knn": 90, "alike": 10}, "G-SimCLR": {"knn": 92, "alike": 7},
        "by true classes": {"knn": 94, "alike": 5},
    },
    "sit": {
        "untrained": 30, "by labels": 40, "turn alone": 42, "contrast alone": 45, "drawing alone": 38, "SiT": 48,
    },
    "mixedae": {
        arm: {"linear": one, "dense_miou": one + 30}
        for arm, one in (("untrained", 30), ("MAE", 40), ("mixing alone", 38), ("MixedAE", 43))
    },
    "revisiting_ssl": {
        arm: {"linear": 40 + int(arm[-1]) - 8 * ("no skips" in arm), "lost": 1 + 5 * ("no skips" in arm)}
        for arm in claims.find("revisiting_ssl").arms
    },
    "cotap": {
        "start": 60, "aligned": 62, "divergence": 63, "divergence, noise": 60, "CoTAP": 66, "CoTAP, noise": 65.5,
    },
    "pixpro": {"untrained": 60, "SimCLR": 65, "BYOL": 66, "PixPro": 70},
    "jigclu": {"untrained": 40, "rotation": 45, "SimCLR": 47, "without location": 48, "JigClu": 50},
    "subspace_learners": {
        arm: {"recall": 90 + by, "nmi": 70 + 2 * by, "learners": learners}
        for arm, by, learners in (
            ("classifier", 0, 0), ("one learner", 2, 1), ("four learners", 3, 4), ("dynamic learners", 3, 3),
        )
    },
    "triplet_net": {
        "untrained": 70, "looks, pairs": 75, "looks, triplets": 80, "classes, pairs": 95, "classes, triplets": 98,
    },
    "mcl": {
        "one stage": {"subclass": 50, "irrelevant": 99}, "one stage, 3 × width and epochs": 60,
        "MCL, 3 stages": {"subclass": 75, "irrelevant": 98},
    },
    "sela": {
        "untrained": 30, "rotation": 35, "k-means": {"linear": 36, "used": 0.8}, "most likely": {"linear": 25, "used": 0.1},
        "SeLa": {"linear": 40, "used": 0.99},
    },
    "scatsimclr": {
        "convolutions": {"linear": 38, "learned": 900}, "convolutions, turns": {"linear": 40, "learned": 900},
        "wavelets": {"linear": 39, "learned": 250}, "wavelets, turns": {"linear": 41, "learned": 250},
    },
    "provable_ssl": {
        arm: {
            **{f"accuracy, {d}": 60 + by * (1 - d) for d in (0.0, 0.3, 0.6, 0.9)},
            **{f"left, {d}": 2 + 90 * d for d in (0.0, 0.3, 0.6, 0.9)},
            "accuracy, narrow": 60 + by / 4, "accuracy, digits": 60 + by / 2,
        }
        for arm, by in (("raw", 0), ("regression", 20), ("kernel", 22), ("cca", 19))
    },
    "myow": {"untrained": 30, "SimCLR": 34, "BYOL": 35, "any partner": 31, "MYOW": 38},
    "bss": {
        "SimCLR": {"unseen": 50, "domain": 95}, "SimCLR + styles of its own": 60, "SimCLR + BSS": {"unseen": 70, "domain": 40},
    },
    "isogclr": {
        "SimCLR, 0.1": 34, "SimCLR, 0.2": 36, "SimCLR, 0.5": 33, "SogCLR": 36, "iSogCLR": {"linear": 39, "warm": 0.3},
    },
    "clan": {"raw input, neighbours": 85, "SimCLR twin, neighbours": 80, "SimCLR twin, centre": 70, "CLAN": 90},
    "d_sla": {
        f"{arm}, {title}": {"accuracy": a, "spearman": s}
        for title in ("MUTAG", "PROTEINS")
        for arm, a, s in (
            ("untrained", 80, 0.7), ("SimCLR", 82, 0.6), ("SimCLR of the same copies", 81, 0.6), ("D-SLA", 86, 0.9),
        )
    },
    "wav2vec": {"log-mel statistics": 30, "untrained": 32, "wav2vec": 40},
    "ssast": {
        "log-mel statistics": 30, "untrained": 32, "telling apart alone": 38, "drawing alone": 37,
        "frames in place of patches": 39, "both tasks": 44,
    },
    "lfr": {"untrained": 80, "autoencoder": 81, "SimSiam": 79, "LFR, any projectors": 82, "LFR": 83},
    "t_jepa": {
        "raw input": 80, "untrained": 79, "T-JEPA, no register": {"linear": 81, "rankme": 3},
        "T-JEPA": {"linear": 85, "rankme": 20},
    },
    "unified_embedding": {
        arm: {"auc": 70 + 2 * ("shared" in arm) + place % 3, "cosine": 0.2 - 0.1 * ("shared" in arm)}
        for place, arm in enumerate(claims.find("unified_embedding").arms)
    },
    "ssl_item_recs": {
        "popularity": 8, "matrix factorisation": 11, "two towers": {"ndcg_at_10": 12, "tail_ndcg_at_10": 1},
        "dropout alone": 12, "random features masked": 12,
        "correlated features masked": {"ndcg_at_10": 14, "tail_ndcg_at_10": 2},
    },
    "tldr": {
        "all": {"map": 40, "knn": 60}, **{f"PCA, {d}": {"map": 40, "knn": 55} for d in (8, 16, 32)},
        "whitened PCA, 16": {"map": 41, "knn": 55}, "random, 16": {"map": 30, "knn": 50},
        "locally linear embedding, 16": {"map": 38, "knn": 50}, **{f"TLDR, {d}": {"map": 44, "knn": 59} for d in (8, 16, 32)},
        "TLDR, perceptron, 16": {"map": 45, "knn": 59},
    },
    "matryoshka": {
        arm: {"knn 8": of8, "knn 64": of64, "funnel": 90, "whole": 90, "multiplied": 0.15}
        for arm, of8, of64 in (
            ("SimCLR", 70, 92), ("SimCLR, components", 80, 92), ("SimCLR at 8", 85, 85), ("SimCLR, nested", 86, 92),
            ("classes", 80, 97), ("classes at 8", 95, 95), ("classes, nested", 95, 97),
        )
    },
    "token_pooling": {
        arm: {"ndcg": (30 if arm[0] in "aW" else 25), "vectors": 0.25} for arm in claims.find("token_pooling").arms
    },
    "simsiam": {"untrained": 30, "SimSiam": 40, "without the stopped gradient": 25, "without the predictor": 20},
    "swav": {
        "SimCLR": 40, "SwAV": {"knn": 45, "used": 4.0}, "without equipartition": {"knn": 30, "used": 1.0},
        "with 6 small crops": {"knn": 50, "used": 4.0},
    },
    "rankme": {
        arm: {"linear": place % 4, "projected rankme": place % 4} for place, arm in enumerate(claims.find("rankme").arms)
    },
    "arora_cl_theory": {
        arm: {"accuracy": a, "gap, hinge": 2, "gap, logistic": 2, "gap, hinge, blocks": 1, "gap, logistic, blocks": 1}
        for arm, a in zip(claims.find("arora_cl_theory").arms, (50, 90, 92, 88, 95))
    },
    "sent2vec": {
        "TF-IDF": 60, "skip-gram, averaged": {"sts": 45, "few labels": 60}, "skip-gram, weighed by rarity": 52,
        "sent2vec, words alone": 62, "sent2vec": {"sts": 66, "few labels": 70},
    },
    "composition_cse": {
        "untrained": 40, "SimCSE": {"sts": 50, "few labels": 60, "alignment": 0.5}, "all numbers compared": 52,
        "CompositionCSE": {"sts": 55, "few labels": 62, "alignment": 0.3},
    },
    "clusterns": {
        "untrained": 40, "SimCSE": {"sts": 50, "uniformity": -2.0}, "without the margin": 52,
        "ClusterNS": {"sts": 55, "uniformity": -2.5},
    },
    "dclr": {
        "untrained": 40, "SimCSE": {"sts": 50, "uniformity": -2.0}, "all negatives": 52, "without noise": 53,
        "DCLR": {"sts": 56, "uniformity": -2.5},
    },
    "grace": {"features": 60, "DeepWalk": 70, "GAE": 75, "VGAE": 76, "GRACE": 83},
    "gcool": {
        "features": {"accuracy": 60, "nmi": 20}, "GRACE": {"accuracy": 82, "nmi": 50},
        "without communities": {"accuracy": 82, "nmi": 50}, "gCooL": {"accuracy": 84, "nmi": 55},
    },
    "scgc": {
        "features, k-means": {"nmi": 15, "ari": 8}, "AE, k-means": {"nmi": 25, "ari": 20},
        "GAE, k-means": {"nmi": 45, "ari": 40}, "without contrast": {"nmi": 27, "ari": 22},
        "SCGC": {"nmi": 55, "ari": 50}, "SCGC*": {"nmi": 54, "ari": 50},
    },
    "infomgf": {
        "GRACE, first relation": {"nmi": 50, "accuracy": 85}, "GRACE, second relation": {"nmi": 40, "accuracy": 75},
        "GRACE, union": {"nmi": 45, "accuracy": 80}, "InfoMGF without the unique term": {"nmi": 60, "accuracy": 88},
        "InfoMGF": {"nmi": 70, "accuracy": 90},
    },
    "fisher_info_embedding": {"features": 58, "averaged features": 80, "DeepWalk": 70, "FIE": 84},
    "vgae": {"common neighbours": 72, "GAE": 90, "VGAE without features": 84, "VGAE": 92},
    "poincare_embeddings": {
        "Euclidean, 5": {"map": 17, "deeper": 0}, "Euclidean, 20": {"map": 30, "deeper": 0},
        "Poincaré, 5": {"map": 94, "deeper": 0.7},
    },
    "distmult": {
        "relation frequency": {"hits_at_10": 30, "rules": 0}, "TransE": {"hits_at_10": 30, "rules": 20},
        "DistMult": {"hits_at_10": 40, "rules": 40},
    },
    "deepercluster": {
        "untrained": 35, "RotNet": 40, "DeepCluster": 39, "one level of clusters": 42, "DeeperCluster": 43,
    },
    "lls_ddfa": {
        "SimCLR, k-means, digits": {"accuracy": 60, "error": 9}, "DDFA, digits": {"accuracy": 75, "error": 4},
        "SimCLR, k-means, pairs": {"accuracy": 40, "error": 8}, "DDFA, pairs": {"accuracy": 80, "error": 2},
    },
    "jule": {
        "pixels, k-means": {"nmi": 50, "cluster_accuracy": 55}, "pixels, mergers": {"nmi": 70, "cluster_accuracy": 65},
        "random network, mergers": {"nmi": 68, "cluster_accuracy": 65}, "JULE": {"nmi": 85, "cluster_accuracy": 88},
    },
    "unicom": {
        "SimCLR": 60, "SimCLR, twice as long": 62, "all prototypes": {"recall": 63, "recall, a quarter": 50},
        "random prototypes": {"recall": 65, "recall, a quarter": 51},
        "random prototypes and dimensions": {"recall": 66, "recall, a quarter": 58},
    },
    "clusterfit": {
        "untrained": 35, "RotNet": {"linear": 40, "rotation": 70}, "RotNet, twice as long": 41, "distilled": 41,
        "ClusterFit, 10": 40, "ClusterFit, 50": {"linear": 45, "rotation": 60}, "ClusterFit, 200": 44,
    },
    "scan": {
        "k-means": {"cluster_accuracy": 60, "nmi": 55}, "SCAN": {"cluster_accuracy": 75, "nmi": 70},
        "SCAN, self-labelled": {"cluster_accuracy": 80, "nmi": 76},
    },
    "odc": {
        "untrained": 80, "rotation": 85, "DeepCluster": {"knn": 90, "alike": 0.6}, "ODC": {"knn": 93, "alike": 0.9},
    },
    "feature_transform": {
        "untrained": 30, "MoCo": {"linear": 36, "positive_score": 0.8, "negative_variance": 0.04},
        "extrapolation": {"linear": 37, "positive_score": 0.5, "negative_variance": 0.05},
        "interpolation": {"linear": 37, "positive_score": 0.8, "negative_variance": 0.02}, "both": 39,
    },
    "invariance_propagation": {
        "untrained": 30, "SimCLR": 38, "NPID": 36, "InvP, all reached": {"linear": 37, "same": 35},
        "InvP": {"linear": 40, "same": 35},
    },
    "mocl_hnf": {
        "untrained": 30, "MoCo v2": 36, "two queries": 37, "hardest": 37, "both": {"linear": 39, "same": 16},
    },
    "mugs": {
        arm: {"knn": fine, "coarse": coarse}
        for arm, fine, coarse in (
            ("untrained", 30, 70), ("instance", 36, 72), ("near", 35, 74), ("groups", 33, 76), ("Mugs", 38, 77),
        )
    },
    "udi": {
        "untrained": {"linear": 30, "dense_miou": 60, "rankme": 4},
        "class token": {"linear": 38, "dense_miou": 65, "rankme": 8},
        "UDI": {"linear": 39, "dense_miou": 68, "rankme": 14},
    },
    "cpp_rate_reduction": {
        "k-means": {"accuracy": 60, "nmi": 55}, "spectral": {"accuracy": 70, "nmi": 65}, "without warm-up": 60,
        "CPP": {"accuracy": 80, "nmi": 75, "number": 10},
    },
    "mlc_manifold": {
        "spread codes, k-means": {"accuracy": 60, "nmi": 50, "coherence": 0.3, "rank": 20}, "spread codes, elastic net": 65,
        "MLC, k-means": 80, "MLC": {"accuracy": 80, "nmi": 75, "coherence": 0.1, "rank": 6},
    },
    "sie": {
        "invariant": {"turn": 40, "hue": 40, "digit": 85, "found": 20}, "telling the way": {"turn": 90, "hue": 90, "digit": 70},
        "told side by side": {"turn": 50, "hue": 50, "digit": 84, "found": 20},
        "SIE": {"turn": 80, "hue": 80, "digit": 84, "found": 60},
    },
    "sepclr": {
        "SimCLR": {"salient digit": 60, "salient object": 40, "common digit": 60, "common object": 40},
        "without joint entropy": {"salient digit": 80, "salient object": 20, "common digit": 40, "common object": 40},
        "SepCLR": {"salient digit": 80, "salient object": 18, "common digit": 20, "common object": 40},
    },
}  # fmt: skip


def found(key: str, numbers: dict, noise: float = 0.01) -> Found:
    """Made-up measurements under all seeds, a little different under each."""
    claim = claims.find(key)
    arms = {}
    for place, (arm, value) in enumerate(numbers.items()):
        named = value if isinstance(value, dict) else {claim.metric: value}
        arms[arm] = [
            {m: v + noise * np.sin(7 * place + 3 * seed) * 0.1 for m, v in named.items()} for seed in range(claim.seeds)
        ]
    return Found(arms, claim.metric)


@pytest.mark.parametrize("key", list(FOR))
def test_numbers_that_speak_for_a_claim_meet_all_conditions(key):
    assert list(FOR[key]) and set(FOR[key]) == set(claims.find(key).arms)
    met = claims.find(key).rule(found(key, FOR[key]))
    assert met and all(met.values()), met


@pytest.mark.parametrize("key", list(FOR))
def test_where_all_arms_are_alike_the_claim_does_not_hold(key):
    flat = {arm: dict.fromkeys(value, 1.0) if isinstance(value, dict) else 30.0 for arm, value in FOR[key].items()}
    met = claims.find(key).rule(found(key, flat, noise=0))
    assert not all(met.values()), met


@pytest.mark.parametrize(
    ("key", "arm", "value", "broken"),
    [
        ("dcl", "DCL, batch 32", 30, "DCL is above InfoNCE at batch 32"),
        ("dcl", "DCL, batch 256", 50, "its gain is larger at batch 32 than at batch 256"),
        ("sla", "SLA", {"accuracy": 57, "as it is": 58}, "and above its own answer by the image as it is"),
        ("g_simclr", "G-SimCLR", {"knn": 92, "alike": 11}, "its batches have fewer pairs of one class"),
        ("mixedae", "mixing alone", {"linear": 42, "dense_miou": 68}, "mixing alone is below MAE"),
        ("cotap", "CoTAP, noise", 62, "noise in the correspondences costs less than in a divergence"),
        ("sit", "contrast alone", 49, "it is above contrast alone"),
        (
            "revisiting_ssl",
            "rotation, no skips, × 4",
            {"linear": 36, "lost": 0},
            "rotation: the last layer loses more to the best one without skips",
        ),
        ("pixpro", "BYOL", 75, "they are above BYOL's, which compares whole images"),
        ("jigclu", "without location", 51, "telling where a piece was adds to telling whose it is"),
        (
            "subspace_learners",
            "four learners",
            {"recall": 96, "nmi": 76, "learners": 4},
            "by recall it is less than 1 points below four learners",
        ),
        (
            "subspace_learners",
            "dynamic learners",
            {"recall": 93, "nmi": 76, "learners": 1},
            "learners come in every run",
        ),
        ("npid", "autoencoder", 45, "it is above the autoencoder"),
        ("npid", "NPID, 4,000 images", 30, "kNN grows from 1,000 to 4,000 images"),
        (
            "npid",
            "softmax, proximal term",
            {"knn": 40, "wavering": 0.9},
            "the instance loss wavers less with the proximal term",
        ),
        (
            "feature_transform",
            "extrapolation",
            {"linear": 37, "positive_score": 0.9, "negative_variance": 0.04},
            "extrapolation lowers the positives' scores",
        ),
        (
            "invariance_propagation",
            "InvP",
            {"linear": 40, "same": 15},
            "these are of the anchor's class twice as often as by chance",
        ),
        (
            "invariance_propagation",
            "InvP, all reached",
            {"linear": 45, "same": 35},
            "the hardest are above all that are reached",
        ),
        ("mocl_hnf", "hardest", 30, "nor is the hardest quarter alone"),
        ("beclr", "BECLR", {"shot_1": 66, "opta_1": 70, "shot_5": 80, "opta_5": 88}, "and gain more there than at 5"),
        ("mugs", "groups", {"knn": 33, "coarse": 80}, "nor for kinds"),
        ("udi", "untrained", {"linear": 40, "dense_miou": 60, "rankme": 4}, "its class token tells more than an untrained one"),
        (
            "udi",
            "class token",
            {"linear": 38, "dense_miou": 69, "rankme": 8},
            "its maps are above those of the class token alone",
        ),
        ("udi", "class token", {"linear": 38, "dense_miou": 65, "rankme": 15}, "its class token has a higher rank"),
        (
            "udi",
            "class token",
            {"linear": 42, "dense_miou": 65, "rankme": 8},
            "and tells no more than a point less, by the linear probe",
        ),
        ("obow", "first vocabulary", 41, "it is above itself with the first vocabulary"),
        ("clan", "SimCLR twin, centre", 95, "so it is where the twin too is scored by its centre"),
        (
            "d_sla",
            "SimCLR of the same copies, MUTAG",
            {"accuracy": 90, "spearman": 0.6},
            "MUTAG: it is above SimCLR of the same copies",
        ),
        ("lfr", "LFR, any projectors", 84, "unlike projectors are above any"),
        ("t_jepa", "T-JEPA, no register", {"linear": 81, "rankme": 30}, "without a register fewer dimensions are in use"),
        ("gcool", "GRACE", {"accuracy": 82, "nmi": 60}, "its clusters are nearer to the classes than GRACE's, by NMI"),
        ("gcool", "without communities", {"accuracy": 85, "nmi": 50}, "it is above itself without communities"),
        ("scgc", "GAE, k-means", {"nmi": 60, "ari": 40}, "SCGC is above GAE, k-means by NMI"),
        ("scgc", "SCGC*", {"nmi": 54, "ari": 10}, "SCGC* is above the autoencoder too, by ARI"),
        (
            "unified_embedding",
            "Adult, apart, 32",
            {"auc": 90, "cosine": 0.2},
            "Adult: shared is above apart at the smallest size",
        ),
        (
            "unified_embedding",
            "Adult, added up, 128",
            {"auc": 90, "cosine": 1.0},
            "Adult: features added up are below it, at the middle size",
        ),
        ("ssl_item_recs", "random features masked", 15, "it is above random masking"),
        ("ssl_item_recs", "matrix factorisation", 15, "and above matrix factorisation"),
        ("simsiam", "untrained", 45, "SimSiam learns: it is above the untrained encoder"),
        ("simsiam", "without the predictor", 39, "which learns nothing either"),
        ("swav", "without equipartition", {"knn": 30, "used": 4.5}, "without equipartition fewer prototypes are used"),
        ("swav", "with 6 small crops", {"knn": 44, "used": 4.0}, "with small crops it is above at equal pixels"),
    ],
)
def test_each_condition_can_be_broken_by_its_own(key, arm, value, broken):
    met = claims.find(key).rule(found(key, FOR[key] | {arm: value}))
    assert not met[broken]
