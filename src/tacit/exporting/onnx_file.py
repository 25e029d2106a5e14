"""One ONNX file from raw input to vector, checked against the encoder before it is kept."""

import logging
import warnings
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from tacit import data as sources
from tacit.encoders.scattering import Scattering
from tacit.errors import TacitError
from tacit.exporting.front import Front, Whole, front_of, represent_of
from tacit.exporting.portable import portable
from tacit.material import at_side
from tacit.method import Batch
from tacit.run import Run, seen
from tacit.sides import PARTS
from tacit.views import Program
from tacit.views.kinds import Plain

OPSET = 20
CHECKED = 8  # real samples by which a file is checked
TOLERANCE = 1e-4  # of a vector's numbers, relative to the largest of them where that is above 1
LARGE = 1_900_000_000  # bytes of weights above which they lie in a file of their own: a protobuf holds 2 GB


class Check(NamedTuple):
    """How the file's answers compare with the encoder's, in float32 on the CPU."""

    samples: int  # real ones; 0: made-up inputs alone
    why: str  # no real ones were looked at
    difference: float  # the largest

    def __str__(self) -> str:
        on = f"{self.samples} real samples" if self.samples else f"made-up inputs, since {self.why}"
        return f"On {on} onnxruntime's vectors differ from the encoder's by {self.difference:.1e} at most."


class Asked(NamedTuple):
    """Inputs and what the encoder says of them: n × d."""

    inputs: tuple[Tensor, ...]
    wanted: Tensor


def write_onnx(run: Run, file: Path, *, part: int, unit: bool, data: Any, about: Mapping[str, str]) -> tuple[Check, Front]:
    """Write the graph of a run that is open on the CPU to `file`, its weights beside it where they are large.

    `about` goes into its metadata. The run is of no use afterwards: its modules are given their portable form. A TacitError
    says what cannot be exported, or that the file says something else than the encoder.
    """
    runtime = library()
    front, represent = front_of(run, part), represent_of(run, part)
    trained = run.method if run.method is not None else run.encoder
    assert trained is not None, "a run has a method or an encoder"
    _refuse_rows(trained, run)
    _refuse_complex(trained, run)
    whole = Whole(front, trained, represent, unit).eval()
    real, why = _real(run, whole, part, data)
    made_up = front.made_up()
    with torch.no_grad():
        asked = [*real, Asked(made_up, whole(*made_up))]  # before the modules change
    portable(whole)
    with torch.no_grad():
        whole(*made_up)  # so that what they hold constant is made
    _export(whole, made_up, file, about)
    session = _session(runtime, file, run)
    check = Check(len(real), why, max(_apart(session, front.names, one) for one in asked))
    if not check.difference <= TOLERANCE:
        raise TacitError(
            f"The ONNX graph of {run.path} differs from its encoder by {check.difference:.1e} and not by {TOLERANCE} at most, "
            "so it was not kept; please report it with the encoder's name."
        )
    return check, front


def library() -> Any:
    """onnxruntime, after it was seen that all that is needed is there."""
    try:
        import onnx  # noqa: F401
        import onnxruntime
        import onnxscript  # noqa: F401
    except ModuleNotFoundError as error:
        raise TacitError(f"ONNX needs {error.name}, which is not installed; pip install 'tacit[export]'.") from None
    return onnxruntime


def _export(whole: Whole, inputs: tuple[Tensor, ...], file: Path, about: Mapping[str, str]) -> None:
    from onnx_ir.passes import PassError

    front, before = whole.front, logging.root.manager.disable
    logging.disable(logging.CRITICAL)  # the exporter prints whole graphs where it fails; the reason is said below
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # of torch's, about itself
            program = torch.onnx.export(
                whole,
                inputs,
                input_names=front.names,
                output_names=["vectors"],
                dynamic_shapes=(tuple(dict(axes) for axes in front.varying),),
                opset_version=OPSET,
                custom_translation_table=translations(),
                dynamo=True,
                verbose=False,
            )
    except (torch.onnx.errors.OnnxExporterError, PassError) as error:
        why = " ".join(str(error.__cause__ or error).split())[:200]
        raise TacitError(
            f"{type(whole.trained).__name__} does what ONNX has no operation for ({why}); export another encoder, or keep to "
            "tacit embed."
        ) from error
    finally:
        logging.disable(before)
    assert program is not None, "no file was named, so the program is returned"
    program.model.metadata_props.update(about)
    program.model.doc_string = "Made by Tacit."
    bytes_ = sum(tensor.nbytes for tensor in whole.state_dict().values())
    program.save(str(file), external_data=bytes_ > LARGE)


def _session(runtime: Any, file: Path, run: Run) -> Any:
    options = runtime.SessionOptions()
    options.log_severity_level = 3
    try:
        return runtime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime has exceptions of its own, which share no class
        raise TacitError(
            f"onnxruntime cannot load the graph of {run.path} ({' '.join(str(error).split())[:160]}), so it was not kept; "
            "please report it with the encoder's name."
        ) from error


def translations() -> dict[Any, Any]:
    """Operations of torch for which its exporter knows nothing of ONNX's."""
    from onnxscript import opset20

    op: Any = opset20  # whose stubs know no plain tensors

    def cdist(first: Any, second: Any, p: float = 2.0, compute_mode: int | None = None) -> Any:
        apart = op.Sub(op.Unsqueeze(first, op.Constant(value_ints=[2])), op.Unsqueeze(second, op.Constant(value_ints=[1])))
        return op.Sqrt(op.ReduceSum(op.Mul(apart, apart), op.Constant(value_ints=[3]), keepdims=0))

    return {torch.ops.aten._cdist_forward.default: cdist}


def _real(run: Run, whole: Whole, part: int, given: Any) -> tuple[list[Asked], str]:
    """Some of the given, or of the run's own samples, with their vectors by the run's own way; and why there are none."""
    about = dict(run.facts.more)
    program: Any = Program(Plain(), run.views)
    try:
        samples = sources.open(run.config.data["source"] if given is None else given, run.facts.kind)
        if run.facts.kind == "pair":
            samples, about = getattr(samples, PARTS[part]), about[PARTS[part]]
            program = Program(Plain(), getattr(run.views, PARTS[part]))
        samples = at_side(samples, about)
    except (TacitError, OSError) as error:
        if given is not None:
            raise
        return [], f"its data cannot be opened ({' '.join(str(error).split())[:80].rstrip('.;')})"

    def plainly(batch: Batch) -> Tensor:
        return whole.represent(whole.trained, whole.front.seen(batch.views[0]))

    found = []
    every = max(len(samples) // CHECKED, 1)
    for position in range(0, len(samples), every):
        try:
            inputs, content = whole.front.sample(samples, position)
        except ValueError:
            continue  # what cannot be read is not embedded either
        graph = hasattr(content, "graph")  # of which every sample is a part: the whole is asked for at once
        index = np.arange(len(content.index)) if graph else np.array([position])
        (wanted,) = seen(plainly, program, content, index, 0, torch.device("cpu"), nullcontext, whole=True)
        found.append(Asked(inputs, torch.nn.functional.normalize(wanted, dim=1) if whole.unit else wanted))
        if graph or len(found) == CHECKED:
            break
    return found, "" if found else "none of its data can be read"


def _apart(session: Any, names: Sequence[str], asked: Asked) -> float:
    """The largest difference of the file's answer, relative to the largest number where that is above 1; NaN is infinite."""
    (answer,) = session.run(None, {name: tensor.numpy() for name, tensor in zip(names, asked.inputs)})
    wanted = asked.wanted.numpy()
    if answer.shape != wanted.shape:
        return np.inf
    apart = float(np.abs(answer - wanted).max(initial=0) / max(1.0, np.abs(wanted).max(initial=0)))
    return apart if np.isfinite(apart) else np.inf


def _refuse_rows(trained: torch.nn.Module, run: Run) -> None:
    """Refuse what looks a node up among those that it was trained on: a file of it would know no others."""
    nodes = run.facts.more.get("nodes")
    if run.facts.kind == "graph" and any(len(tensor) == nodes for tensor in trained.state_dict().values() if tensor.ndim):
        raise TacitError(
            f"{run.path} has a row for each of the {nodes} nodes that it was trained on and is no function of their features; "
            "embed them and take the vectors out with tacit table --export."
        )


def _refuse_complex(trained: torch.nn.Module, run: Run) -> None:
    """Refuse what multiplies complex numbers, for which torch has no ONNX."""
    if any(isinstance(module, Scattering) for module in trained.modules()):
        raise TacitError(
            f"{run.path} has the encoder scattering, whose wavelets are complex numbers, and ONNX has none; embed with the run "
            "itself, or train another encoder."
        )
