"""SepCLR: what two sets have in common in one code, what only one of them has in another."""

import copy

import torch
from torch import Tensor, nn

from tacit.errors import TacitError, positive
from tacit.method import Batch, Encoder, Method, Paper, Recipe
from tacit.numerics.exact import full_precision, unit
from tacit.objectives.contrast.decoupled_uniformity import decoupled_uniformity
from tacit.objectives.contrast.joint_entropy import joint_entropy
from tacit.parts.looks import ONE_LOOK
from tacit.parts.mlp import mlp
from tacit.views.kinds import Raster

LOOKS = Raster(looks=2, of={"image": ONE_LOOK})
HIDDEN = 128  # of the heads


class SepCLR(Method):
    """Two encoders. Common codes of all samples, directions, agree between looks and lie apart. Salient codes do so of targets,
    of which the second stream, `background`, has nothing to say: its salient codes count as 0 where they are compared with
    targets', and are drawn to it. Both codes together are to fill space, so that neither knows of the other.

    What represents a sample are its common code, then its salient one, `dim` numbers each, before the heads. Weights, with
    1 for common codes: `salient` of targets' codes, `silence` of what draws the background to 0, `independence` of the rest.

    checked: neurospin-projects/2024_rlouiset_sep_clr@0e40bff
    Compared: the loss and its gradients by the training step of cifar_mnist/sep_clr_k-jem.py, and the joint entropy.
    Differs: targets and background are equally many in a batch, there as they come; looks keep the size of images, there 24 of
    32 pixels; the salient encoder begins as a copy of the common one; no biases before norms.
    """

    paper = Paper(
        "Separating common from salient patterns with Contrastive Representation Learning",
        "Louiset, Duchesnay, Grigis, Gori",
        2024,
        "arXiv:2402.11928",
    )
    streams = {"main": LOOKS, "background": LOOKS}
    whole_batch = True
    recipe = Recipe(lr=3e-4, batch=256, schedule="constant", epochs=250)
    recipes = {"small": Recipe(lr=1e-3, batch=128, weight_decay=1e-4, warmup=1, epochs=40)}

    def __init__(
        self,
        encoder: Encoder,
        *,
        dim: int = 32,
        temperature: float = 0.5,
        salient: float = 1000.0,
        silence: float = 1000.0,
        independence: float = 10.0,
    ):
        super().__init__(encoder)
        positive(dim=dim, temperature=temperature)
        if min(salient, silence, independence) < 0:
            raise TacitError(
                f"salient, silence and independence are {salient}, {silence}, {independence}; none may be below 0."
            )
        self.other = copy.deepcopy(encoder)
        self.common, self.salient = nn.Linear(encoder.dim, dim), nn.Linear(encoder.dim, dim)
        self.common_head, self.salient_head = mlp(dim, HIDDEN, dim), mlp(dim, HIDDEN, dim)
        self.t, self.weights = 1 / (2 * temperature), (salient, silence, independence)

    def step(self, batch: Batch):
        n = len(batch)
        looks = [torch.cat(pair) for pair in zip(batch, batch["background"])]
        common = [unit(self.common_head(self.common(self.encoder(look)))) for look in looks]
        salient = [self.salient_head(self.salient(self.other(look))).float() for look in looks]
        emptied = [torch.cat([s[:n], torch.zeros_like(s[n:])]) for s in salient]
        with full_precision():
            first, second = (s[:n] for s in salient)
            silence = torch.stack([s[n:].square().sum(1) for s in salient]).mean() * self.t
            together = [joint_entropy(c, s, self.t) for c, s in zip(common, emptied)]
            weights = dict(zip(("salient", "silence", "independence"), self.weights))
            terms = {
                "salient": self.agree(first, second) + self.apart(*emptied),
                "silence": silence,
                "independence": (together[0] + together[1]) / 2,
            }
            return {"common": self.agree(*common) + self.apart(*common)} | {k: (v, weights[k]) for k, v in terms.items()}

    def agree(self, first: Tensor, second: Tensor) -> Tensor:
        return self.t * (first - second).square().sum(1).mean()

    def apart(self, first: Tensor, second: Tensor) -> Tensor:
        """Twice the mean uniformity of both looks."""
        return decoupled_uniformity(first, self.t) + decoupled_uniformity(second, self.t)

    def represent(self, batch: Batch):
        (view,) = batch.views[:1]
        return torch.cat([self.common(self.encoder(view)), self.salient(self.other(view))], 1)
