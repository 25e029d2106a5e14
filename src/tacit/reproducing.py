"""`tacit reproduce`: run the claims of the catalogue's rows, and say whether they hold here."""

import json
import math
import os
import platform
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from tacit import claims
from tacit.claims.claim import Claim, Found, interval
from tacit.claims.code import experiment_of, hash_of
from tacit.errors import TacitError
from tacit.training.checkpoint import write_text

SAME = 1e-3  # to which two measurements are the same
HOLDS, FAILS, ERROR, QUICK = "holds", "does not hold at this scale", "error", "runs (quick: nothing is concluded)"


@dataclass(frozen=True)
class Verdict:
    """What came of a claim: as stored in KEY.json."""

    key: str
    verdict: str
    metric: str
    arms: dict[str, list[dict[str, float]]]  # measures by arm and seed
    conditions: dict[str, bool] = field(default_factory=dict)
    error: str = ""

    def __str__(self) -> str:
        lines = [f"{self.key}: {self.verdict}{f' ({self.error})' if self.error else ''}"]
        found, width = Found(self.arms, self.metric), max(map(len, self.arms), default=0)
        for arm in self.arms:
            mean, low, _ = interval(values := found.values(arm))
            about = "" if low != low else f" ± {mean - low:.2f}"
            lines.append(f"  {arm:<{width}}  {self.metric} {mean:.2f}{about}  ({len(values)} seed{'s' * (len(values) > 1)})")
        lines += [f"  {'yes' if met else 'no '} {condition}" for condition, met in self.conditions.items()]
        return "\n".join(lines)


def reproduce(
    keys: Sequence[str] = (),
    *,
    room: str | None = None,
    everything: bool = False,
    stale: bool = False,
    quick: bool = False,
    out: str | Path = "claims",
    told: Callable[[str], None] = lambda line: None,
) -> list[Verdict]:
    """Run claims, by catalogue key, by room or all; each is stored as OUT/KEY.json, measurement by measurement.

    keys, room, everything   which claims; one of the three
    stale                    only those that were never finished or whose code has changed since
    quick                    one seed on little generated data: shows that they run, and concludes nothing
    out                      the folder of results; what the same code measured there is not measured again. A result that
                             other code measured on this machine stands where the experiment is the same and the quick form
                             of every arm gives the same numbers as it did then, to one in a thousand; else all are measured
    told                     is given a line for each measurement
    """
    found = []
    with _alone(Path(out)):
        for key in claims.chosen(list(keys), room, everything):
            file = Path(out) / f"{key}{'.quick' if quick else ''}.json"
            if not (stale and fresh(file, key)):
                found.append(_one(key, claims.find(key), file, quick, told))
    return found


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Refuse to measure where another process does: both would write the same files, and each would spoil the other's times."""
    import fcntl

    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # given back when the process ends, however it ends
        except OSError:
            raise TacitError(
                f"Another `tacit reproduce` is measuring into {folder}; wait for it, or give another --out."
            ) from None
        yield


def fresh(file: Path, key: str) -> bool:
    """Whether a finished result of today's code lies in this file."""
    stored = _stored(file)
    return stored.get("verdict", ERROR) != ERROR and stored.get("code") == hash_of(claims.module_of(key))


def _one(key: str, claim: Claim, file: Path, quick: bool, told: Callable[[str], None]) -> Verdict:
    about = {
        "key": key,
        "code": hash_of(claims.module_of(key)),
        "experiment": experiment_of(claims.module_of(key)),
        "command": f"tacit reproduce {key}{' --quick' * quick}",
        "metric": claim.metric,
        **_machine(),
    }
    stored, rows = _stored(file), []
    try:
        if stored.get("code") == about["code"]:
            rows = [*stored.get("rows", [])]  # what other code measured is not comparable, unless …
            about |= {name: stored[name] for name in ("commit", "date", "again", "quick") if name in stored}
        elif not quick and _stands(stored, claim, about, told):
            rows = [*stored["rows"]]
            about |= {name: stored[name] for name in ("commit", "date", "quick")} | {"again": about["commit"]}
        for seed in range(1 if quick else claim.seeds):
            for name, arm in claim.arms.items():
                if not any((r["arm"], r["seed"]) == (name, seed) for r in rows):
                    began, load = time.monotonic(), os.getloadavg()[0]
                    measured = arm.measure(seed, quick)
                    spent = {"seconds": round(time.monotonic() - began, 1), "load": round(load, 2)}
                    rows.append({"arm": name, "seed": seed, "measures": measured, **spent})
                    write_text(file, json.dumps(about | {"rows": rows}, indent=1))
                    told(f"{key} · {name} · seed {seed}: {claim.metric} {measured[claim.metric]:.2f}, {spent['seconds']:.0f} s")
        if not quick and "quick" not in about:
            about["quick"] = _quickly(claim)
    except TacitError as mistake:
        verdict = Verdict(key, ERROR, claim.metric, {}, error=str(mistake))
    else:
        seeds = range(1 if quick else claim.seeds)
        arms = {name: [r["measures"] for s in seeds for r in rows if (r["arm"], r["seed"]) == (name, s)] for name in claim.arms}
        met = {} if quick else {said: bool(yes) for said, yes in claim.rule(Found(arms, claim.metric)).items()}
        verdict = Verdict(key, QUICK if quick else HOLDS if all(met.values()) else FAILS, claim.metric, arms, met)
    if verdict.verdict == ERROR and stored.get("verdict") in (HOLDS, FAILS) and not any(r not in stored["rows"] for r in rows):
        return verdict  # nothing was measured: what was found before stays
    said = {"verdict": verdict.verdict, "conditions": verdict.conditions, "error": verdict.error}
    said["seconds"] = round(sum(r["seconds"] for r in rows), 1)
    write_text(file, json.dumps(about | said | {"rows": rows}, indent=1))
    return verdict


def _quickly(claim: Claim) -> dict[str, dict[str, float]]:
    """What every arm measures in its quick form: by which later code is known to compute the same."""
    return {name: arm.measure(0, True) for name, arm in claim.arms.items()}


def _stands(stored: dict[str, Any], claim: Claim, about: dict[str, Any], told: Callable[[str], None]) -> bool:
    """Whether a finished result of other code is still this code's: the same experiment, by the quick form of every arm."""
    alike = all(stored.get(name) == about[name] for name in ("machine", "torch", "experiment"))
    if stored.get("verdict") not in (HOLDS, FAILS) or not alike or {*stored.get("quick", {})} != {*claim.arms}:
        return False
    if any(claim.metric not in row["measures"] for row in stored["rows"]):
        return False
    now, then = _quickly(claim), stored["quick"]
    if any({*now[arm]} != {*then[arm]} for arm in now):
        return False
    pairs = [(value, then[arm][name]) for arm in now for name, value in now[arm].items() if name != "seconds"]
    same = all(math.isclose(a, b, rel_tol=SAME) or (a != a and b != b) for a, b in pairs)
    told(f"{about['key']}: its quick form gives {'the same numbers' if same else 'other numbers, so it is measured anew'}")
    return same


def _stored(file: Path) -> dict[str, Any]:
    try:
        return json.loads(file.read_text()) if file.exists() else {}
    except json.JSONDecodeError as error:
        raise TacitError(f"{file} is no result of a claim ({error}); remove it, or give another --out.") from error


def _machine() -> dict[str, Any]:
    """What made the numbers."""
    here = Path(__file__).parent
    found = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=here, capture_output=True, text=True)
    return {
        "commit": found.stdout.strip() if found.returncode == 0 else f"tacit {version('tacit')}",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {torch.get_num_threads()} threads",
        "torch": torch.__version__,
        "date": date.today().isoformat(),
    }
