"""MixedAE: mixed images teach an autoencoder more than hidden patches, once patches are to know their own image."""

from typing import Any

from tacit.claims.claim import Claim, Found
from tacit.claims.self_distillation.udi import Kept
from tacit.claims.training import UNTRAINED, Training
from tacit.methods.masked.mae import MAE
from tacit.methods.masked.mixedae import MixedAE

IMAGES, EPOCHS = 3_000, 40
SHARED: dict[str, Any] = {
    "size": 24,
    "patch": 4,
    "width": 96,
    "depth": 3,
    "heads": 3,
    "batch": 128,
    "epochs": EPOCHS,
    "warmup": 2,
}
SHARED |= {"lr": 1e-3, "scale": "none", "decoder_width": 48, "decoder_depth": 1, "decoder_heads": 3}
ALONE = {"attended": 1.0, "recognition": 0.0, "hold": {"segments": EPOCHS}}  # segments stay 0


def rule(found: Found) -> dict[str, bool]:
    return {
        "it is above the untrained encoder": found.above("MixedAE", "untrained"),
        "it is above MAE": found.above("MixedAE", "MAE"),
        "mixing alone is below MAE": found.above("MAE", "mixing alone"),
        "its maps are above MAE's": found.above("MixedAE", "MAE", "dense_miou"),
    }


CLAIM = Claim(
    says="Naive mixing harms a masked autoencoder; with homologous recognition it is better than MAE, on dense prediction most "
    "(ImageNet-1K fine-tuning +0.3 %, ADE20K +1.7 mIoU).",
    here="3 000 images of cifar10-15k, seen at 24 pixels, in place of ImageNet; small_vit of three blocks of 96 for patches "
    "of 4 pixels, a decoder of one block of 48; 40 epochs of batches of 128, of each image a quarter of the patches "
    "seen in every arm. Linear probe of the mean of the tokens; mean intersection over union of classes by a linear "
    "head on the encoder's maps of pictures of four small images, 1 500 to fit it and 1 500 of the test part. (A first "
    "run asked maps where a large square lay, which one that knows places alone tells as well as all arms did; one of "
    "four conditions was met.)",
    arms={
        "untrained": Kept(Training(MAE, IMAGES, {**SHARED, **UNTRAINED}), "untrained encoder"),
        "MAE": Kept(Training(MAE, IMAGES, SHARED)),
        "mixing alone": Kept(Training(MixedAE, IMAGES, {**SHARED, **ALONE})),
        "MixedAE": Kept(Training(MixedAE, IMAGES, SHARED)),
    },
    metric="linear",
    rule=rule,
    why="Mixing alone is no worse than hiding here (47.1 and 47.0), so that there is nothing for homologous recognition "
    "to mend: at 24 pixels a mixture of patches of 4 is told apart by colour alone. MixedAE is 0.7 below MAE by the "
    "linear probe (± 0.3) and 0.2 by its maps (± 0.2). The paper trains 300 to 1 600 epochs of "
    "ImageNet. No longer run was tried.",
)
