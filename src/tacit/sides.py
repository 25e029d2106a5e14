"""The two sides of a run on pairs: what is known of each part alone, in the space that both have in common."""

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn

from tacit import data
from tacit.data.pairs import Pairs
from tacit.data.samples import Samples
from tacit.errors import TacitError
from tacit.material import at_side
from tacit.method import Dual
from tacit.representing import check_suits
from tacit.run import Run, seen
from tacit.views import Program
from tacit.views.kinds import Plain

Look = Callable[[Any, int], Tensor]  # a view of part 0 or 1 -> n × d, in the common space
PARTS = ("first", "second")


@runtime_checkable
class Shared(Protocol):
    """What a method offers whose common space is not where its encoders' answers lie."""

    def shared(self, view: Any, part: int) -> Tensor: ...


def look_of(trained: nn.Module | None) -> Look:
    """By a method or an encoder of pairs."""
    if isinstance(trained, Shared):
        return trained.shared
    both = getattr(trained, "encoder", trained)
    if not isinstance(both, Dual):
        raise TacitError(f"{type(trained).__name__} has no encoder of each part; take one that has, such as dual.")
    return lambda view, part: (both.first, both.second)[part](view)


class Side:
    """A run on pairs that is asked about one of their parts alone, as if it were a run on that kind of data."""

    def __init__(self, run: Run, part: int):
        self.run, self.part, self.path = run, part, run.path
        self.device, self.similarity = run.device, run.similarity
        self.kind = run.facts.more[PARTS[part]]["kind"]

    def open(self, source: Any, kind: str | None = None) -> Samples:
        return at_side(data.open(source, kind), dict(self.run.facts.more[PARTS[self.part]]))

    def fingerprint(self) -> str:
        return self.run.fingerprint()

    def represent(self, content: Any, index: np.ndarray) -> list[Tensor]:
        """Decoded content of n samples -> n × d, on the CPU, as a list of one."""
        look = look_of(self.run.method if self.run.method is not None else self.run.encoder)
        return _looked(self.run, look, self.part, content, index)


def side_of(run: Run, samples: Samples) -> Run | Side:
    """The run itself, or of a run on pairs the side that reads such samples where they are no pairs."""
    if run.facts.kind != "pair" or isinstance(samples, Pairs):
        return run
    kinds = [run.facts.more[part]["kind"] for part in PARTS]
    if samples.kind not in kinds:
        raise TacitError(
            f"{samples.source} holds samples of kind {samples.kind} and {run.path} was trained on pairs of {kinds[0]} and "
            f"{kinds[1]}; give one of these."
        )
    return Side(run, kinds.index(samples.kind))


@torch.no_grad()
def of_part(run: Run, look: Look, samples: Samples, part: int, batch: int = 256) -> Tensor:
    """All samples of one part through `look`: N × d."""
    check_suits(samples, run.facts.more[PARTS[part]], run.path)
    rows = []
    for start in range(0, len(samples), batch):
        index = np.arange(start, min(start + batch, len(samples)))
        content, bad = samples.read(index)
        if bad:
            position, why = next(iter(bad.items()))
            raise TacitError(f"{samples.ids[position]} cannot be read ({why}); remove it.")
        rows += _looked(run, look, part, content, index)
    return torch.cat(rows)


def _looked(run: Run, look: Look, part: int, content: Any, index: np.ndarray) -> list[Tensor]:
    """Decoded content of one part through `look`: n × d, as a list of one."""
    program = Program(Plain(), getattr(run.views, PARTS[part]))
    return seen(lambda batch: look(batch.views[0], part), program, content, index, 0, run.device, run.autocast, whole=True)
