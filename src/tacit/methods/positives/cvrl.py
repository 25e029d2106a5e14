"""CVRL: two clips of a video, from moments that are seldom far apart."""

from tacit.errors import positive
from tacit.method import Batch, Encoder, Method, Paper, Recipe
from tacit.objectives.nt_xent import nt_xent
from tacit.parts.mlp import mlp
from tacit.views.kinds import Apart


class CVRL(Method):
    """Clips of one video agree, those of others do not; frames of a clip are cropped and coloured alike.

    unverified: tensorflow/models@0225b13, official/projects/video_ssl, was read beside (losses/losses.py,
    ops/video_ssl_preprocess_ops.py, modeling/video_ssl_model.py) and not run. Its loss is that of SimCLR's code, with which
    `nt_xent` was compared, the two directions added; both clips go through the network, and its norms, together.
    Differs: both clips are changed by one distribution, where that code always blurs the first, and seldom the second, which
    it solarises too; the interval's power is of 1 − d/room and not of d/room (at 1, the paper's, they are one); a video
    shorter than a clip is repeated from its start, not from anywhere.
    """

    paper = Paper(
        "Spatiotemporal Contrastive Video Representation Learning",
        "Qian, Meng, Gong, Yang, Wang, Belongie, Cui",
        2020,
        "arXiv:2008.03800",
    )
    views = Apart(of={"video": {"crop": (0.3, 1.0), "ratio": (0.5, 2.0)}})
    whole_batch = True
    recipe = Recipe(optimizer="sgd", lr=0.32, batch=1024, weight_decay=1e-6, warmup=5, epochs=200)
    recipes = {
        "small": Recipe(optimizer="adamw", lr=2e-3, batch=64, weight_decay=1e-4, warmup=2, epochs=40, options={"hidden": 256})
    }

    def __init__(self, encoder: Encoder, *, hidden: int = 2048, dim: int = 128, temperature: float = 0.1):
        super().__init__(encoder)
        positive(hidden=hidden, dim=dim, temperature=temperature)
        self.head = mlp(encoder.dim, hidden, hidden, hidden, dim)
        self.temperature = temperature

    def step(self, batch: Batch):
        (clips,) = batch
        z = self.head(self.encoder(clips.transpose(0, 1).flatten(0, 1)))
        first, second = z.chunk(2)
        return 2 * nt_xent(first, second, self.temperature)
