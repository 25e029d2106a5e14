"""MERU: as good at finding as the same encoders by cosine, and what is general nearer to the root."""

from tacit.claims.captions import OnCaptions
from tacit.claims.claim import Claim, Found
from tacit.methods.dual.align import ALIGN
from tacit.methods.dual.meru import MERU

CLIP = {"temperature": 0.07, "smoothing": 0.0}  # ALIGN's code with CLIP's objective
LEVEL = 5.0  # points of recall


def rule(found: Found) -> dict[str, bool]:
    return {
        "MERU finds pairs no more than five points worse than by cosine": found.gap("MERU", "cosine").value > -LEVEL,
        "it is above the untrained encoders": found.above("MERU", "untrained"),
        "texts are nearer to the root than their images": found.mean("MERU", "nearer") > 75,
        "which they are not without the entailment loss as often": found.above("MERU", "MERU, no entailment", "nearer"),
    }


CLAIM = Claim(
    says="In hyperbolic space images and texts find each other as well as CLIP's, and lie in a hierarchy that can be read: "
    "texts, which are more general, nearer to the root than their images.",
    here="908 emoji with their Unicode names in place of 12 million pairs, at 32 pixels, small_resnet (width 24) and an "
    "average of tokens in place of a ViT and a transformer, 168 steps of 128 pairs. Recall at 10 among 250 test pairs, mean of "
    "both directions. Captions of several levels, and walks to the root, are left out.",
    arms={
        "raw input": OnCaptions(MERU, which="raw input"),
        "untrained": OnCaptions(MERU, which="untrained encoder"),
        "cosine": OnCaptions(ALIGN, CLIP),
        "MERU, no entailment": OnCaptions(MERU, {"entailment": 0.0}),
        "MERU": OnCaptions(MERU),
    },
    metric="r10",
    rule=rule,
    kinds=("pair", "image", "text"),
    why="It is 9.1 points below the cosine at recall 10 (± 2.8) where 5 were allowed, and without the entailment loss 8.4 "
    "below (± 4.8), so that this loss is not the reason. Likely 168 steps on 908 pairs: the scores of own and nearest other "
    "text still differ by 0.01 only, where the paper has 120 000 steps on 12 million pairs. No longer run was tried.",
)
