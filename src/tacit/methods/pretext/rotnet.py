"""RotNet: which way up an image is."""

from torch import nn
from torch.nn.functional import cross_entropy

from tacit.method import Batch, Encoder, Method, Paper, Recipe
from tacit.parts.images.turns import TURNS, turns
from tacit.views.kinds import Raster


class RotNet(Method):
    """Every image comes four times, turned by 0, 90, 180 and 270 degrees, and a linear layer tells which is which.

    A `batch` counts images, of which the encoder sees four times as many. Where no side is up, as in seeds or cells, there is
    nothing to be learned.

    checked: gidariss/FeatureLearningRotNet@edafaba
    Compared: the four turns, their order and their labels, by the code's own rotate_img.
    Differs: crops are resized, there shifted by up to 4 pixels of 32; any encoder for the network in network of 4 blocks, whose
    second block is what the paper probes; the rate falls to a tenth, there to a fifth; norms and biases do not decay.
    """

    paper = Paper(
        "Unsupervised Representation Learning by Predicting Image Rotations",
        "Gidaris, Singh, Komodakis",
        2018,
        "arXiv:1803.07728",
    )
    views = Raster(of={"image": {"crop": (0.75, 1.0), "jitter": 0.0, "grey": 0.0, "blur": 0.0}})
    recipe = Recipe(
        optimizer="sgd", lr=0.1, batch=128, weight_decay=5e-4, schedule="step", milestones=(0.3, 0.6, 0.8), epochs=200
    )
    recipes = {"small": Recipe(optimizer="adamw", lr=1e-3, batch=64, weight_decay=1e-4, warmup=1, epochs=40)}

    def __init__(self, encoder: Encoder):
        super().__init__(encoder)
        self.head = nn.Linear(encoder.dim, TURNS)

    def step(self, batch: Batch):
        turned, which = turns(batch.views[0])
        return cross_entropy(self.head(self.encoder(turned)).float(), which)
