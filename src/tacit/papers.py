"""What is known of methods besides their code: the kinds of data that their papers train on, and on which they were measured.

A table apart from the classes, whose definitions the numbers of claims depend on. `measured.json` beside this file is written
by `docs/generate.py` from the stored results of benchmarks and claims.
"""

import json
from collections.abc import Mapping
from pathlib import Path

IN_PAPER: Mapping[str, tuple[str, ...]] = {  # kinds as they are called here; what a paper only evaluates on does not count
    "simclr": ("image",),
    "dcl": ("image",),
    "npid": ("image",),
    "moco_v2": ("image",),
    "grace": ("graph",),
    "simcse": ("text",),
    "decoupled_uniformity": ("image",),
    "triplet_net": ("image",),
    "isogclr": ("image", "pair"),  # CIFAR, ImageNet, iNaturalist; CC3M
    "sepclr": ("image",),
    "scatsimclr": ("image",),
    "subspace_learners": ("image",),
    "byol": ("image",),
    "simsiam": ("image",),
    "dino": ("image",),
    "dcglr": ("cloud",),
    "directpred": ("image",),
    "myow": ("image", "vector"),  # CIFAR, Tiny ImageNet; counts of spikes
    "barlow_twins": ("image",),
    "vicreg": ("image", "audio", "pair"),  # ImageNet, ESC-50, COCO's captions
    "sie": ("image",),
    "tldr": ("vector",),  # of images and texts, by frozen encoders
    "swav": ("image",),
    "sela": ("image",),
    "deepercluster": ("image",),
    "odc": ("image",),
    "scan": ("image",),
    "lls_ddfa": ("image",),
    "jule": ("image",),
    "unicom": ("image",),
    "clusterfit": ("image", "video"),  # ImageNet-22K, hashtags of Instagram, IG-Video
    "cpp_rate_reduction": ("image",),  # by a frozen encoder
    "mlc_manifold": ("image",),
    "scgc": ("graph",),  # of samples that are no graph, the graph of their nearest neighbours
    "mae": ("image",),
    "sit": ("image",),
    "mixedae": ("image",),
    "point_mae": ("cloud",),
    "hypeboy": ("hypergraph",),
    "ssast": ("audio",),
    "mlm": ("text",),
    "vgae": ("graph",),
    "distmult": ("triples",),
    "transe": ("triples",),
    "bilinear": ("triples",),
    "ntn": ("triples",),
    "poincare_embeddings": ("graph", "triples"),  # collaborations of authors, WordNet
    "fisher_info_embedding": ("graph",),
    "clan": ("table",),
    "gcool": ("graph",),
    "d_sla": ("graphs",),
    "clusterns": ("text",),
    "dclr": ("text",),
    "mochi": ("image",),
    "g_simclr": ("image",),
    "feature_transform": ("image",),
    "invariance_propagation": ("image",),
    "mocl_hnf": ("image",),
    "obow": ("image",),
    "mugs": ("image",),
    "udi": ("image",),
    "cotap": ("image",),
    "beclr": ("image",),
    "bss": ("image",),
    "mcl": ("image", "pair"),  # CIFAR, Trifeature; CLIP
    "ssl_item_recs": ("interactions",),
    "infomgf": ("graph",),
    "isoalign": ("series",),
    "cvrl": ("video",),
    "rspnet": ("video",),
    "composition_cse": ("text",),
    "lfr": ("image", "series", "table"),  # Kvasir; HAR, Epilepsy; Income, HEPMASS
    "t_jepa": ("table",),
    "cpc": ("image", "audio", "text"),
    "wav2vec": ("audio",),
    "opn": ("video",),
    "rotnet": ("image",),
    "jigclu": ("image",),
    "pixpro": ("image",),
    "sla": ("image",),
    "align": ("pair",),
    "convirt": ("pair",),
    "meru": ("pair",),
    "llave": ("pair",),
    "matryoshka": ("image", "pair", "text"),  # ImageNet and JFT; ALIGN; BERT's masked tokens
    "deepwalk": ("graph",),
    "node2vec": ("graph",),
    "line": ("graph",),
    "sent2vec": ("text",),
}


def measured() -> dict[str, dict[str, str]]:
    """By method and kind of data: the page that shows what was measured here, from the root of the project."""
    found: dict[str, dict[str, str]] = json.loads(Path(__file__).with_name("measured.json").read_text(encoding="utf-8"))
    return found
