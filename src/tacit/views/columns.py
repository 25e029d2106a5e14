"""Where each column of a table stands in a view, and how cells become numbers there."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

ADDRESSES = 2**24  # of values that have no place of their own: as many as float32 tells apart
FAINT = 2.0**-34  # an address times this lies below 1/1024, where it weighs nothing among standardised numbers
DAY, WEEK, YEAR = 86_400.0, 7 * 86_400.0, 365.2425 * 86_400.0  # seconds


class Slots(NamedTuple):
    """The place of a column in a view."""

    name: str
    type: str  # number, date, boolean or category
    start: int
    width: int  # with the flag, if there is one, or the address
    flagged: bool  # whether its last slot says that a cell is missing
    hashed: bool  # whether its last slot is an address, for it has more values than places

    @property
    def stop(self) -> int:
        return self.start + self.width


def layout(columns: Sequence[Mapping[str, Any]]) -> list[Slots]:
    """Where the columns of a training part (`data.tabular.measures`) stand, one after another.

    number    its standardised value
    date      its standardised value, then sine and cosine of the time of day, of the week and of the year
    category  a slot for each value that is kept, missing among them where it occurs, and one for any other
    A flag follows a number or date of which the training part misses some; an address a category that has other values.
    """
    found, at = [], 0
    for column in columns:
        numeric = column["type"] in ("number", "date")
        flagged = numeric and column["missing"] > 0
        hashed = not numeric and column["distinct"] > len(column["values"])
        width = {"number": 1, "date": 7}.get(column["type"], 0) if numeric else len(column["values"]) + 1
        found.append(Slots(column["name"], column["type"], at, width + flagged + hashed, flagged, hashed))
        at += width + flagged + hashed
    return found


class Drawn(NamedTuple):
    """Cells of n rows in the order of the training columns, understood: what `encoded` writes into a view."""

    values: Tensor  # float64, n × c: of numbers and dates as they are, NaN where missing
    codes: Tensor  # int64, n × c


class Columns:
    """The measured columns of a training part, as tensors."""

    def __init__(self, columns: Sequence[Mapping[str, Any]]):
        self.columns, self.slots = list(columns), layout(columns)
        self.width = self.slots[-1].stop
        self.numeric = [i for i, slots in enumerate(self.slots) if slots.type in ("number", "date")]
        self.others = [i for i in range(len(self.slots)) if i not in set(self.numeric)]

    @cached_property
    def names(self) -> Tensor:
        """The codes of the columns' names: int64, c."""
        from tacit.data.tabular.rows import codes_of

        return torch.from_numpy(codes_of([column["name"] for column in self.columns]))

    @cached_property
    def owner(self) -> Tensor:
        """Of each slot, the column: int64, d."""
        return torch.repeat_interleave(torch.tensor([slots.width for slots in self.slots]))

    @cached_property
    def scale(self) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of the numeric columns; where it is 0, 1."""
        mean = torch.tensor([self.columns[i]["mean"] for i in self.numeric], dtype=torch.float64)
        std = torch.tensor([self.columns[i]["std"] for i in self.numeric], dtype=torch.float64)
        return mean, torch.where(std > 0, std, 1)

    @cached_property
    def constant(self) -> Tensor:
        return torch.tensor([self.columns[i]["std"] == 0 for i in self.numeric], dtype=torch.bool)

    @cached_property
    def kept(self) -> dict[int, tuple[Tensor, Tensor]]:
        """Of each column of values: their codes, sorted, and the slot of each."""
        found: dict[int, tuple[Tensor, Tensor]] = {}
        for i in self.others:
            codes = torch.tensor([int(code) for code in self.columns[i]["codes"].split()], dtype=torch.int64)
            ordered, place = codes.sort()
            found[i] = ordered, place
        return found

    @cached_property
    def marginals(self) -> list[Tensor]:
        """Of each column its quantiles, or where the share of each kept value ends in [0, 1]: float64."""
        found = []
        for slots, column in zip(self.slots, self.columns):
            given = column["quantiles" if slots.type in ("number", "date") else "counts"].split()
            series = np.array(given, np.float64)
            found.append(torch.from_numpy(series if "quantiles" in column else series.cumsum() / series.sum()))
        return found

    def draw(self, uniform: Tensor) -> Drawn:
        """Cells drawn from the marginals: uniform n × c in [0, 1), one quantile, or one kept value by its frequency, each."""
        n, c = uniform.shape
        values = torch.full((n, c), torch.nan, dtype=torch.float64, device=uniform.device)
        codes = torch.zeros(n, c, dtype=torch.int64, device=uniform.device)
        for i in range(c):
            u = uniform[:, i].contiguous()
            if self.slots[i].type in ("number", "date"):
                if len(quantiles := self.marginals[i].to(u.device)):
                    values[:, i] = quantiles[(u * len(quantiles)).long()]
                continue
            edges, (known, order) = self.marginals[i].to(u), (part.to(u.device) for part in self.kept[i])
            place = torch.searchsorted(edges, u, right=True).clamp(max=len(edges) - 1)
            codes[:, i] = known[order.argsort()][place]
        return Drawn(values, codes)

    def encoded(self, cells: Drawn) -> Tensor:
        """float32, n × d: each column in its slots (`layout`); NaN is 0, with its flag where there is one."""
        n, device = len(cells.values), cells.values.device
        out = torch.zeros(n, self.width, device=device)
        if self.numeric:
            mean, std = (part.to(device) for part in self.scale)
            values = cells.values[:, self.numeric]
            scaled = ((values - mean) / std).masked_fill(values.isnan() | self.constant.to(device), 0)
            out[:, [self.slots[i].start for i in self.numeric]] = scaled.float()
        for i in self.numeric:
            slots, value = self.slots[i], cells.values[:, i]
            if slots.type == "date":
                out[:, slots.start + 1 : slots.start + 7] = _turns(value)
            if slots.flagged:
                out[:, slots.stop - 1] = value.isnan().float()
        for i in self.others:
            slots, code = self.slots[i], cells.codes[:, i].contiguous()
            known, place = (part.to(device) for part in self.kept[i])
            at = torch.searchsorted(known, code).clamp(max=len(known) - 1)
            slot = torch.where(known[at] == code, place[at], len(known))
            out.scatter_(1, (slots.start + slot)[:, None], 1.0)
            if slots.hashed:
                out[:, slots.stop - 1] = (code.bitwise_and(ADDRESSES - 1)).float() * FAINT
        return out

    def unseen(self, codes: Tensor) -> Tensor:
        """Which cells hold a value that the training part has not: bool, n × c; of columns with addresses none can be told."""
        found = torch.zeros(codes.shape, dtype=torch.bool, device=codes.device)
        for i in self.others:
            if not self.slots[i].hashed:
                found[:, i] = ~torch.isin(codes[:, i], self.kept[i][0].to(codes.device))
        return found


def addresses(view: Tensor) -> Tensor:
    """What stands in the slots for addresses as whole numbers below ADDRESSES: int64."""
    return (view.float() / FAINT).round().long().clamp(0, ADDRESSES - 1)


def _turns(seconds: Tensor) -> Tensor:
    """Sine and cosine of where a time stands in its day, week and year: n × 6, 0 where it is missing."""
    turns = torch.stack([seconds / DAY, (seconds + 3 * DAY) / WEEK, seconds / YEAR], 1) * (
        2 * torch.pi
    )  # 1970 began on a Thursday
    return torch.stack([turns.sin(), turns.cos()], 2).flatten(1).nan_to_num(0.0).float()
