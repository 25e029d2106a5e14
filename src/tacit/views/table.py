"""Rows of a table seen once more: cells from other rows' marginals, columns hidden, rows mixed."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from tacit.data.tabular.rows import Cells
from tacit.errors import TacitError, shares, unknown
from tacit.numerics import counter
from tacit.views import changed
from tacit.views.columns import Columns, Drawn
from tacit.views.kinds import MultiCrop, Neighbours, NeighbourValues, Pair, Plain, Single, Values, View


@dataclass(frozen=True)
class TableViews:
    """The options of a view of a row; it is written as `columns.layout` says, standardised by the training part.

    corrupt       probability that a cell is replaced by one drawn from its column's marginal (SCARF, Bahri et al. 2022,
                  arXiv:2106.15147, algorithm 1), from 64 quantiles of a number or the kept values of a category
    drop          probability that a column is hidden: all its slots are 0
    subset        share of the columns that a view shows, the others hidden (SubTab, Ucar et al. 2021, arXiv:2110.04361)
    local_subset  the same of a small view
    mix           how far a view may move towards a row drawn from the marginals: a share, uniform from 0 to this
    noise         standard deviation of what is added to numbers, in units of each column's own
    """

    columns: tuple[Mapping[str, Any], ...]  # measured over the training part: `data.tabular.measures`
    corrupt: float = 0.3
    drop: float = 0.0
    subset: float = 1.0
    local_subset: float = 0.5
    mix: float = 0.0
    noise: float = 0.0

    name: ClassVar[str] = "table"
    parts: ClassVar[int] = 1
    kinds: ClassVar[tuple[type[View], ...]] = (Plain, Single, Pair, Neighbours, NeighbourValues, MultiCrop, Values)
    unsuited: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        shares(corrupt=self.corrupt, drop=self.drop, subset=self.subset, local_subset=self.local_subset, mix=self.mix)
        if self.noise < 0:
            raise TacitError(f"noise is {self.noise}; give a strength of 0 or more.")
        if len(self.columns) < 2:
            names = ", ".join(column["name"] for column in self.columns)
            raise TacitError(
                f"The table has {len(self.columns)} column to learn from ({names}), and its views exchange and hide columns; "
                "give 2 or more, or open it as another kind with --as."
            )

    @classmethod
    def fit(cls, facts: Mapping[str, Any], **overrides: Any) -> "TableViews":
        """Options for a table of which `facts` says the measured `columns`."""
        return cls(tuple(facts["columns"])).but(**overrides)

    def but(self, **how: Any) -> "TableViews":
        """The same options with some changed."""
        if "columns" in how:
            raise TacitError("The columns are read off the table; say their types in a .yaml that names it.")
        return changed(self, how) if how else self

    @cached_property
    def known(self) -> Columns:
        return Columns(self.columns)

    @property
    def shape(self) -> tuple[int]:
        """Of one view: slots."""
        return (self.known.width,)

    def look(
        self, content: Cells, index: np.ndarray, key: int, role: str = "global", **how: Any
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """One view of each row: float32, n × d, on the content's device; and its parameters.

        content of any columns among which are those of the training part, in any order; index int64, n: whose randomness
        each row has; `how` changes options for this view. Parameters are `corrupted` and `hidden`, bool, n × columns. Role
        "plain" is encoded and nothing else, without parameters; "local" shows `local_subset` of the columns.
        """
        options, known = self.but(**how), self.known
        cells = self._understood(content)
        if role == "plain":
            return known.encoded(cells), {}
        if role not in ("global", "local"):
            raise unknown("role of a view", role, ("global", "local", "plain"))
        c, device = len(self.columns), content.numbers.device

        def uniform(name: str, columns: int = c) -> Tensor:
            return torch.from_numpy(counter.uniform(counter.key(key, name), index, columns)).to(device)

        corrupted = uniform("corrupt") < options.corrupt
        if options.corrupt:
            others = known.draw(uniform("marginal"))
            cells = Drawn(*(torch.where(corrupted, new, own) for new, own in zip(others, cells)))
        view = known.encoded(cells)
        if options.mix:
            view = view.lerp(known.encoded(known.draw(uniform("other row"))), uniform("mix", 1) * options.mix)
        if options.noise:
            numbers = [known.slots[i].start for i in known.numeric]
            drawn = torch.from_numpy(counter.normal(counter.key(key, "noise"), index, len(numbers))).to(device)
            view[:, numbers] += options.noise * drawn
        hidden = uniform("drop") < options.drop
        share = options.local_subset if role == "local" else options.subset
        if share < 1:
            shown = max(1, round(share * c))
            hidden |= uniform("subset").argsort(dim=1, stable=True).argsort(dim=1) >= shown
        return view.masked_fill(hidden[:, known.owner.to(device)], 0), {"corrupted": corrupted, "hidden": hidden}

    def unseen(self, content: Cells) -> dict[str, int]:
        """How many cells of each column hold a value that the training part has not: they are encoded as any other value."""
        found = self.known.unseen(self._ordered(content).codes).sum(0).tolist()
        return {column["name"]: count for column, count in zip(self.columns, found) if count}

    def _understood(self, content: Cells) -> Drawn:
        """The cells in the training columns' order; of values never seen in training it is warned, once for each column."""
        cells = self._ordered(content)
        unseen = self.known.unseen(cells.codes).any(0).tolist()
        for column, strange in zip(self.columns, unseen):
            if strange:
                warnings.warn(
                    f"Column {column['name']} holds values that the training part has not; each is read as 'another value'.",
                    stacklevel=4,
                )
        return cells

    def _ordered(self, content: Cells) -> Drawn:
        names, there = self.known.names.to(content.columns.device), content.columns
        if torch.equal(names, there):
            return Drawn(content.numbers, content.codes)
        same = names[:, None] == there[None, :]
        lacking: Sequence[str] = [c["name"] for c, found in zip(self.columns, same.any(1).tolist()) if not found]
        if lacking:
            raise TacitError(
                f"The table lacks {len(lacking)} of the {len(names)} columns that were trained on ({', '.join(lacking[:4])}); "
                "give one with the same columns, named alike."
            )
        order = same.int().argmax(1)
        return Drawn(content.numbers[:, order], content.codes[:, order])
