"""The contract: what a method is and what it is given. Nothing here trains, loads or draws anything.

Only `Method.step` is required; every other hook exists for systems that need it (docs/design.md has the table).
"""

import inspect
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property
from typing import Any, ClassVar, NamedTuple, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn

from tacit.errors import TacitError, positive, unknown
from tacit.numerics import counter
from tacit.views.kinds import Labelled, Single, View


@dataclass(frozen=True)
class Paper:
    """Where a system was published."""

    title: str
    authors: str
    year: int
    locator: str  # "arXiv:2002.05709", a DOI or a page's address


@dataclass(frozen=True)
class Recipe:
    """How to train: every field can be given by the same name in Python and on the command line."""

    optimizer: str = "adamw"  # adamw, sgd or lars
    lr: float = 1e-3  # at `batch`, or at 256 samples where `scale` says how it grows with the batch
    batch: int = 256
    epochs: int = 100
    weight_decay: float = 0.0  # never on biases and norms
    decay_growth: float = 1.0  # the weight decay at the end over that at the beginning, by a cosine between
    momentum: float = 0.9  # of sgd and lars; the first beta of adamw
    beta2: float = 0.999  # the second beta of adamw
    warmup: float = 0.0  # epochs of linear growth
    schedule: str = "cosine"  # cosine, constant or step
    final_lr: float = 0.0  # of cosine: the rate at the end, as a share of the rate
    milestones: tuple[float, ...] = ()  # of step: progress at which the rate falls to a tenth
    scale: str = "none"  # none, linear or sqrt
    clip: float = 0.0  # the largest norm of the gradient; 0: no limit
    accumulate: int = 1  # micro-batches per batch
    chunk: int = 0  # samples that the encoder holds at once, the gradients being the whole batch's; 0: the batch
    ema: float = 0.0  # decay of the averaged weights (and norms' statistics) kept instead of the last; 0: keep the last
    epoch_batches: int = 0  # an epoch's length in batches; 0: the main stream once
    turns: tuple[str, ...] = ()  # order of the players in a batch; (): as declared
    small_crops: int = -1  # small views of MultiCrop; −1: as many as the method's own
    hold: Mapping[str, float] = field(default_factory=dict)  # prefix of parameter names: epochs it is held frozen
    options: Mapping[str, Any] = field(default_factory=dict)  # of the method, where these numbers want others

    def __post_init__(self) -> None:
        positive(batch=self.batch, epochs=self.epochs, accumulate=self.accumulate, lr=self.lr)
        for name in ("weight_decay", "decay_growth", "warmup", "clip", "epoch_batches", "chunk"):
            if not getattr(self, name) >= 0:
                raise TacitError(f"{name} is {getattr(self, name)}; it must be 0 or more.")
        choices = {
            "optimizer": ("adamw", "sgd", "lars"),
            "schedule": ("cosine", "constant", "step"),
            "scale": ("none", "linear", "sqrt"),
        }
        for name, known in choices.items():
            if getattr(self, name) not in known:
                raise unknown(name, str(getattr(self, name)), known)
        if self.small_crops < -1:
            raise TacitError(f"small_crops is {self.small_crops}; give 0 or more, or -1 for as many as the method's own.")
        if not 0 <= self.ema < 1 or not 0 <= self.momentum < 1:
            raise TacitError(f"ema is {self.ema} and momentum {self.momentum}; both lie in [0, 1).")
        if not 0 <= self.beta2 < 1 or not 0 <= self.final_lr <= 1:
            raise TacitError(f"beta2 is {self.beta2} and final_lr {self.final_lr}; they lie in [0, 1) and [0, 1].")

    def but(self, **changes: Any) -> "Recipe":
        """The same recipe with some fields changed."""
        return replace(self, **changes)

    def as_dict(self) -> dict[str, Any]:
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return {
            name: list(v) if isinstance(v, tuple) else dict(v) if isinstance(v, Mapping) else v for name, v in values.items()
        }


@dataclass(frozen=True)
class Facts:
    """What is known of the data when a method is built, resumed or opened; saved with the run."""

    kind: str  # the modality
    n: int  # samples of the main stream
    shape: tuple[int, ...] = ()  # of one view, channels first for images
    more: Mapping[str, Any] = field(default_factory=dict)  # columns, vocabulary, nodes, relations …: JSON only

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "shape": list(self.shape)}

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> "Facts":
        return cls(saved["kind"], saved["n"], tuple(saved["shape"]), dict(saved["more"]))


@dataclass(frozen=True)
class Plan:
    """What `before_epoch` may say of the coming epoch: positions 0…N−1 of the main stream throughout."""

    batches: Sequence[Tensor] | None = None  # the batches themselves, in order
    partners: Tensor | None = None  # N × k candidates; one is drawn for each anchor by counter
    weights: Tensor | None = None  # N: how often a sample is drawn, with replacement

    @cached_property
    def repeats(self) -> bool:
        """Whether a sample may come more than once."""
        drawn = torch.cat([torch.zeros(0, dtype=torch.int64), *(self.batches or ())])
        return self.weights is not None or len(drawn.unique()) < len(drawn)


@dataclass(frozen=True)
class Stop:
    """Returned by `before_epoch`: this stage is finished."""

    why: str


class Stage:
    """One training in a story of several: `trained = yield Stage(SimCLR, recipe=…, temperature=0.2)`.

    It names a class and options, never an instance, so that each stage builds on what the last one trained.
    `encoder="fresh"` starts from a newly built encoder.
    """

    def __init__(self, method: type["Method"], *, recipe: Recipe | None = None, encoder: str = "same", **options: Any):
        if encoder not in ("same", "fresh"):
            raise unknown("encoder for a stage", encoder, ("same", "fresh"))
        self.method, self.recipe, self.encoder, self.options = method, recipe, encoder, options


class Trained(NamedTuple):
    """What a stage left behind: sent back into `stages`."""

    method: "Method"
    embed: Callable[..., Tensor]  # embed(stream=None, how=None) -> N × d, in sample order


class Ragged(NamedTuple):
    """Rows of unequal length, one after another."""

    values: Tensor  # total × …
    offsets: Tensor  # int64, n + 1: row i is values[offsets[i]:offsets[i + 1]]


class Batch:
    """What `step` gets. Iterating gives its views; `batch["labelled"]` is another stream's batch.

    index    int64, n: the position 0…N−1 of each sample in its stream
    params   one mapping per view of what was drawn for it (crop boxes, angles, masks), each n × …
    context  what all samples share (the graph, the vocabulary)
    labels   int64, n: of a `Labelled` stream only
    positions  the same as `index`, on the host
    kept     what `step` handed to `after_step` by `keep`, by name
    """

    def __init__(
        self,
        views: Iterable[Any],
        index: Tensor,
        *,
        params: list[dict[str, Tensor]] | None = None,
        key: int = 0,
        context: Any = None,
        labels: Tensor | None = None,
        others: "dict[str, Batch] | None" = None,
        positions: np.ndarray | None = None,  # where they are known: asking the device for them would wait for it
    ):
        self.views = list(views)
        self.index = index
        self.params = params if params is not None else [{} for _ in self.views]
        self.key = key
        self.context, self.labels = context, labels
        self.others = others or {}
        self.kept: dict[str, Tensor] = {}
        self._positions = positions

    @property
    def positions(self) -> np.ndarray:
        if self._positions is None:
            self._positions = self.index.cpu().numpy()
        return self._positions

    def __iter__(self) -> Iterator[Any]:
        return iter(self.views)

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, stream: str) -> "Batch":
        if stream not in self.others:
            raise KeyError(f"this batch has no stream {stream!r}, only {sorted(self.others)}")
        return self.others[stream]

    def normal(self, name: str, *shape: int) -> Tensor:
        """Standard normal noise, n × shape: each sample's own, whatever batch it is in."""
        return self._noise(counter.normal, name, shape)

    def uniform(self, name: str, *shape: int) -> Tensor:
        """Uniform noise in [0, 1), n × shape: each sample's own, whatever batch it is in."""
        return self._noise(counter.uniform, name, shape)

    def keep(self, **tensors: Tensor) -> None:
        """Hand per-sample tensors (n × …) to `after_step`, detached; the loop joins them over micro-batches and processes."""
        for name, value in tensors.items():
            if len(value) != len(self):
                raise ValueError(f"keep({name}=…) takes one row per sample: {len(value)} rows, {len(self)} samples")
            self.kept[name] = value.detach()

    def _noise(self, draw: Callable[..., np.ndarray], name: str, shape: tuple[int, ...]) -> Tensor:
        flat = draw(counter.key(self.key, name), self.positions, int(np.prod(shape, dtype=int)))
        return torch.from_numpy(flat.reshape(len(self), *shape)).to(self.index.device, non_blocking=True)


# ---- what an encoder can be asked for; a method says by annotation which it wants ----


@runtime_checkable
class Encoder(Protocol):
    """n samples -> n × dim."""

    dim: int

    def __call__(self, x: Tensor) -> Tensor: ...


@runtime_checkable
class Tokens(Encoder, Protocol):
    """n samples -> n × t × dim, of the kept tokens only where `keep` (n × t, positions) says so."""

    dim: int

    def tokens(self, x: Tensor, keep: Tensor | None = None) -> Tensor: ...


@runtime_checkable
class Maps(Protocol):
    """n images -> n × dim × h × w."""

    dim: int

    def maps(self, x: Tensor) -> Tensor: ...


@runtime_checkable
class Dual(Protocol):
    """Two encoders of equal width, `first` and `second`, for the two parts of a sample."""

    dim: int
    first: Encoder
    second: Encoder


@runtime_checkable
class Joint(Protocol):
    """Both parts of a sample together -> n × dim."""

    dim: int

    def joint(self, first: Tensor, second: Tensor) -> Tensor: ...


@runtime_checkable
class Lookup(Protocol):
    """Positions -> n × dim by table; refuses positions it was not trained on."""

    dim: int

    def lookup(self, index: Tensor) -> Tensor: ...


@runtime_checkable
class Invertible(Protocol):
    """n samples -> (n × dim, log-determinant n), and back by `inverse`."""

    dim: int

    def inverse(self, z: Tensor) -> Tensor: ...


@runtime_checkable
class Denoiser(Protocol):
    """Noisy samples and their times -> the noise, in the shape of the samples."""

    dim: int

    def denoise(self, x: Tensor, time: Tensor) -> Tensor: ...


Loss = Tensor | dict[str, Tensor | tuple[Tensor, float]]
Players = Mapping[str, tuple[str, ...]]


class Method(nn.Module):
    """The base of every method, and the only one: a method is abstract (this) or a leaf, never in between."""

    paper: ClassVar[Paper]
    views: ClassVar[View] = Single()
    streams: ClassVar[Mapping[str, View | Labelled]] = {}  # {}: one stream, "main", of `views`
    recipe: ClassVar[Recipe] = Recipe()
    recipes: ClassVar[Mapping[str, Recipe]] = {}  # named: the same algorithm with other numbers
    players: ClassVar[Players] = {}  # player: prefixes of its parameters' names
    whole_batch: ClassVar[bool] = False  # the loss is no mean over samples: it cannot be accumulated
    second_order: ClassVar[bool] = False  # differentiates through a gradient: no fused backward
    similarity: ClassVar[str] = "cosine"  # by which what it represents is to be compared
    progress: float = 0.0  # of this stage, in [0, 1]; set by the loop
    batch_size: int = 0  # of the main stream, over all processes; set by the loop, for plans of batches
    encoder: Any  # a module that offers what the constructor asks for by annotation; None where a method has none

    def __init__(self, encoder: nn.Module | Encoder | Lookup | None = None):
        super().__init__()
        self.encoder = encoder
        self.renewed: list[nn.Module] = []

    def __init_subclass__(cls, **rest: Any):
        super().__init_subclass__(**rest)
        if cls.__base__ is not Method:
            raise TypeError(f"{cls.__name__} must derive from Method itself: share by parts and objectives, not by parents")
        owned = {f.name for f in fields(Recipe)} | {name for name in vars(Method) if not name.startswith("_")}
        taken = RESERVED & (set(vars(cls)) | set(options(cls))) | owned & set(options(cls))
        if taken:
            raise TypeError(f"{cls.__name__} uses names that torch's modules, recipes or hooks already have: {sorted(taken)}")

    def _unwritten(self, batch: Batch, player: str = "") -> Loss:
        """The loss of one batch: a tensor, or named terms `{name: tensor or (tensor, weight)}`."""
        raise NotImplementedError

    step: Callable[..., Loss] = _unwritten  # `step(batch)`, or `step(batch, player)` where there are players

    def prepare(self, facts: Facts) -> None:
        """Allocate what depends on the data (a bank of N rows); runs at start, on resume and on opening."""

    def after_step(self, batch: Batch) -> None:
        """Move what is not moved by gradient: once per batch, without gradient, alike on every process."""

    def before_epoch(self, embed: Callable[..., Tensor]) -> Plan | Stop | None:
        """Look at all samples before an epoch; may plan its batches, partners or weights, or stop."""

    def represent(self, batch: Batch) -> Tensor:
        """What is embedded and exported, n × d: the encoder's answer. Called under no_grad, changes no state."""
        return self.encoder(batch.views[0])

    def solve(self, samples: Any) -> Iterator[None]:
        """For closed forms: yields where it may be interrupted, keeps its state in buffers, goes on from them."""
        raise NotImplementedError

    def groups(self) -> Mapping[str, Mapping[str, float | str]]:
        """How parameters are trained otherwise, by prefix of their names: {"prototypes": {"lr": 0.1, "weight_decay": 0.0}}.

        `lr` multiplies the rate; `weight_decay`, `momentum` and `schedule` ("constant" after warm-up) replace the recipe's.
        """
        return {}

    def renew(self, module: nn.Module) -> None:
        """Say that a module was re-initialised, so that its optimiser state is dropped."""
        self.renewed.append(module)

    @classmethod
    def stages(cls, **options: Any) -> Generator[Stage, Trained, None]:
        """The story: by default one stage, this method itself."""
        yield Stage(cls, **options)


RESERVED = frozenset(name for name in dir(nn.Module) if not name.startswith("__") and name != "forward")


def nested(method: Method) -> list[Method]:
    """The method and every method inside it (of a wrapper), inner first."""
    return [module for module in reversed(list(method.modules())) if isinstance(module, Method)]


def streams(method: type[Method] | Method) -> dict[str, View | Labelled]:
    """The declared streams by name; the first sets the epoch."""
    return dict(method.streams) or {"main": method.views}


def signature(function: Callable[..., Any]) -> inspect.Signature:
    """A method's constructor or story, its annotations as types also where a file postpones them."""
    try:
        return inspect.signature(function, eval_str=True)
    except NameError as error:
        raise TacitError(
            f"{function.__qualname__} is annotated with {error.name!r}, which its file does not know when it runs; import it "
            "there, not under TYPE_CHECKING alone."
        ) from error


def options(method: type[Method]) -> dict[str, inspect.Parameter]:
    """A method's options: the keyword-only parameters of its constructor and of its `stages` that have defaults."""
    declared = [p for function in (method.__init__, method.stages) for p in signature(function).parameters.values()]
    return {p.name: p for p in declared if p.kind is p.KEYWORD_ONLY and p.default is not p.empty}
