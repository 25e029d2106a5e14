"""SimCSE, unsupervised."""

from tacit.errors import positive
from tacit.method import Batch, Encoder, Method, Paper, Recipe
from tacit.numerics.exact import unit
from tacit.objectives.n_pair import n_pair
from tacit.parts.sequences.unchanged import TEXT
from tacit.parts.text.sentence_head import sentence_head
from tacit.views.kinds import Pair


class SimCSE(Method):
    """A text finds itself among others; what differs between its two looks is the encoder's dropout and nothing else.

    The head, a layer with tanh, is for training alone. The views of texts are whole and unchanged; `--crop` and `--drop` would
    change that. Other kinds of data are seen in the views that they have.

    checked: princeton-nlp/SimCSE@49fa580
    Compared: head, loss and gradient.
    Differs: what the encoder gives goes to the head, of the native ones a mean of tokens and not the first; the rate falls by a
    cosine; over several processes gradient reaches all looks, not only those of the process itself.
    """

    paper = Paper("SimCSE: Simple Contrastive Learning of Sentence Embeddings", "Gao, Yao, Chen", 2021, "arXiv:2104.08821")
    views = Pair(of={"text": TEXT})
    whole_batch = True
    recipe = Recipe(optimizer="adamw", lr=3e-5, batch=64, epochs=1, clip=1.0)
    recipes = {"small": Recipe(optimizer="adamw", lr=1e-3, batch=256, epochs=5, warmup=0.5, clip=1.0)}

    def __init__(self, encoder: Encoder, *, temperature: float = 0.05):
        super().__init__(encoder)
        positive(temperature=temperature)
        self.projector = sentence_head(encoder.dim)
        self.temperature = temperature

    def step(self, batch: Batch):
        first, second = (unit(self.projector(self.encoder(view))) for view in batch)
        return n_pair(first[None], second[None], 1 / self.temperature)
