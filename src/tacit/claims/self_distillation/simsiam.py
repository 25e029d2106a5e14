"""SimSiam: no negatives and no teacher, but neither the stopped gradient nor the predictor can be spared."""

from torch import Tensor, nn

from tacit.claims.claim import Claim, Found
from tacit.claims.training import Training, Untrained
from tacit.method import Batch, Encoder, Method
from tacit.methods.self_distillation.simsiam import SimSiam
from tacit.objectives.prediction import cosine_distance

SMALL = SimSiam.recipes["small"]
SHARED = {"size": 16, "batch": 128, "epochs": 10, "warmup": 1}


class WithoutStop(Method):
    """SimSiam whose targets get gradient too."""

    paper, views, recipe = SimSiam.paper, SimSiam.views, SMALL.but(options={})

    def __init__(self, encoder: Encoder):
        super().__init__(encoder)
        whole = SimSiam(encoder, **SMALL.options)
        self.projector = nn.Sequential(whole.projector, whole.standardise)
        self.predictor = whole.predictor

    def groups(self) -> dict[str, dict[str, str]]:
        return {"predictor": {"schedule": "constant"}}

    def step(self, batch: Batch) -> Tensor:
        first, second = (self.projector(self.encoder(view)) for view in batch)
        return (cosine_distance(self.predictor(first), second) + cosine_distance(self.predictor(second), first)) / 2


class WithoutPredictor(Method):
    """SimSiam that compares the projections themselves."""

    paper, views, recipe = SimSiam.paper, SimSiam.views, SMALL.but(options={})

    def __init__(self, encoder: Encoder):
        super().__init__(encoder)
        whole = SimSiam(encoder, **SMALL.options)
        self.projector = nn.Sequential(whole.projector, whole.standardise)

    def step(self, batch: Batch) -> Tensor:
        first, second = (self.projector(self.encoder(view)) for view in batch)
        return (cosine_distance(first, second.detach()) + cosine_distance(second, first.detach())) / 2


def rule(found: Found) -> dict[str, bool]:
    return {
        "SimSiam learns: it is above the untrained encoder": found.above("SimSiam", "untrained"),
        "it is above itself without the stopped gradient": found.above("SimSiam", "without the stopped gradient"),
        "which learns nothing: it is not above the untrained encoder": not found.above(
            "without the stopped gradient", "untrained"
        ),
        "it is above itself without the predictor": found.above("SimSiam", "without the predictor"),
        "which learns nothing either": not found.above("without the predictor", "untrained"),
    }


CLAIM = Claim(
    says="Two views, one encoder, a predictor and a stopped gradient learn without negatives, momentum or large batches; "
    "without the stopped gradient, or without the predictor, the representation collapses.",
    here="5 000 images of cifar10-15k in place of ImageNet, seen at 16 pixels, small_resnet; 10 epochs of batches of 128; "
    "kNN of the test part. Collapse is taken as kNN no better than before training.",
    arms={
        "untrained": Untrained(Training(SimSiam, 5_000, SHARED)),
        "SimSiam": Training(SimSiam, 5_000, SHARED),
        "without the stopped gradient": Training(WithoutStop, 5_000, SHARED),
        "without the predictor": Training(WithoutPredictor, 5_000, SHARED),
    },
    metric="knn",
    rule=rule,
)
