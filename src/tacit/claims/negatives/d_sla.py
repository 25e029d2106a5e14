"""D-SLA: graphs apart from their edited copies in proportion to the edits are above graphs made equal to them."""

from torch import Tensor

from tacit.claims.claim import Claim, Found
from tacit.claims.graphs import Folded
from tacit.method import Batch, Encoder, Method, Paper
from tacit.methods.contrast.simclr import SimCLR
from tacit.methods.negatives.d_sla import DSLA
from tacit.objectives.nt_xent import nt_xent
from tacit.parts.mlp import mlp
from tacit.views.kinds import Edited

SHARED = {"encoder": "mean_gin", "width": 64, "depth": 3, "batch": 64, "lr": 1e-3}
SETS = {"MUTAG": ("tu-mutag", 100), "PROTEINS": ("tu-proteins", 40)}  # and epochs


class Invariant(Method):
    """SimCLR of D-SLA's copies: the least edited one is the unedited one's positive, other graphs are negatives."""

    paper = Paper("Graph Contrastive Learning with Augmentations", "You, Chen, Sui, Chen, Wang, Shen", 2020, "arXiv:2010.13902")
    views = Edited(of={"graphs": {"edit_copies": 2, "edit_strong": False}})
    whole_batch = True
    recipe = DSLA.recipe

    def __init__(self, encoder: Encoder, *, temperature: float = 0.2):
        super().__init__(encoder)
        self.projector = mlp(encoder.dim, encoder.dim, encoder.dim, norm=False)
        self.temperature = temperature

    def step(self, batch: Batch) -> Tensor:
        (view,) = batch
        z = self.projector(self.encoder(view)).view(*batch.params[0]["distance"].shape, -1)
        return nt_xent(z[:, 0], z[:, 1], self.temperature)


def arms(title: str, name: str, epochs: int) -> dict[str, Folded]:
    """What is compared on one set."""
    options = {**SHARED, "epochs": epochs}
    graph_cl = {**options, "recipe": "paper", "optimizer": "adamw", "scale": "none", "weight_decay": 0.0, "warmup": 0}
    return {
        f"untrained, {title}": Folded(DSLA, name, options, "untrained encoder"),
        f"SimCLR, {title}": Folded(SimCLR, name, {**graph_cl, "schedule": "constant", "temperature": 0.2, "dim": 64}),
        f"SimCLR of the same copies, {title}": Folded(Invariant, name, options),
        f"D-SLA, {title}": Folded(DSLA, name, options),
    }


def rule(found: Found) -> dict[str, bool]:
    said = {}
    for title in SETS:
        for other in ("untrained", "SimCLR", "SimCLR of the same copies"):
            said[f"{title}: it is above {other}"] = found.above(f"D-SLA, {title}", f"{other}, {title}")
        for other in ("SimCLR", "SimCLR of the same copies"):
            said[f"{title}: its distances follow edits more than those of {other}"] = found.above(
                f"D-SLA, {title}", f"{other}, {title}", "spearman"
            )
    return said


CLAIM = Claim(
    says="Telling a graph from its perturbed copies, by embeddings as far apart as edits are many, largely outperforms "
    "contrastive and predictive pretraining on molecules, proteins and links of social networks.",
    here="MUTAG (188 molecules) and PROTEINS (1,113) of the TU sets in place of two million molecules; GIN of 3 × 64, mean "
    "over nodes, the same for all; 100 and 40 epochs in batches of 64 at 1e-3; frozen embeddings judged by ten folds, where "
    "the paper fine-tunes. SimCLR with GraphCL's views (a fifth of the nodes dropped), and on D-SLA's own copies. Spearman's "
    "correlation of Euclidean distances with edits of 5 to 40 % of a graph's edges, within a graph.",
    arms={arm: folded for title, (name, epochs) in SETS.items() for arm, folded in arms(title, name, epochs).items()},
    metric="accuracy",
    rule=rule,
    seeds=3,
    kinds=("graphs",),
    why="On MUTAG it is 1.4 points below the untrained encoder (± 8.7), on PROTEINS 0.1 above (± 2.8), nowhere beyond doubt "
    "above SimCLR, and its distances follow edits less (0.67 and 0.73 against SimCLR's 0.76 and 0.78). Likely 188 and 1 113 "
    "graphs are too few for two million molecules, a frozen encoder gains less than a tuned one, and it learns edits of "
    "regions with most nodes masked but is asked about edits of whole graphs without masks. No longer run was tried.",
)
