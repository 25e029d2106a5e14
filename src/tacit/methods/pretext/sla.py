"""SLA: classes times transformations are the labels, so that no class has to look alike when it is transformed."""

from itertools import permutations

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, kl_div

from tacit.errors import TacitError, positive
from tacit.method import Batch, Encoder, Facts, Labelled, Method, Paper, Recipe
from tacit.numerics.exact import full_precision
from tacit.views.kinds import Raster

# Of three channels: as they are, all cyclic ones, or all there are, in the released code's order
CYCLIC: list[tuple[int, ...]] = [(0, 1, 2), (1, 2, 0), (2, 0, 1)]
ORDERS = {1: CYCLIC[:1], 3: CYCLIC, 6: list[tuple[int, ...]](permutations(range(3)))}


class SLA(Method):
    """A classifier that learns from labels: every image comes in all its copies, turned and with other orders of colour, and
    one linear layer tells class and transformation at once. What it says of all copies, averaged, is what is predicted; a
    second layer learns to say it of the image as it is, with the weight `distillation`.

    The main stream carries labels. A copy's number is its turn's times the orders of colour and its order's.

    checked: hankook/SLA@bc5d9cd
    Compared: copies, all terms, averaged answers and gradients by its own trainer, for three of its transformations.
    Differs: any encoder for CIFAR's ResNet-32; crops are resized, there shifted by up to 4 pixels; the last weights are kept,
    there those best on a part held out; the sum over copies, which the code has for large data, is left out.
    """

    paper = Paper("Self-supervised Label Augmentation via Input Transformations", "Lee, Hwang, Shin", 2020, "arXiv:1910.05872")
    streams = {
        "main": Labelled(Raster(of={"image": {"crop": (0.75, 1.0), "jitter": 0.0, "grey": 0.0, "blur": 0.0}}), batch=128)
    }
    recipe = Recipe(optimizer="sgd", lr=0.1, batch=128, weight_decay=1e-4, schedule="step", milestones=(0.5, 0.75), epochs=205)
    recipes = {"small": Recipe(optimizer="adamw", lr=1e-3, batch=128, weight_decay=1e-4, warmup=1, epochs=40)}

    def __init__(
        self,
        encoder: Encoder,
        *,
        rotations: int = 4,
        colour_orders: int = 1,
        distillation: float = 1.0,
        temperature: float = 1.0,
    ):
        super().__init__(encoder)
        positive(temperature=temperature)
        if rotations not in (1, 2, 4) or colour_orders not in ORDERS or distillation < 0:
            raise TacitError(
                f"rotations is {rotations}, colour_orders {colour_orders} and distillation {distillation}; give 1, 2 or 4 "
                "rotations, 1, 3 or 6 orders and a weight of 0 or more."
            )
        self.rotations, self.orders, self.weight, self.temperature = rotations, ORDERS[colour_orders], distillation, temperature
        self.copies = rotations * colour_orders

    def prepare(self, facts: Facts):
        if len(self.orders) > 1 and facts.shape[0] != 3:
            raise TacitError(f"Images of {facts.shape[0]} channels have no orders of colour; leave --colour-orders out.")
        self.joint = nn.Linear(self.encoder.dim, facts.more["classes"] * self.copies)
        self.single = nn.Linear(self.encoder.dim, facts.more["classes"])

    def step(self, batch: Batch):
        joint, single = self.answers(batch.views[0])
        labels = batch.labels
        assert labels is not None  # the stream carries them
        target = labels[:, None] * self.copies + torch.arange(self.copies, device=labels.device)
        with full_precision():
            said = (single / self.temperature).log_softmax(1)
            wanted = (averaged(joint, self.copies).detach() / self.temperature).softmax(1)
            distilled = self.temperature**2 * kl_div(said, wanted, reduction="batchmean")
        return {
            "joint": cross_entropy(joint.flatten(0, 1), target.flatten()),
            "single": (cross_entropy(single, labels), self.weight),
            "distilled": (distilled, self.weight),
        }

    def answers(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Of all copies, n × copies × (classes · copies), and of the image as it is, n × classes; float32."""
        seen = transformed(x, self.rotations, self.orders)
        z = self.encoder(seen.flatten(0, 1)).unflatten(0, seen.shape[:2])
        return self.joint(z).float(), self.single(z[:, 0]).float()

    def predict(self, view: Tensor) -> Tensor:
        """The class that all copies together say: int64, n."""
        return averaged(self.answers(view)[0], self.copies).argmax(1)


def transformed(x: Tensor, rotations: int, orders: list[tuple[int, ...]]) -> Tensor:
    """Images n × c × s × s, by 1 or 4 quarters of a turn or 2 halves, each in all orders of colour: n × copies × c × s × s."""
    turned = (x.rot90(quarter, (2, 3)) for quarter in range(0, 4, 4 // rotations))
    return torch.stack([one[:, list(order)] if len(orders) > 1 else one for one in turned for order in orders], 1)


def averaged(joint: Tensor, copies: int) -> Tensor:
    """Of each copy what it says of classes with its own transformation, the mean over copies: -> n × classes."""
    return joint.unflatten(2, (-1, copies)).diagonal(dim1=1, dim2=3).mean(2)
