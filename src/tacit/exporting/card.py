"""The card of an exported run: what was trained how and on what, what was measured, and how it is loaded."""

import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path, PurePath
from typing import Any

import yaml

from tacit.errors import TacitError
from tacit.evaluation.meanings import MEANINGS
from tacit.evaluation.number import NAN, Number
from tacit.exporting.front import Front
from tacit.run import Run
from tacit.sides import PARTS

TASKS = {  # of the hub, by the kind of data
    "image": "image-feature-extraction",
    "text": "feature-extraction",
    "audio": "feature-extraction",
    "graph": "graph-ml",
    "graphs": "graph-ml",
}
SHOWN = 24  # numbers of the judge that a card has room for


def card(
    run: Run, format: str, name: str, *, part: int = 0, unit: bool = False, front: Front | None = None, checked: str = ""
) -> str:
    """Markdown with the front matter of the Hugging Face hub. `name` is that of the file or folder that is loaded."""
    kind = run.facts.more[PARTS[part]]["kind"] if run.facts.kind == "pair" else run.facts.kind
    trained = run.encoder if run.method is None else None
    numbers = "" if trained is None else f" of {trained.dim} numbers"
    said = [
        f"---\n{_matter(run, format, kind)}---",
        f"# {Path(name).stem}",
        f"Vectors{numbers}, compared by {run.similarity}, for data of kind {kind}.",
        f"## How it is loaded\n\n{_loading(format, name, kind, front, unit)}",
        *([checked] if checked else []),
        f"## What was trained\n\n{_training(run)}",
        f"## On what\n\n{_provenance(run)}",
        f"## What was measured\n\n{_measured(run)}",
        "## For you to fill in\n\n- Licence of the weights (`license` above), and of the data they were learned from: \n"
        "- What it is meant for, and what not: \n- Whom or what the data leave out: ",
    ]
    return "\n\n".join(said) + "\n"


def _matter(run: Run, format: str, kind: str) -> str:
    matter: dict[str, Any] = {"license": "unknown"}
    if format in ("timm", "transformers", "onnx"):
        matter["library_name"] = format
    if kind in TASKS:
        matter["pipeline_tag"] = TASKS[kind]
    matter["tags"] = ["self-supervised", "tacit", run.config.method.rpartition(":")[2], kind]
    return yaml.safe_dump(matter, sort_keys=False)


def _loading(format: str, name: str, kind: str, front: Front | None, unit: bool) -> str:
    if format == "timm":
        return (
            f'```python\nimport timm\n\nmodel = timm.create_model("local-dir:{name}", pretrained=True, num_classes=0).eval()\n'
            "transform = timm.data.create_transform(**timm.data.resolve_model_data_config(model))\n```"
        )
    if format == "transformers":
        more = "" if kind == "audio" else f'tokenizer = AutoTokenizer.from_pretrained("{name}")\n'
        what = "AutoModel" if kind == "audio" else "AutoModel, AutoTokenizer"
        return (
            f'```python\nfrom transformers import {what}\n\nmodel = AutoModel.from_pretrained("{name}").eval()\n{more}```\n\n'
            "The pooling that was trained with is not in it: `tacit embed`, or an ONNX file, has it."
        )
    if format != "onnx" or front is None:
        return "```python\nimport tacit\n\nvectors = tacit.Run(RUN).embed(DATA)  # a folder of a run, and a source\n```"
    inputs = "\n".join(f"- `{one}`: {said}" for one, said in zip(front.names, front.said))
    beside = "".join(f" `{Path(name).stem}.{ending}` lies beside it." for ending in front.beside())
    fed = ", ".join(f'"{one}": {one}' for one in front.names)
    return (
        f"It takes\n\n{inputs}\n\nand gives `vectors`, float32, one row{' of length 1' if unit else ''} for each.{beside} What "
        "comes before the encoder (sizes, standardisation, spectrograms) and behind it (pooling) is inside.\n\n"
        f'```python\n{_made(kind, name)}import onnxruntime\n\nsession = onnxruntime.InferenceSession("{name}")\n'
        f"(vectors,) = session.run(None, {{{fed}}})\n```" + _noted(kind)
    )


def _made(kind: str, name: str) -> str:
    """How the inputs come to be, where there is a usual way."""
    if kind == "image":
        return (
            "import numpy\nfrom PIL import Image, ImageOps\n\nimage = ImageOps.exif_transpose(Image.open(FILE)).convert(MODE)"
            "  # RGB, or L for grey\nimage = numpy.atleast_3d(numpy.array(image))[None]\n"
        )
    if kind == "text":
        return (
            "import numpy\nfrom tokenizers import Tokenizer\n\n"
            f'tokenizer = Tokenizer.from_file("{Path(name).stem}.tokenizer.json")\n'
            "rows = [tokenizer.encode(text, add_special_tokens=False).ids[:512] for text in TEXTS]\n"
            "longest = max(map(len, rows))\n"
            "input_ids = numpy.array([row + [0] * (longest - len(row)) for row in rows])\n"
            "attention_mask = numpy.array([[1] * len(row) + [0] * (longest - len(row)) for row in rows])\n"
        )
    return ""


def _noted(kind: str) -> str:
    if kind != "image":
        return ""
    return (
        "\n\nA JPEG of more than twice the needed size is decoded by `tacit embed` at a reduced one, to save time, so that its "
        "vector differs by what that resize does; given the same pixels the two agree."
    )


def _training(run: Run) -> str:
    config, paper = run.config, run.cls.paper
    lines = [f"- Method: `{config.method}` ({paper.authors}, {paper.year}: *{paper.title}*, {paper.locator})"]
    options = ", ".join(f"{name} {_last(value)}" for name, value in config.resolved.get("encoder", {}).items())
    lines.append(f"- Encoder: `{config.encoder or 'none'}`" + (f" ({options})" if options else ""))
    recipe = config.resolved.get("recipe", {})
    told = {name: recipe[name] for name in ("optimizer", "lr", "batch", "epochs", "weight_decay", "warmup") if name in recipe}
    lines.append(f"- Recipe: {config.recipe_name}; " + ", ".join(f"{name} {value}" for name, value in told.items()))
    lines.append(f"- Seed {config.seed}, {config.precision}, Tacit {config.tacit}; labels used: {config.labels_used:,}")
    lines.append(f"- Weights: sha256 `{run.fingerprint()}`, exported by Tacit {version('tacit')}")
    return "\n".join(lines)


def _provenance(run: Run) -> str:
    data = run.config.data
    left_out = len(data.get("corrupt", []))
    lines = [
        f"- Source: `{_last(data['source'])}`, {data['samples']:,} samples of kind {data['kind']}, part: {data['split']}"
        + (f"; {left_out} could not be read and were left out" if left_out else "")
    ]
    lines += [f"- Hash of the ids ({name}): `{value}`" for name, value in data.get("ids", {}).items()]
    if about := _manifest(Path(str(data["source"]))):
        given = {name: value for name, value in about.get("options", {}).items() if value not in (None, False)}
        options = ", ".join(f"{name} {_last(value)}" for name, value in given.items())
        kept, version_of = _last(about.get("table", "")), about.get("table_version", "?")
        lines.append(f"- Curated: the kept rows of `{kept}` (version {version_of}); {options}")
        lines.append(f"- Curated by the encoder `{about.get('encoder', '')}` of `{_last(about.get('run', ''))}`")
    return "\n".join(lines)


def _last(said: object) -> str:
    """What is a path by its last part alone: a card is shown to others, and where things lie is nobody's business."""
    path = PurePath(str(said))
    return path.name if path.is_absolute() or len(path.parts) > 1 else str(said)


def _manifest(source: Path) -> Mapping[str, Any]:
    """What a curated manifest says of itself; nothing where the source is none."""
    if source.suffix.lower() != ".parquet" or not source.is_file():
        return {}
    import pyarrow as pa
    import pyarrow.parquet as pq

    from tacit.curation.manifest import KEY

    try:
        told = (pq.read_schema(source).metadata or {}).get(KEY)
        found = json.loads(told) if told else {}
    except (pa.ArrowException, OSError, ValueError):
        return {}  # it has changed since; the source and its hash stand above
    return found if isinstance(found, dict) else {}


def _measured(run: Run) -> str:
    file = run.path / "evaluation.json"
    if not file.is_file():
        return f"Nothing yet: `tacit evaluate {run.path.name} DATA` measures, and the card made anew says it."
    try:
        saved = json.loads(file.read_text())
        rows: dict[str, list[Mapping[str, Any]]] = saved["representations"]
        names = list(rows)
        metrics = list(dict.fromkeys(one["name"] for found in rows.values() for one in found if one["name"] in MEANINGS))
        table = [f"| | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
        for metric in metrics[:SHOWN]:
            cells = [next((_shown(one) for one in rows[name] if one["name"] == metric), "") for name in names]
            table.append(f"| {MEANINGS[metric].title} | {' | '.join(cells)} |")
        protocol = rows[names[0]][0].get("protocol", {})
        on = f"On `{_last(protocol['data'])}`: {protocol.get('split', '')}." if "data" in protocol else ""
        return "\n".join(filter(None, [on, "" if not on else "\n", *table, "\n" * bool(saved["verdict"]), *saved["verdict"]]))
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise TacitError(f"{file} is not what tacit evaluate wrote ({type(error).__name__}); evaluate again.") from error


def _shown(saved: Mapping[str, Any]) -> str:
    value, low, high = (NAN if saved[key] is None else float(saved[key]) for key in ("value", "low", "high"))
    return Number(saved["name"], value, low, high).shown()
