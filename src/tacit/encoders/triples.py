"""The encoder of entities: a table with one row for each."""

import torch
from torch import Tensor, nn

from tacit.errors import TacitError
from tacit.method import Facts


class EntityTable(nn.Module):
    """A vector for each entity that training knows; of a triple the head's is given."""

    dim: int
    table: nn.Embedding

    def __init__(self, facts: Facts, *, width: int = 100):
        super().__init__()
        if "entities" not in facts.more:
            raise TacitError(
                f"The encoder entities needs triples, and the data are of kind {facts.kind}; take another encoder."
            )
        if width < 1:
            raise TacitError(f"entities got width {width}; give 1 or more.")
        self.table = nn.Embedding(len(facts.more["entities"]), width)
        nn.init.xavier_uniform_(self.table.weight)
        self.dim = width

    def forward(self, x: Tensor) -> Tensor:
        """Triples n × 3, or entities as triples of which only the head is said -> n × dim."""
        return self.lookup(x[:, 0])

    def lookup(self, index: Tensor) -> Tensor:
        """Positions in the vocabulary, of any shape -> that shape × dim; refuses those outside of it."""
        if (
            index.device.type == "cpu"
            and index.numel()
            and not 0 <= int(index.min()) <= int(index.max()) < len(self.table.weight)
        ):
            raise TacitError(
                f"Entity {int(index.min())} to {int(index.max())} came where {len(self.table.weight)} were trained on; "
                "open the triples with the run (run.open)."
            )
        return self.table(index)

    @torch.no_grad()
    def to_sphere(self) -> None:
        """Every row to length 1."""
        self.table.weight.copy_(nn.functional.normalize(self.table.weight, dim=1))
