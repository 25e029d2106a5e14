"""Vectors and rows of tables in, with their standardisation."""

import json
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from tacit.data.samples import Samples
from tacit.exporting.front import Front, one
from tacit.views.columns import ADDRESSES, DAY, FAINT, WEEK, YEAR
from tacit.views.table import TableViews
from tacit.views.vector import VectorViews


class VectorFront(Front):
    """Vectors -> standardised ones."""

    names = ("vector",)
    varying = ({0: "batch"},)

    def __init__(self, views: VectorViews, facts: Mapping[str, Any]):
        super().__init__()
        self.mean, self.std = views.mean, views.std
        self.said = (f"float32, batch × {len(views.mean)}",)

    def forward(self, vector: Tensor) -> Tensor:
        mean, std = torch.tensor(self.mean), torch.tensor(self.std)
        return (vector - mean) / torch.where(std > 0, std, 1.0)

    def made_up(self) -> tuple[Tensor, ...]:
        generator = torch.Generator().manual_seed(0)
        return (torch.randn(3, len(self.mean), generator=generator) * torch.tensor(self.std) + torch.tensor(self.mean),)

    def sample(self, samples: Samples, position: int) -> tuple[tuple[Tensor, ...], Any]:
        content, bad = samples.read(one(position))
        if bad:
            raise ValueError(bad[position])
        return (content.values,), content


class TableFront(Front):
    """Numbers, and numbers of categories -> what `views.columns.layout` says, standardised.

    Each input holds the columns of its sort in the order of the training part, which a JSON file beside the export tells.
    Strings are no business of a graph of tensors: a category comes as its place in that file's list of values.
    """

    def __init__(self, views: TableViews, facts: Mapping[str, Any]):
        super().__init__()
        self.views, known = views, views.known
        self.hashed = [i for i in known.others if known.slots[i].hashed]
        sorts = [("numbers", known.numeric), ("categories", known.others), ("addresses", self.hashed)]
        said = {
            "numbers": "float64, batch × {}: numbers and dates (seconds since 1970), NaN where missing",
            "categories": "int64, batch × {}: the place of each value in its column's `values`, their number for any other",
            "addresses": f"int64, batch × {{}}: code % {ADDRESSES} of each value of a column with more values than places",
        }
        self.places = {name: places for name, places in sorts if places}
        self.names = tuple(self.places)
        self.varying = ({0: "batch"},) * len(self.names)
        self.said = tuple(said[name].format(len(self.places[name])) for name in self.names)
        self.periods = torch.tensor([[DAY, WEEK, YEAR], [0.0, 3 * DAY, 0.0]], dtype=torch.float64)  # and what is added before
        self.mean, self.std, self.still = *known.scale, known.constant  # made here: what tracing makes is fake

    def forward(self, *inputs: Tensor) -> Tensor:
        known, given = self.views.known, dict(zip(self.names, inputs))
        where = {name: {i: at for at, i in enumerate(places)} for name, places in self.places.items()}
        found = []
        for i, slots in enumerate(known.slots):
            if slots.type in ("number", "date"):
                at = where["numbers"][i]
                value = given["numbers"][:, at : at + 1]
                still = value.isnan() | self.still[at]
                found.append(torch.where(still, 0.0, (value - self.mean[at]) / self.std[at]).float())
                if slots.type == "date":
                    found.append(self._turns(value))
                if slots.flagged:
                    found.append(value.isnan().float())
            else:
                at, many = where["categories"][i], slots.width - slots.hashed
                found.append((given["categories"][:, at : at + 1] == torch.arange(many)).float())
                if slots.hashed:
                    at = where["addresses"][i]
                    found.append(given["addresses"][:, at : at + 1].float() * FAINT)
        return torch.cat(found, 1)

    def _turns(self, seconds: Tensor) -> Tensor:
        """Sine and cosine of the time of day, week and year: n × 6. A whole turn is left out first, since exporters keep
        numbers such as 2 π in float32."""
        turn = (seconds + self.periods[1]) / self.periods[0]
        angle = (turn - turn.floor()) * (2 * torch.pi)
        return torch.where(turn.isnan()[:, :, None], 0.0, torch.stack([angle.sin(), angle.cos()], 2)).flatten(1).float()

    def made_up(self) -> tuple[Tensor, ...]:
        generator, known = torch.Generator().manual_seed(0), self.views.known
        found = {"numbers": torch.randn(3, len(known.numeric), generator=generator, dtype=torch.float64) * self.std + self.mean}
        many = [known.slots[i].width - known.slots[i].hashed for i in known.others]
        found["categories"] = (torch.rand(3, len(many), generator=generator) * torch.tensor(many)).long()
        found["addresses"] = torch.randint(0, ADDRESSES, (3, len(self.hashed)), generator=generator)
        return tuple(found[name] for name in self.names)

    def sample(self, samples: Samples, position: int) -> tuple[tuple[Tensor, ...], Any]:
        content, bad = samples.read(one(position))
        if bad:
            raise ValueError(bad[position])
        known = self.views.known
        order = (known.names[:, None] == content.columns).int().argmax(1)
        numbers, codes = content.numbers[:, order], content.codes[:, order]
        row, _ = self.views.look(content, one(position), 0, "plain")
        slots = [row[:, known.slots[i].start : known.slots[i].stop - known.slots[i].hashed] for i in known.others]
        found = {"numbers": numbers[:, known.numeric], "addresses": codes[:, self.hashed] & (ADDRESSES - 1)}
        if slots:
            found["categories"] = torch.stack([slot.argmax(1) for slot in slots], 1)
        return tuple(found[name] for name in self.names), content

    def beside(self) -> dict[str, str]:
        told = ("name", "type", "values", "mean", "std")
        columns = {
            name: [{key: value for key, value in self.views.columns[i].items() if key in told} for i in places]
            for name, places in self.places.items()
        }
        return {"columns.json": json.dumps(columns, indent=1, ensure_ascii=False)}
