"""Whether an encoder learns as much from tacit's views as from torchvision's: `rivals/bin/python benchmarks/guard.py`.

    python -m venv rivals && rivals/bin/pip install . lightly kornia albumentations opencv-python-headless
    TACIT_DATA=… OMP_NUM_THREADS=1 rivals/bin/python benchmarks/guard.py      # all seeds that are missing

SimCLR of its small recipe, a narrow small_resnet, 5 000 images of cifar10-15k at 32 pixels, 15 epochs of batches of 128; kNN on
all 3 000 test images, whose neighbours are among all 15 000 training images. All arms are trained by the same loop; in two the
method makes its own two looks of the plain images, by torchvision v2 as benchmarks/views.py has it, one by one: of images in
whole numbers, which it rounds to after each operation, and of the same images in float32, in which tacit computes. A row is a
seed. The rule: the mean difference from whole numbers is at most 0.3 points below; floats tell whether rounding is the reason.
"""

from functools import partial

import torch
from rows import Measure, Row, main
from views import MEAN, STD, by_tensors, one_by_one

from tacit.claims.training import Training
from tacit.method import Batch, Encoder, Facts, Method
from tacit.methods.contrast.simclr import SimCLR
from tacit.views import compiled, pixels
from tacit.views.kinds import Plain

SHARED = {"size": 32, "width": 16, "batch": 128, "epochs": 15, "warmup": 1}
SEEDS = 15  # five were planned; ten were added, since the interval of five, of 1.5 points to each side, could not tell


class Reference(Method):
    """SimCLR of views by torchvision v2."""

    paper, views, whole_batch, recipe, recipes = SimCLR.paper, Plain(), True, SimCLR.recipe, SimCLR.recipes

    def __init__(self, encoder: Encoder, *, dim: int = 128, temperature: float = 0.1, floats: bool = False):
        super().__init__(encoder)
        self.floats, self.inner = floats, SimCLR(encoder, dim=dim, temperature=temperature)

    def prepare(self, facts: Facts) -> None:
        self.mean, self.std = (torch.tensor(facts.more[name])[:, None, None] for name in ("mean", "std"))
        self.look = by_tensors(32, 0.5, 0.2, 0.0)

    def step(self, batch: Batch):
        shown = ((batch.views[0] * self.std + self.mean) * 255).round().clamp(0, 255)
        theirs = one_by_one(self.look, list(shown / 255 if self.floats else shown.byte()), 1)()
        undone = [view * torch.tensor(STD)[:, None, None] + torch.tensor(MEAN)[:, None, None] for view in theirs]
        return self.inner.step(Batch([(view - self.mean) / self.std for view in undone], batch.index, key=batch.key))


def seeded(seed: int) -> Row:
    floats = {"floats": True}
    arms = {"tacit": (SimCLR, {}), "torchvision v2": (Reference, {}), "torchvision v2, float32": (Reference, floats)}
    found = {name: Training(method, 5_000, SHARED | more).measure(seed, False) for name, (method, more) in arms.items()}
    return {"knn": {name: round(measures["knn"], 3) for name, measures in found.items()}}


COUNTS = (pixels, compiled, Reference, seeded)
MEASURES = {f"seed {seed}": Measure(partial(seeded, seed), COUNTS) for seed in range(SEEDS)}

if __name__ == "__main__":
    main(__doc__, "guard.json", MEASURES, {})
