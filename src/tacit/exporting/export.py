"""`tacit export`: a run as a file or a folder that others load, with a card that says what it is."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tacit.embeddings.output import appearing
from tacit.errors import TacitError, unknown
from tacit.exporting.card import card
from tacit.run import Run
from tacit.sides import PARTS

FORMATS = ("onnx", "timm", "transformers", "card")


@dataclass(frozen=True)
class Export:
    """What was written."""

    out: Path  # the file or folder
    format: str
    files: list[Path]
    checked: str  # what was compared with the encoder, and how far it is from it; in a sentence

    def __str__(self) -> str:
        names = ", ".join(file.name for file in self.files)
        size = sum(file.stat().st_size for file in self.files)
        return f"{self.out} is written ({names}; {size / 1e6:.1f} MB in all). {self.checked}".rstrip()


def export(
    run: Run | str | Path,
    *,
    out: str | Path,
    format: str = "onnx",
    part: str = "first",
    unit: bool = False,
    data: Any = None,
    overwrite: bool = False,
) -> Export:
    """Write what a run embeds with to where others can use it.

    format     onnx          the file `out`: raw input in, vectors out; pooling and normalisation inside, and what is needed to
                             make the inputs (a tokenizer, a table's columns) beside it. Checked before it is kept.
               timm          the folder `out`: weights for timm.create_model("local-dir:…", pretrained=True)
               transformers  the folder `out`: weights for AutoModel.from_pretrained
               card          the file `out` (.md): the card alone
    part       of a run on pairs, whose encoder: first or second
    unit       of onnx: vectors of length 1
    data       samples by which an ONNX file is checked; by default some of the run's own
    overwrite  replace what is there

    Beside each lies a card: what was trained how and on what, what was measured, how it is loaded. Everything appears whole
    or not at all.
    """
    if format not in FORMATS:
        raise unknown("format", format, FORMATS)
    if part not in PARTS:
        raise unknown("part", part, PARTS)
    out = Path(out)
    opened = Run(run.path if isinstance(run, Run) else run, "cpu")
    if (unit or data is not None) and format != "onnx":
        name = "--unit" if unit else "--data"
        raise TacitError(f"{name} is of --format onnx, and {format} was asked for; leave it out.")
    if part != "first" and opened.facts.kind != "pair":
        raise TacitError(f"--part is of runs on pairs, and {opened.path} was trained on {opened.facts.kind}; leave it out.")
    if not overwrite:
        _free(out)
    number = PARTS.index(part)
    if format == "onnx":
        return _onnx(opened, out, number, unit, data, overwrite)
    return {"timm": _timm, "transformers": _transformers, "card": _card}[format](opened, out, number)


def _onnx(run: Run, out: Path, part: int, unit: bool, data: Any, overwrite: bool) -> Export:
    from tacit.exporting.onnx_file import write_onnx

    _suffix(out, ".onnx")
    if not overwrite:
        _free(out.with_suffix(".md"))
    about = metadata(run, part, unit)
    folder = _beside(out)
    try:
        check, front = write_onnx(run, folder / out.name, part=part, unit=unit, data=data, about=about)
        for ending, text in front.beside().items():
            (folder / f"{out.stem}.{ending}").write_text(text, encoding="utf-8")
        told = card(run, "onnx", out.name, part=part, unit=unit, front=front, checked=str(check))
        (folder / f"{out.stem}.md").write_text(told, encoding="utf-8")
        written = sorted(folder.iterdir(), key=lambda file: file.name == out.name)  # the graph last: what it needs is there
        for there in () if overwrite else (out.parent / file.name for file in written):
            _free(there)
        return Export(out, "onnx", [file.replace(out.parent / file.name) for file in written], str(check))
    except OSError as error:
        raise TacitError(f"{out} could not be written ({error.strerror or error}); free some space or give another.") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _timm(run: Run, out: Path, part: int) -> Export:
    from tacit.exporting.weights import write_timm

    return _folder(run, out, "timm", lambda folder: write_timm(run, folder), part)


def _transformers(run: Run, out: Path, part: int) -> Export:
    from tacit.exporting.weights import write_transformers

    return _folder(run, out, "transformers", lambda folder: write_transformers(run, folder, part), part)


def _card(run: Run, out: Path, part: int) -> Export:
    _suffix(out, ".md")
    with appearing(out) as file:
        file.write_text(card(run, "card", out.name, part=part), encoding="utf-8")
    return Export(out, "card", [out], "")


def _folder(run: Run, out: Path, format: str, write: Callable[[Path], str], part: int) -> Export:
    """A folder that is written beside `out` and renamed. Only what this wrote is ever replaced."""
    if out.exists() and not (out / "README.md").is_file():
        raise TacitError(f"{out} is there and is no export; give another name.")
    folder = _beside(out)
    try:
        checked = write(folder)
        (folder / "README.md").write_text(card(run, format, out.name, part=part, checked=checked), encoding="utf-8")
        if out.exists():
            shutil.rmtree(out)
        folder.replace(out)
    except OSError as error:
        raise TacitError(f"{out} could not be written ({error.strerror or error}); free some space or give another.") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return Export(out, format, sorted(out.iterdir()), checked)


def metadata(run: Run, part: int, unit: bool) -> dict[str, str]:
    """What stands in an ONNX file of a run."""
    facts: Mapping[str, Any] = run.facts.more
    kind = facts[PARTS[part]]["kind"] if run.facts.kind == "pair" else run.facts.kind
    return {
        "tacit.version": version("tacit"),
        "tacit.encoder": run.fingerprint(),
        "tacit.kind": kind,
        "tacit.method": run.config.method,
        "tacit.similarity": run.similarity,
        "tacit.unit": str(unit).lower(),
    }


def _free(file: Path) -> None:
    if file.exists():
        raise TacitError(f"{file} is there already; say --overwrite to replace it, or give another name.")


def _suffix(out: Path, suffix: str) -> None:
    if out.suffix != suffix:
        raise TacitError(f"--out {out} does not end in {suffix}; give such a name.")


def _beside(out: Path) -> Path:
    """An empty hidden folder where `out` is to be."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        folder = out.with_name(f".{out.name}.part")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    except OSError as error:
        raise TacitError(f"{out} could not be written ({error.strerror or error}); give another place.") from error
    return folder
