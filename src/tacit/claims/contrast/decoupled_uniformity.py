"""Decoupled uniformity: apart by means of views alone, and helped by a prior where views are weak."""

from tacit.claims.claim import Claim, Found, interval
from tacit.claims.training import Training, Untrained
from tacit.methods.contrast.decoupled_uniformity import DecoupledUniformity
from tacit.methods.contrast.simclr import SimCLR

IMAGES, DIGITS = 10_000, "mnist-20k"
SHARED = {"size": 16, "flip": 0.0, "width": 32, "epochs": 8, "epoch_batches": 50, "lr": 1e-3, "warmup": 1}
WEAK = {"jitter": 0.0, "grey": 0.0, "crop": [0.8, 1.0]}


def rule(found: Found) -> dict[str, bool]:
    small = found.values("uniformity, batch 32") - found.values("SimCLR, batch 32")
    large = found.values("uniformity, batch 128") - found.values("SimCLR, batch 128")
    return {
        "it is above the untrained encoder": found.above("uniformity, batch 128", "untrained"),
        "it is not below SimCLR at batch 128": interval(large).high >= 0,
        "nor at batch 32": interval(small).high >= 0,
        "with weak views a prior is above none": found.above("weak views, kernel", "weak views"),
    }


CLAIM = Claim(
    says="Pushing apart the means of each sample's views learns as well as SimCLR without coupling pairs, and a kernel on "
    "what a generative model says improves it where views are weak.",
    here="10 000 digits of mnist-20k, whose codes of an autoencoder are near by class, in place of ImageNet100 and medical "
    "images, seen at 16 pixels without mirroring, small_resnet of width 32; 400 steps of each batch size by one recipe; weak "
    "views are crops of at least 80 % alone; the prior is a variational autoencoder of 5 epochs on the same images; linear "
    "probe of the test part. (A first run, of cifar10-15k and crops of half or more, where two images of one class are "
    "hardly nearer in such codes than others, met three of the four conditions.)",
    arms={
        "untrained": Untrained(Training(DecoupledUniformity, IMAGES, SHARED, DIGITS)),
        **{
            f"{name}, batch {n}": Training(method, IMAGES, {**SHARED, "batch": n}, DIGITS)
            for n in (32, 128)
            for name, method in (("SimCLR", SimCLR), ("uniformity", DecoupledUniformity))
        },
        "weak views": Training(DecoupledUniformity, IMAGES, {**SHARED, **WEAK, "batch": 64}, DIGITS),
        "weak views, kernel": Training(DecoupledUniformity, IMAGES, {**SHARED, **WEAK, "batch": 64, "prior_epochs": 5}, DIGITS),
    },
    metric="linear",
    rule=rule,
    seeds=5,
)
