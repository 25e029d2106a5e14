"""Where batches come from: an order of positions, their content read ahead, the views drawn on the device."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import torch

from tacit.errors import TacitError
from tacit.method import Batch, Plan
from tacit.numerics import counter


class Source(NamedTuple):
    """What a stream draws on: opened samples and the two programs that turn their content into views."""

    samples: Any  # tacit.data.samples.Samples
    program: Any  # content, index, key, partners -> views, params
    plain: Any  # the same without randomness


class Stream:
    """One stream of batches. Orders, partners and views are pure functions of (seed, stage, name, epoch, sample)."""

    def __init__(
        self,
        name: str,
        source: Source,
        batch: int,
        key: int,
        device: torch.device,
        labelled: bool = False,
        context: Any = None,
        multiple: int = 1,
        epoch_batches: int = 0,
    ):
        self.n = len(source.samples)
        self.batch = max(batch - batch % multiple, multiple)  # so that processes and micro-batches share it evenly
        if self.batch > self.n:
            smaller = f"give --batch {max(self.n // 2, 1)} or less."
            if self.batch > batch:
                smaller = "one for each process and micro-batch; give more samples, or less to --devices or --accumulate."
            elif labelled:  # --batch is of the streams without labels
                smaller = f"the stream {name!r} needs as many, so give more."
            raise TacitError(
                f"A batch of {self.batch} is larger than the {self.n} samples of {source.samples.source}; {smaller}"
            )
        if labelled and source.samples.labels is None:
            raise TacitError(f"The stream {name!r} needs labels and {source.samples.source} has none; give class folders.")
        self.name, self.source, self.key, self.device = name, source, key, device
        self.why_other = f"so that {multiple} shares are alike" if batch % multiple else "as its stream with labels says"
        self.labelled, self.context = labelled, context
        self.epoch_batches, self.multiple = epoch_batches, multiple
        self.lap: tuple[int, list[np.ndarray]] = (-1, [])  # of a stream that cycles: the order in use
        self.reader = ThreadPoolExecutor(1, thread_name_prefix=f"read-{name}")

    def order(self, epoch: int, plan: Plan | None = None) -> list[np.ndarray]:
        """The batches of an epoch, each an array of positions; a plan's batches are cut to shares of equal size."""
        if plan is not None and plan.batches is not None:
            batches = [np.asarray(batch, dtype=np.int64) for batch in plan.batches]
            return [b[: len(b) - len(b) % self.multiple] for b in batches if len(b) >= self.multiple]
        count = self.epoch_batches or self.n // self.batch
        if plan is not None and plan.weights is not None:
            edges = np.cumsum(np.asarray(plan.weights, dtype=np.float64))
            high, low = counter.uniform(self._key("order", epoch), np.arange(count * self.batch), 2).astype(np.float64).T
            draws = (high + low * 2.0**-24) * edges[-1]  # of 48 bits, by which every sample can be met
            positions = np.minimum(np.searchsorted(edges, draws, side="right"), self.n - 1)
        else:
            laps = -(-count * self.batch // (self.n - self.n % self.batch))
            whole = self.n - self.n % self.batch
            positions = np.concatenate(
                [counter.permutation(self._key("order", epoch, lap), self.n)[:whole] for lap in range(laps)]
            )
        return list(positions[: count * self.batch].reshape(count, self.batch))

    def at(self, step: int) -> tuple[np.ndarray, int]:
        """The positions and the lap of a stream that cycles, at the step-th batch of the stage."""
        per_lap = self.n // self.batch
        lap, place = divmod(step, per_lap)
        if self.lap[0] != lap:
            self.lap = (lap, self.order(lap))
        return self.lap[1][place], lap

    def load(self, index: np.ndarray, epoch: int, number: int = 0, plan: Plan | None = None, content: Any = None) -> Batch:
        """The batch of these positions. `number`, its place in the epoch, tells repeated draws of a sample apart."""
        repeats = self.epoch_batches * self.batch > self.n or (plan is not None and plan.repeats)
        key = self._key("views", epoch, number if repeats else 0)
        content = self._read(index, epoch, plan) if content is None else content
        own, partner = (None if part is None else move(part, self.device) for part in content)
        views, params = self.source.program(own, index, key, partner)
        labels = move(torch.from_numpy(self.source.samples.labels[index]), self.device) if self.labelled else None
        positions = move(torch.from_numpy(index), self.device)
        return Batch(views, positions, params=params, key=key, context=self.context, labels=labels, positions=index)

    def ahead(self, todo: list[tuple[np.ndarray, int]], epoch: int, plan: Plan | None) -> Iterator[Batch]:
        """The batches of these (positions, number), the next one's content being read while this one is used."""
        waiting: Future | None = None
        for place, (index, number) in enumerate(todo):
            content = (waiting or self.reader.submit(self._read, index, epoch, plan)).result()
            if place + 1 < len(todo):
                waiting = self.reader.submit(self._read, todo[place + 1][0], epoch, plan)
            yield self.load(index, epoch, number, plan, content)

    def plain(self, index: np.ndarray) -> Batch:
        """The batch of these positions without randomness, for embedding."""
        content, _ = self._read(index, 0, None)
        views, params = self.source.plain(move(content, self.device), index, 0)
        positions, key = torch.from_numpy(index).to(self.device), self._key("plain")
        return Batch(views, positions, params=params, key=key, context=self.context, positions=index)

    def batches(self, size: int) -> Iterator[Batch]:
        """All samples without randomness, in their order."""
        for at in range(0, self.n, size):
            yield self.plain(np.arange(at, min(at + size, self.n)))

    def end(self) -> None:
        """No more reading ahead; `load` and `plain` go on."""
        self.reader.shutdown(wait=False, cancel_futures=True)

    def _read(self, index: np.ndarray, epoch: int, plan: Plan | None) -> tuple[Any, Any]:
        """The content of these samples, and of their partners where a plan names some."""
        partners = None
        if plan is not None and plan.partners is not None:
            candidates = np.asarray(plan.partners)[index]
            draws = counter.uniform(self._key("partner", epoch), index, 1)[:, 0]
            place = np.minimum((draws * candidates.shape[1]).astype(int), candidates.shape[1] - 1)
            partners = self._content(candidates[np.arange(len(index)), place])
        return self._content(index), partners

    def _content(self, index: np.ndarray) -> Any:
        content, bad = self.source.samples.read(index)
        if bad:
            position, why = next(iter(bad.items()))
            raise TacitError(
                f"{self.source.samples.ids[position]} could be read when training began and cannot be read now ({why}); "
                "put it back, or start again without it; --resume goes on from the last save."
            )
        return content

    def _key(self, *parts: int | str) -> int:
        return counter.key(self.key, self.name, *parts)


def move(content: Any, device: torch.device) -> Any:
    """The same content on a device: tensors and named tuples of them; what else all batches share stays where it is."""
    if isinstance(content, torch.Tensor):
        return content.to(device, non_blocking=True)
    if not isinstance(content, tuple):
        return content
    return type(content)(*(move(part, device) for part in content))
