"""The table of contents: every method by room, found by name, nothing imported until it is asked for."""

import importlib
from typing import TYPE_CHECKING

from tacit.errors import TacitError, unknown
from tacit.own import imported

if TYPE_CHECKING:
    from tacit.method import Method

CONTENTS: dict[str, dict[str, str]] = {
    "contrast": {
        "simclr": "SimCLR",
        "dcl": "DCL",
        "npid": "NPID",
        "moco_v2": "MoCoV2",
        "grace": "GRACE",
        "simcse": "SimCSE",
        "decoupled_uniformity": "DecoupledUniformity",
        "triplet_net": "TripletNet",
        "isogclr": "ISogCLR",
        "feature_transform": "FeatureTransform",
        "sepclr": "SepCLR",
        "scatsimclr": "ScatSimCLR",
        "subspace_learners": "SubspaceLearners",
    },
    "self_distillation": {
        "byol": "BYOL",
        "simsiam": "SimSiam",
        "dino": "DINO",
        "dcglr": "DCGLR",
        "directpred": "DirectPred",
        "myow": "MYOW",
        "obow": "OBoW",
        "mugs": "Mugs",
        "udi": "UDI",
        "cotap": "CoTAP",
    },
    "decorrelation": {"barlow_twins": "BarlowTwins", "vicreg": "VICReg", "tldr": "TLDR", "sie": "SIE"},
    "clustering": {
        "swav": "SwAV",
        "scgc": "SCGC",
        "sela": "SeLa",
        "deepercluster": "DeeperCluster",
        "odc": "ODC",
        "scan": "SCAN",
        "clusterfit": "ClusterFit",
        "unicom": "Unicom",
        "jule": "JULE",
        "lls_ddfa": "DDFA",
        "cpp_rate_reduction": "CPP",
        "mlc_manifold": "MLC",
    },
    "masked": {
        "mae": "MAE",
        "point_mae": "PointMAE",
        "hypeboy": "HypeBoy",
        "ssast": "SSAST",
        "mlm": "MLM",
        "sit": "SiT",
        "mixedae": "MixedAE",
    },
    "likelihood": {"vgae": "VGAE"},
    "relational": {
        "distmult": "DistMult",
        "transe": "TransE",
        "bilinear": "Bilinear",
        "ntn": "NTN",
        "poincare_embeddings": "PoincareEmbeddings",
        "fisher_info_embedding": "FisherInfoEmbedding",
    },
    "negatives": {
        "clan": "CLAN",
        "gcool": "GCooL",
        "d_sla": "DSLA",
        "clusterns": "ClusterNS",
        "dclr": "DCLR",
        "mochi": "MoCHi",
        "mcl": "MCL",
        "g_simclr": "GSimCLR",
        "bss": "BSS",
        "mocl_hnf": "MoCLHNF",
    },
    "positives": {
        "ssl_item_recs": "SSLItemRecs",
        "infomgf": "InfoMGF",
        "isoalign": "IsoAlign",
        "cvrl": "CVRL",
        "rspnet": "RSPNet",
        "composition_cse": "CompositionCSE",
        "invariance_propagation": "InvariancePropagation",
        "beclr": "BECLR",
    },
    "predictive": {"lfr": "LFR", "t_jepa": "TJEPA", "cpc": "CPC", "wav2vec": "Wav2Vec"},
    "pretext": {"opn": "OPN", "rotnet": "RotNet", "jigclu": "JigClu", "pixpro": "PixPro", "sla": "SLA"},
    "dual": {"align": "ALIGN", "convirt": "ConVIRT", "meru": "MERU", "llave": "LLaVE"},
    "wrappers": {"matryoshka": "Matryoshka"},
    "cooccurrence": {"deepwalk": "DeepWalk", "node2vec": "Node2Vec", "line": "LINE", "sent2vec": "Sent2Vec"},
}


def find(name: str) -> "type[Method]":
    """The class of a method: by key ("simclr"), or by import path for your own ("my_module:MyMethod")."""
    from tacit.method import Method

    if ":" in name:
        module, _, attribute = name.partition(":")
        try:
            found = getattr(imported(module), attribute)
        except (ImportError, AttributeError) as error:
            raise TacitError(
                f"The method {name!r} could not be imported ({error}); give MODULE:CLASS as Python finds it."
            ) from error
        if not (isinstance(found, type) and issubclass(found, Method)):
            raise TacitError(f"{name!r} is no Method; derive the class from tacit.Method.")
        return found
    key = name.lower().replace("-", "_")
    for room, members in CONTENTS.items():
        if key in members:
            return getattr(importlib.import_module(f"tacit.methods.{room}.{key}"), members[key])
    raise unknown("method", name, keys())


def keys() -> list[str]:
    """All methods' keys."""
    return [key for members in CONTENTS.values() for key in members]


def name_of(method: type) -> str:
    """What `find` takes to find this class again."""
    for members in CONTENTS.values():
        for key, name in members.items():
            if name == method.__name__ and method.__module__.startswith("tacit.methods."):
                return key
    return f"{method.__module__}:{method.__qualname__}"
