"""DirectPred: a predictor set by the correlation of its input does what a learned one does, and neither can be spared."""

import torch
from torch import Tensor, nn

from tacit.claims.claim import Claim, Found
from tacit.claims.training import Training, Untrained
from tacit.method import Batch, Encoder, Method
from tacit.methods.self_distillation.directpred import DirectPred
from tacit.numerics.exact import unit
from tacit.objectives.prediction import cosine_distance

SMALL = DirectPred.recipes["small"]
SHARED = {"size": 16, "width": 32, "batch": 128, "epochs": 10, "warmup": 1}


class Learned(Method):
    """The same with a linear predictor that is trained alone; told is how far it keeps the directions of the correlation."""

    paper, views, recipe = DirectPred.paper, DirectPred.views, SMALL.but(options={})
    turned: Tensor

    def __init__(self, encoder: Encoder):
        super().__init__(encoder)
        whole = DirectPred(encoder, **SMALL.options)
        self.projector, self.predictor, self.teacher = whole.projector, whole.predictor, whole.teacher
        self.register_buffer("turned", torch.zeros(()))

    def step(self, batch: Batch) -> dict[str, Tensor | tuple[Tensor, float]]:
        first, second = (self.projector(self.encoder(view)) for view in batch)
        batch.keep(first=first, second=second)
        return {"distance": predicted(self, batch, first, second), "turned": (self.turned.clone(), 0.0)}

    def after_step(self, batch: Batch) -> None:
        both = torch.cat([batch.kept["first"], batch.kept["second"]]).float()
        strengths, directions = torch.linalg.eigh(both.T @ both / len(both))
        kept = (unit((self.predictor.weight @ directions).T) * directions.T).sum(1)
        self.turned.copy_((kept * strengths).sum() / strengths.sum())
        self.teacher.follow(nn.Sequential(self.encoder, self.projector), SMALL.options["teacher_momentum"])


class WithoutPredictor(Method):
    """The same whose projections are compared themselves."""

    paper, views, recipe = DirectPred.paper, DirectPred.views, SMALL.but(options={})

    def __init__(self, encoder: Encoder):
        super().__init__(encoder)
        whole = DirectPred(encoder, **SMALL.options)
        self.projector, self.predictor, self.teacher = whole.projector, nn.Identity(), whole.teacher

    def step(self, batch: Batch) -> Tensor:
        first, second = (self.projector(self.encoder(view)) for view in batch)
        return predicted(self, batch, first, second)

    def after_step(self, batch: Batch) -> None:
        self.teacher.follow(nn.Sequential(self.encoder, self.projector), SMALL.options["teacher_momentum"])


def predicted(method: Learned | WithoutPredictor, batch: Batch, first: Tensor, second: Tensor) -> Tensor:
    """How far the prediction of each view is from the other's target."""
    of_first, of_second = (method.teacher(view) for view in batch)
    forth, back = cosine_distance(method.predictor(first), of_second), cosine_distance(method.predictor(second), of_first)
    return 2 * (forth + back)


def rule(found: Found) -> dict[str, bool]:
    return {
        "DirectPred learns: it is above the untrained encoder": found.above("DirectPred", "untrained"),
        "it is not below the learned linear predictor": not found.above("learned linear predictor", "DirectPred"),
        "without a predictor it collapses: DirectPred is above": found.above("DirectPred", "without a predictor"),
        "and the learned one keeps the correlation's strong directions: cosine above 0.5": found.mean(
            "learned linear predictor", "turned"
        )
        > 0.5,
    }


CLAIM = Claim(
    says="A predictor set by the eigenvectors of its input's correlation is above a trained linear one (+2.5 % on ImageNet, "
    "300 epochs), and on par with one of two layers; trained predictors align with these eigenvectors; without one it "
    "collapses.",
    here="5 000 images of cifar10-15k in place of STL-10 and ImageNet, seen at 16 pixels, small_resnet of width 32; 10 "
    "epochs of batches of 128 by one recipe, the target's momentum 0.9; linear probe of the test part. The learned "
    "predictor's directions are told by its cosine with each eigenvector, weighed by the eigenvalues.",
    arms={
        "untrained": Untrained(Training(DirectPred, 5_000, SHARED)),
        "without a predictor": Training(WithoutPredictor, 5_000, SHARED),
        "learned linear predictor": Training(Learned, 5_000, SHARED, watched=("turned",)),
        "DirectPred": Training(DirectPred, 5_000, SHARED),
    },
    metric="linear",
    rule=rule,
)
