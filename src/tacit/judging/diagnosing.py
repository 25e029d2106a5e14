"""`tacit doctor`: what went wrong in a run, why, and what to try, from what lies in its folder."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from shlex import quote
from typing import Any

import numpy as np

from tacit.config import Config
from tacit.errors import TacitError
from tacit.evaluation.meanings import MEANINGS
from tacit.judging.telling import history

ALIKE = 1e-3  # of a full spread: below it no two samples differ
UNCHANGED, EASY = 0.95, 0.05  # of the overlap before training: nothing was learned; and where there was little to learn
FALLEN, RISING = 0.05, 0.02  # of online kNN accuracy: more than its noise
SLOWER = 2.0
BASELINES = ("raw input", "untrained encoder")
Back = dict[tuple[int, str], dict[str, Any]]  # by stage and cause, the line of the log in which an alarm was taken back


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or that could be better."""

    name: str
    said: str  # what was seen, its likely cause, what to try
    step: int = -1  # when it was seen, -1 where it is of the whole run
    share: float = math.nan  # of its stage that had passed by then


@dataclass(frozen=True)
class Diagnosis:
    """What the doctor found: faults first, then hints; none of both means that nothing is known to be wrong."""

    run: str
    title: str
    finished: bool
    lines: int  # of the log that were read
    faults: list[Finding]
    hints: list[Finding]

    def __str__(self) -> str:
        parts = [self.title]
        if not self.faults:
            parts.append(f"Nothing is known to be wrong: no alarm stands after {self.lines} lines of its log.")
        parts += [f"{place}. {_when(finding)}{finding.said}" for place, finding in enumerate(self.faults, 1)]
        parts += [f"Hint: {finding.said}" for finding in self.hints]
        return "\n".join(parts)

    def as_dict(self) -> dict[str, Any]:
        """JSON only: NaN becomes None."""
        said = asdict(self)
        for finding in (*said["faults"], *said["hints"]):
            finding["share"] = None if math.isnan(finding["share"]) else finding["share"]
        return said


def doctor(run: str | Path) -> Diagnosis:
    """Look through a run, finished or not: the alarms of its training, its end, and what judging has said of it.

    Reads run.yaml, metrics.jsonl and evaluation.json; neither the data nor the weights.
    """
    folder = Path(run)
    config, lines = Config.read(folder), history(folder)
    finished = (folder / "encoder.safetensors").exists()
    back = _back(lines)
    faults = [*_alarms(lines, back, config), *(_unlearned(lines) or _alike(lines) if finished else []), *_worse(folder)]
    if not finished and not any(finding.name == "divergence" for finding in faults):
        again = f"tacit pretrain --resume --out {quote(str(folder))}"
        faults.append(Finding("unfinished", f"The training has not finished; unless it is running, go on with: {again}"))
    method = config.method.rpartition(":")[2]
    state = "finished" if finished else "not finished"
    title = f"{folder}: {method} on {Path(config.data['source']).name}, {config.data['samples']:,} samples; {state}."
    hints = [*_taken_back(back), *(_online(lines) if finished else []), *_slower(lines)]
    return Diagnosis(str(folder), title, finished, len(lines), faults, hints)


def _alarms(lines: Sequence[dict[str, Any]], back: Back, config: Config) -> list[Finding]:
    """Those that the training raised as it went and did not take back."""
    found = []
    for line in lines:
        if "alarm" in line and (line.get("stage", 0), line["alarm"]) not in back:
            said = line.get("warning", "")
            if line["alarm"] == "divergence":
                said = (
                    "The loss or the weights became infinite or no numbers, and the training stopped. The learning rate is "
                    "the likely cause: try a tenth of --lr, or --clip 1."
                )
            found.append(Finding(line["alarm"], said, line["step"], _passed(line, config)))
    return found


def _taken_back(back: Back) -> list[Finding]:
    """Alarms that later looks have shown to be none."""
    return [
        Finding(name, f"The alarm of {name} was taken back at step {line['step']}: {line.get('notice', '')}", line["step"])
        for (_, name), line in back.items()
    ]


def _back(lines: Sequence[dict[str, Any]]) -> Back:
    return {(line.get("stage", 0), line["passed"]): line for line in lines if "passed" in line}


def _passed(line: dict[str, Any], config: Config) -> float:
    """The share of the first stage that had passed; later ones may have recipes of their own."""
    if line.get("stage", 0) > 0:
        return math.nan
    recipe = config.resolved.get("recipe", {})
    epochs, batch = recipe.get("epochs", 0), recipe.get("batch", 0)
    steps = epochs * (recipe.get("epoch_batches") or (config.data["samples"] // batch if batch else 0))
    return min(line["step"] / steps, 1.0) if steps else math.nan


def _unlearned(lines: Sequence[dict[str, Any]]) -> list[Finding]:
    """A finished training whose views are told apart no better than before it."""
    told = _numbers(lines, "overlap")
    if len(told) < 3 or any("alarm" in line for line in lines) or told[0] < EASY or told[-1] <= UNCHANGED * told[0]:
        return []
    return [
        Finding(
            "unlearned",
            f"Nothing was learned that tells samples apart: two samples look more alike than two views of one in "
            f"{100 * told[-1]:.0f} % of cases, and in {100 * told[0]:.0f} % before training. Try a higher --lr, more --epochs, "
            "and look at the views with tacit preview.",
        )
    ]


def _alike(lines: Sequence[dict[str, Any]]) -> list[Finding]:
    """A finished training that embeds everything alike, and did so before it: data of which one sample is like the other."""
    spread = _numbers(lines, "spread")
    if not spread or any("alarm" in line for line in lines) or spread[-1] > ALIKE:
        return []
    return [
        Finding(
            "alike",
            f"All samples are embedded alike (spread {spread[-1]:.4f}, where 1 is full). See whether the data hold one sample "
            "many times: tacit inspect counts duplicates.",
        )
    ]


def _worse(folder: Path) -> list[Finding]:
    """Numbers by which the encoder is beyond doubt behind what it should beat."""
    file = folder / "evaluation.json"
    if not file.exists():
        return []
    try:
        found = json.loads(file.read_text())["representations"]
        by_name = {who: {number["name"]: number for number in numbers} for who, numbers in found.items()}
        return [finding for metric in ("knn", "linear") for other in BASELINES for finding in _below(by_name, metric, other)]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise TacitError(f"{file} is no evaluation of a run; write it again with tacit evaluate.") from error


def _below(by_name: dict[str, dict[str, Any]], metric: str, other: str) -> list[Finding]:
    mine, theirs = (by_name.get(name, {}).get(metric, {}) for name in ("this encoder", other))
    if mine.get("high") is None or theirs.get("low") is None or mine["high"] >= theirs["low"]:
        return []
    said = (
        f"{MEANINGS[metric].title} is {100 * mine['value']:.1f} % and that of the {other} {100 * theirs['value']:.1f} %: the "
        "training has not helped. Train longer (--epochs), take another method, and look at the views with tacit preview."
    )
    return [Finding(f"below {other}", said)]


def _online(lines: Sequence[dict[str, Any]]) -> list[Finding]:
    """What the kNN accuracy that was looked at while training says of its length."""
    told = _numbers(lines, "knn")
    if len(told) < 5:
        return []
    best, last, before = max(told), told[-1], told[-1 - max(len(told) // 5, 1)]
    if best - last > FALLEN:
        return [
            Finding(
                "past its best",
                f"Online kNN accuracy was {100 * best:.0f} % and ended at {100 * last:.0f} %: it went on for too long, or the "
                "learning rate did not fall. Keep --snapshots and choose among them with tacit compare.",
            )
        ]
    if last - before > RISING:
        return [Finding("still learning", "Online kNN accuracy was still rising when the training ended: try more --epochs.")]
    return []


def _slower(lines: Sequence[dict[str, Any]]) -> list[Finding]:
    told = _numbers(lines, "samples_per_second")
    if len(told) < 8:
        return []
    first, last = (float(np.median(part)) for part in (told[: len(told) // 4], told[-(len(told) // 4) :]))
    if first < SLOWER * last:
        return []
    said = f"It began with {first:.0f} samples a second and ended with {last:.0f}: look what else ran on the machine."
    return [Finding("slower", said)]


def _numbers(lines: Sequence[dict[str, Any]], name: str) -> list[float]:
    """What the last stage's lines say of one number."""
    last = max((line.get("stage", 0) for line in lines), default=0)
    told = [line[name] for line in lines if line.get("stage", 0) == last and line.get(name) is not None]
    return [float(value) for value in told]


def _when(finding: Finding) -> str:
    if finding.step < 0:
        return ""
    share = "" if math.isnan(finding.share) else f" ({100 * finding.share:.0f} % of the training)"
    return f"At step {finding.step}{share}: "
