"""ConVIRT."""

from torch import nn

from tacit.errors import TacitError, positive
from tacit.method import Batch, Dual, Method, Paper, Recipe
from tacit.objectives.dual.matched import matched
from tacit.parts.sequences.unchanged import TEXT
from tacit.views.kinds import Paired

SEEN = {"crop": (0.6, 1.0), "brightness": 0.4, "contrast": 0.4, "saturation": 0.0, "hue": 0.0, "jitter": 1.0, "grey": 0.0}
SEEN |= {"blur": 1.0, "blur_sigma": (0.1, 3.0), "solarise": 0.0}


class ConVIRT(Method):
    """An image finds what was written of it, and a text its image, through heads that are for this alone.

    Of several texts of an image each look draws one. What is embedded, to be searched with words, is what the heads say; for
    classification the encoder of images is taken without its head.

    unverified: yuhaozhang/convirt@cf6add8 holds evaluation sets only; edreisMD/ConVIRT-pytorch@423963e was read, whose loss is
    twice this one.
    Differs: both encoders are trained from nothing, in the paper that of texts goes on from ClinicalBERT, half of it frozen;
    images are not turned or sheared; on images up to 64 pixels strengths of colour are those of the data's views; the rate
    falls by a cosine, not when validation stalls.
    """

    paper = Paper(
        "Contrastive Learning of Medical Visual Representations from Paired Images and Text",
        "Zhang, Jiang, Miura, Manning, Langlotz",
        2022,
        "arXiv:2010.00747",
    )
    views = Paired(of={"pair": {"image": SEEN, "text": TEXT}})
    whole_batch = True
    recipe = Recipe(optimizer="adamw", lr=1e-4, batch=32, weight_decay=1e-6, epochs=200)
    recipes = {"small": Recipe(optimizer="adamw", lr=1e-3, batch=256, weight_decay=1e-2, epochs=60, warmup=3)}

    def __init__(self, encoder: Dual, *, dim: int = 512, temperature: float = 0.1, to_text: float = 0.75):
        super().__init__(encoder)  # type: ignore[arg-type]  # the base knows encoders of one part
        positive(dim=dim, temperature=temperature)
        if not 0 <= to_text <= 1:
            raise TacitError(f"to_text is {to_text}; give the weight of images finding texts, from 0 to 1.")
        self.heads = nn.ModuleList(_head(encoder.dim, dim) for _ in range(2))
        self.temperature, self.to_text = temperature, to_text

    def step(self, batch: Batch):
        image, text = (self.shared(view, part) for part, view in enumerate(batch))
        finds_text, finds_image = matched(image, text, 1 / self.temperature)
        return {"finds_text": (finds_text, self.to_text), "finds_image": (finds_image, 1 - self.to_text)}

    def shared(self, view, part: int):
        """Images (part 0) or texts (1) where they are compared: n × dim."""
        return self.heads[part]((self.encoder.first, self.encoder.second)[part](view))

    def represent(self, batch: Batch):
        return self.shared(batch.views[0], 0)


def _head(wide: int, dim: int) -> nn.Module:
    return nn.Sequential(nn.Linear(wide, dim), nn.ReLU(), nn.Linear(dim, dim))
