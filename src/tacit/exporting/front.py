"""What goes into an exported file, and how it becomes the plain view that the run embeds."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tacit.data.samples import Samples
from tacit.errors import TacitError
from tacit.run import Run
from tacit.sides import PARTS, look_of

FRONTS = {  # by the kind of data: where its front is
    "image": "tacit.exporting.images:ImageFront",
    "video": "tacit.exporting.images:VideoFront",
    "audio": "tacit.exporting.sequences:SoundFront",
    "series": "tacit.exporting.sequences:SeriesFront",
    "vector": "tacit.exporting.rows:VectorFront",
    "table": "tacit.exporting.rows:TableFront",
    "text": "tacit.exporting.texts:TextFront",
    "cloud": "tacit.exporting.clouds:CloudFront",
    "graph": "tacit.exporting.graphs:NodesFront",
    "graphs": "tacit.exporting.graphs:GraphsFront",
}
REFUSED = {  # by the kind of data: why nothing can be exported
    "triples": "its entities are rows of a table and no function of anything",
    "interactions": "its users and items are known by their numbers in the log and not by what they are",
    "hypergraph": "a node's vector is that of its place in the whole hypergraph, which would have to go into the file",
}


class Front(nn.Module):
    """The first part of an exported graph: raw input in, what the run's encoder is fed out.

    It takes tensors called `names`, whose lengths may vary along the axes in `varying`. It is made of operations that ONNX
    has, and computes what `views.look(content, …, "plain")` does, and for images what decoding to the run's size does.
    """

    names: tuple[str, ...]
    varying: tuple[dict[int, str], ...]  # of each input: axis -> what its length is called
    said: tuple[str, ...]  # of each input: type, shape and meaning

    def made_up(self) -> tuple[Tensor, ...]:
        """Inputs of the right form, by which the graph is traced: no length of a varying axis is 0, 1 or another's."""
        raise NotImplementedError

    def sample(self, samples: Samples, position: int) -> tuple[tuple[Tensor, ...], Any]:
        """A real sample twice: as this front takes it, and as the run's views do."""
        raise NotImplementedError

    def seen(self, view: Any) -> Any:
        """What the run's views made of a sample, in the form that `forward` gives."""
        return view

    def beside(self) -> dict[str, str]:
        """Files that are needed to make the inputs, by what their name ends in."""
        return {}


class Whole(nn.Module):
    """From raw input to the vector that the run embeds, with `unit` of length 1."""

    def __init__(self, front: Front, trained: nn.Module, represent: Callable[[nn.Module, Any], Tensor], unit: bool):
        super().__init__()
        self.front, self.trained, self.represent, self.unit = front, trained, represent, unit

    def forward(self, *inputs: Tensor) -> Tensor:
        found = self.represent(self.trained, self.front(*inputs)).float()
        return nn.functional.normalize(found, dim=1) if self.unit else found


def front_of(run: Run, part: int) -> Front:
    """The front of a run; of a run on pairs that of one part. A TacitError says why a kind has none."""
    views, facts = run.views, dict(run.facts.more)
    if run.facts.kind == "pair":
        views, facts = getattr(views, PARTS[part]), facts[PARTS[part]]
    elif part:
        raise TacitError(f"--part is of runs on pairs, and {run.path} was trained on {run.facts.kind}; leave it out.")
    if facts["kind"] in REFUSED:
        raise TacitError(
            f"{run.path} was trained on {facts['kind']}, and cannot be exported: {REFUSED[facts['kind']]}; embed it and take "
            "the vectors out with tacit table --export."
        )
    module, _, name = FRONTS[facts["kind"]].partition(":")
    return getattr(import_module(module), name)(views, facts)


def represent_of(run: Run, part: int) -> Callable[[Any, Any], Tensor]:
    """How what is trained makes a vector of a plain view; of a run on pairs of one part's."""
    if part:
        return lambda trained, view: look_of(trained)(view, part)
    if run.method is not None:
        from tacit.method import Batch, Method

        if type(run.method).represent is not Method.represent:
            return lambda trained, view: trained.represent(Batch([view], torch.arange(view.shape[0])))
        return lambda trained, view: trained.encoder(view)
    return lambda trained, view: trained(view)


def one(position: int) -> np.ndarray:
    return np.array([position])


def length(row: Tensor) -> Tensor:
    """How long a tensor of one axis is, as a number that ONNX computes: float64, without axes."""
    return torch.ones_like(row, dtype=torch.float64).sum()
