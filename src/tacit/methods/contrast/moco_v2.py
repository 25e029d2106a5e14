"""MoCo v2: a queue of keys from a momentum encoder."""

from tacit.errors import positive, shares
from tacit.method import Batch, Encoder, Method, Paper, Recipe
from tacit.objectives.info_nce import info_nce
from tacit.parts.looks import ONE_LOOK
from tacit.parts.mlp import mlp
from tacit.parts.queue import KeyQueue
from tacit.views.kinds import Pair


class MoCoV2(Method):
    """A view finds the other view's key, made by a slow copy of the encoder, among the keys of the last batches.

    checked: facebookresearch/moco@5a429c0
    Compared: loss, gradient, keys, queue, momentum update and the keys' own batch statistics over three steps of SGD.
    Differs: batch norms see the whole batch, where the released code shuffles samples between the devices' own norms;
    its key encoder moves before a batch and ours after the last, to the same place; it lets norms and biases decay too
    and lowers the rate by epochs.
    """

    paper = Paper("Improved Baselines with Momentum Contrastive Learning", "Chen, Fan, Girshick, He", 2020, "arXiv:2003.04297")
    views = Pair(of={"image": ONE_LOOK})
    recipe = Recipe(optimizer="sgd", lr=0.03, batch=256, weight_decay=1e-4, epochs=200)
    recipes = {
        "small": Recipe(
            optimizer="adamw",
            lr=2e-3,
            batch=256,
            weight_decay=1e-4,
            warmup=2,
            epochs=40,
            options={"queue": 4096, "teacher_momentum": 0.99, "temperature": 0.1},
        )
    }

    def __init__(
        self,
        encoder: Encoder,
        *,
        dim: int = 128,
        temperature: float = 0.2,
        queue: int = 65536,
        teacher_momentum: float = 0.999,
    ):
        super().__init__(encoder)
        positive(dim=dim, temperature=temperature)
        shares(teacher_momentum=teacher_momentum)
        self.projector = mlp(encoder.dim, encoder.dim, dim, norm=False)
        self.queue = KeyQueue(queue, dim, self.encoder, self.projector)
        self.temperature, self.teacher_momentum = temperature, teacher_momentum

    def step(self, batch: Batch):
        first, second = batch
        key = self.queue.keys(second)
        batch.keep(key=key)
        return info_nce(self.projector(self.encoder(first)), key, self.queue.rows, self.temperature)

    def after_step(self, batch: Batch):
        self.queue.take(batch.kept["key"], self.teacher_momentum, self.encoder, self.projector)
