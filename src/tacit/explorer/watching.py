"""A training as it runs: its curves, its alarms, and whether it goes on, read from the run's folder."""

from pathlib import Path
from typing import Any

import tacit
from tacit.errors import TacitError
from tacit.evaluation.report import curves
from tacit.judging.telling import history


class Watched:
    """A run whose folder is looked at again whenever the page asks; nothing in it is changed or executed."""

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)
        if not (self.folder / "run.yaml").is_file():
            raise TacitError(f"{folder} holds no run.yaml; give the folder of a run, or a table that ends in .lance.")

    def told(self, seen: str) -> dict[str, Any]:
        """What is to be said of the run now; only its state where that is still the one that was `seen`."""
        state = self._state()
        if state == seen:
            return {"state": state}
        diagnosis = tacit.doctor(self.folder)
        lines = history(self.folder)
        return {
            "state": state,
            "name": self.folder.name,
            "title": diagnosis.title,
            "finished": diagnosis.finished,
            "faults": [fault.said for fault in diagnosis.faults if fault.name != "unfinished"],
            "hints": [hint.said for hint in diagnosis.hints],
            "now": _latest(lines),
            "curves": curves(lines) if len(lines) > 1 else "",
        }

    def _state(self) -> str:
        """Another one where the log or the encoder has changed."""
        marks = []
        for name in ("metrics.jsonl", "encoder.safetensors"):
            try:
                stat = (self.folder / name).stat()
                marks.append(f"{stat.st_size}.{stat.st_mtime_ns}")
            except FileNotFoundError:
                marks.append("none")
        return "-".join(marks)


def _latest(lines: list[dict[str, Any]]) -> dict[str, float]:
    """The last value of each number that tells how a training goes."""
    shown = ("epoch", "step", "loss", "effective_rank", "spread", "alignment", "uniformity", "knn")
    return {
        name: value
        for name in shown
        if (value := next((line[name] for line in reversed(lines) if line.get(name) is not None), None)) is not None
    }
