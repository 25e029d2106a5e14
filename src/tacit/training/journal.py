"""What a training says while it runs: metrics.jsonl, TensorBoard and the line on the terminal."""

import json
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor

from tacit.errors import TacitError
from tacit.numerics import processes


class Journal:
    """Collects the terms of the loss without synchronising, and writes them down every few steps.

    The sums since the last line are part of the checkpoint, so that a resumed run writes the lines of an uninterrupted
    one; the file is cut back to what the checkpoint knew.
    """

    def __init__(self, folder: Path | None, quiet: bool, device: torch.device):
        """`device` is where the processes meet."""
        self.main = processes.rank() == 0
        self.path = folder / "metrics.jsonl" if folder is not None and self.main else None
        self.device = device
        self.sums: dict[str, Tensor] = {}
        self.steps, self.samples = 0, 0
        self.since = time.perf_counter()
        self.console = Console(stderr=True, quiet=quiet or not self.main)
        self.board: Any = None
        self.bar: Progress | None = None
        self.shown: dict[str, str] = {}  # on the bar, until the next of its name

    def begin(self, title: str, total: int, done: int, length: int) -> None:
        """Start a stage: a bar of `total` steps of which some are done, and a log cut to `length` bytes."""
        if self.path is not None:
            with _growing(self.path), self.path.open("ab") as file:
                file.truncate(min(length, file.tell()))
        if self.path is not None and self.board is None:
            from torch.utils.tensorboard import SummaryWriter  # a second to import: only when something is logged

            folder = self.path.parent / "tensorboard"
            with _growing(folder):
                self.board = SummaryWriter(folder, purge_step=done or None)
        columns = (TextColumn("{task.description}"), BarColumn(24), TimeRemainingColumn(), TextColumn("{task.fields[signs]}"))
        self.bar = Progress(*columns, console=self.console, transient=False)
        self.task = self.bar.add_task(title, total=total, completed=done, signs="  ".join(self.shown.values()))
        self.bar.start()
        self.since = time.perf_counter()

    def length(self) -> int:
        return self.path.stat().st_size if self.path is not None and self.path.exists() else 0

    def lines(self, stage: int) -> list[dict[str, Any]]:
        """What the file tells of a stage."""
        told = self.path.read_text().splitlines() if self.path is not None and self.path.exists() else []
        lines = (json.loads(line) for line in told if line.endswith("}"))  # a last one may not be whole
        return [line for line in lines if line["stage"] == stage]

    def add(self, terms: dict[str, Tensor], samples: int) -> None:
        """The terms of one step, still on the device."""
        for name, value in terms.items():
            self.sums[name] = self.sums[name] + value if name in self.sums else value.clone()
        self.steps, self.samples = self.steps + 1, self.samples + samples

    def waiting(self) -> dict[str, float]:
        """The sums of this process that no line has told yet."""
        return {name: float(value) for name, value in self.sums.items()}

    def means(self, stop: bool) -> tuple[dict[str, float], bool]:
        """The mean of every term since the last call over all processes, and whether any of them wants to stop."""
        values = [self.sums[name] / max(self.steps, 1) for name in sorted(self.sums)]
        packed = torch.stack([*(value.float() for value in values), torch.tensor(float(stop), device=self.device)])
        *means, stops = processes.mean(packed).tolist()
        names = sorted(self.sums)
        self.sums, self.steps = {}, 0
        return dict(zip(names, means)), stops > 0

    def write(self, line: dict[str, Any], completed: int) -> None:
        """One line of the training's numbers and its speed: to the file, to TensorBoard and to the bar."""
        elapsed = time.perf_counter() - self.since
        line["samples_per_second"] = round(self.samples / max(elapsed, 1e-9), 1)
        self.samples, self.since = 0, time.perf_counter()
        if line.get("effective_rank") is not None:
            self.shown["probe"] = f"rank {line['effective_rank']:.0f}  spread {line['spread']:.2f}"
        self.tell(line)
        shown = [f"loss {line.get('loss', math.nan):.3f}", f"{line['samples_per_second']:.0f}/s", *self.shown.values()]
        if self.bar is not None:
            self.bar.update(self.task, completed=completed, signs="  ".join(shown))

    def tell(self, line: dict[str, Any]) -> None:
        """One line of numbers: to the file and to TensorBoard; kNN accuracy stands on the bar from its next move on."""
        if self.path is not None:
            with _growing(self.path), self.path.open("a") as file:
                file.write(json.dumps({k: v if not _missing(v) else None for k, v in line.items()}) + "\n")
        for sentence in (line[name] for name in ("warning", "notice") if name in line):
            self.say(sentence)
        if self.path is not None and self.board is not None:
            with _growing(self.path.parent / "tensorboard"):
                for name, value in line.items():
                    if isinstance(value, float) and not _missing(value):
                        self.board.add_scalar(f"stage{line['stage']}/{name}", value, line["step"])
        if "knn" in line:
            self.shown["knn"] = f"knn {line['knn']:.3f}"

    def say(self, sentence: str) -> None:
        self.console.print(sentence, highlight=False, markup=False, soft_wrap=True)

    def end(self) -> None:
        if self.bar is not None:
            self.bar.stop()
            self.bar = None
        board, self.board = self.board, None
        if board is not None:
            try:
                board.close()
            except OSError as error:  # of a copy: it hides no error that came before, and ends no training that is whole
                self.say(f"TensorBoard's curves could not be finished ({error.strerror or error}); {self.path} has them.")

    def state(self) -> dict[str, Tensor]:
        return {**self.sums, "_steps": torch.tensor(self.steps)}

    def load(self, saved: dict[str, Tensor]) -> None:
        self.sums = {name: value.to(self.device) for name, value in saved.items() if name != "_steps"}
        self.steps = int(saved["_steps"]) if "_steps" in saved else 0


@contextmanager
def _growing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TacitError(
            f"{path} could not be written ({error.strerror or error}); free some space and go on with --resume: what was saved "
            "before is whole."
        ) from error


def _missing(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)
