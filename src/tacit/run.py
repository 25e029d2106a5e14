"""A run: what was trained, where it lies, how to use it."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tacit import data, encoders
from tacit.config import Config, build_method
from tacit.data.samples import Samples
from tacit.errors import TacitError, unknown
from tacit.material import at_side, fit_views
from tacit.method import Batch, Method, Stage, View, nested
from tacit.methods import find
from tacit.numerics import counter
from tacit.training import checkpoint, precision
from tacit.training.state import open_stage
from tacit.training.streams import move
from tacit.views import Program
from tacit.views.kinds import Plain

ASKED = ("sample", "score", "predict", "log_prob")  # what a trained method may offer beside its representation


class Run:
    """A folder with a trained encoder and all that is known of it.

    path     the folder; `snapshot` names one of `snapshots` to be taken in place of the last encoder
    config   every choice that was made (`run.yaml`)
    facts    what is known of the data it was trained on
    encoder  the trained module, in evaluation mode, on `device`; None where a method has none
    method   the whole trained method, where it represents otherwise than its encoder or can be asked for more (`ASKED`)
    """

    def __init__(self, path: str | Path, device: str = "auto", snapshot: str = ""):
        self.path = Path(path)
        self.config = Config.read(self.path)
        if not (self.path / "encoder.safetensors").exists():
            raise TacitError(
                f"{self.path} holds a run that has not finished; go on with `tacit pretrain --resume --out {self.path}`."
            )
        self.facts = self.config.known_facts()
        self.cls = find(self.config.method)
        self.views = fit_views(dict(self.facts.more), self.config.views)
        self.machine = precision.choose(device, "fp32" if self.config.precision == "fp32" else "auto")
        self.device = torch.device(self.machine.device)
        self.encoder = untrained_encoder(self.config)()
        self.method: Method | None = None
        self._stage: Stage | None = None  # of the method that is open
        if self._by_method or any(hasattr(self.cls, name) for name in ASKED):
            self.method = self.whole()
            self.encoder = self.method.encoder
        elif self.encoder is not None:
            tensors, _ = checkpoint.read(self.kept(snapshot) if snapshot else self.path / "encoder.safetensors")
            checkpoint.restore(self.encoder, tensors)
            self.encoder = self.encoder.to(self.device).eval()

    @property
    def similarity(self) -> str:
        """By which its embeddings are to be compared."""
        return self.cls.similarity

    @property
    def snapshots(self) -> list[str]:
        """The encoders that were kept while it trained, by name, in order; none where the method itself represents."""
        if self._by_method:
            return []
        names = [file.stem for file in (self.path / "snapshots").glob("stage-*-epoch-*.safetensors")]
        return sorted(names, key=lambda name: [int(part) for part in name.split("-")[1::2]])

    def kept(self, snapshot: str) -> Path:
        """The file of a snapshot."""
        if snapshot not in self.snapshots:
            raise unknown(f"snapshot of {self.path}", snapshot, self.snapshots)
        return self.path / "snapshots" / f"{snapshot}.safetensors"

    def whole(self) -> Method:
        """The trained method of the last stage with all it has, its projector too, in evaluation mode, on `device`."""
        last = max(self.path.glob("stage-*.safetensors"), key=lambda file: int(file.stem.partition("-")[2]))
        return open_stage(last, find, self._built, untrained_encoder(self.config)(), self.facts).to(self.device).eval()

    def untrained(self) -> nn.Module | None:
        """What embeds, as it was before any training: by the run's seed the same each time, on its device."""
        encoder = untrained_encoder(self.config)()
        fresh: nn.Module | None = encoder
        if self._by_method and self._stage is not None:
            with torch.random.fork_rng(devices=[]):
                torch.default_generator.manual_seed(counter.key(self.config.seed, "untrained"))
                fresh = build_method(self._stage, encoder)
                for inner in nested(fresh):
                    inner.prepare(self.facts)
        return None if fresh is None else fresh.to(self.device).eval()

    def _built(self, stage: Stage, encoder: nn.Module | None) -> Method:
        self._stage = stage
        return build_method(stage, encoder)

    @property
    def _by_method(self) -> bool:
        """Whether the method represents otherwise than its encoder."""
        return self.cls.represent is not Method.represent

    @property
    def _trained(self) -> nn.Module:
        """What embeds: the method where it represents otherwise than its encoder, else the encoder."""
        module = self.method if self._by_method else self.encoder
        assert module is not None, "a method without an encoder represents by itself"
        return module

    def fingerprint(self) -> str:
        """The hash of what embeds: tables written by another encoder are told apart by it."""
        from tacit.embeddings.fingerprint import fingerprint

        return fingerprint(self._trained)

    def open(self, source: Any, kind: str | None = None) -> Samples:
        """A source opened and decoded as this run's encoder wants it."""
        samples = data.open(source, kind)
        if samples.kind != self.facts.kind:
            raise TacitError(
                f"{samples.source} holds samples of kind {samples.kind} and this run was trained on {self.facts.kind}; "
                "give a source of that kind."
            )
        return at_side(samples, dict(self.facts.more))

    def represent(self, content: Any, index: np.ndarray, kind: View | None = None, key: int = 0) -> list[Tensor]:
        """Decoded content of n samples -> one n × d float32 tensor per view of `kind` (by default plain), on the CPU."""
        represent = self.method.represent if self.method is not None else lambda batch: self._trained(batch.views[0])
        return seen(
            represent, Program(kind or Plain(), self.views), content, index, key, self.device, self.autocast, whole=kind is None
        )

    def embed(self, source: Any, *, kind: str | None = None, batch: int = 256) -> Tensor:
        """All samples of a source (the entities of triples), in its order -> N × d float32.

        `tacit.embed` writes what memory does not hold to a table.
        """
        samples = self.open(source, kind).embedded()
        return torch.cat([self.represent(_whole(samples, index), index)[0] for index in chunks(len(samples), batch)])

    def autocast(self) -> AbstractContextManager:
        """The precision that is native to the machine, or float32 where it was trained in that."""
        if self.machine.precision == "bf16":
            return torch.autocast(self.device.type, dtype=torch.bfloat16)
        return nullcontext()

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r}, method={self.config.method!r}, encoder={self.config.encoder!r})"


def untrained_encoder(config: Config) -> Callable[..., nn.Module | None]:
    """The factory of a configuration's encoder: each call builds a fresh one, by its number or by one that it is given."""
    if not config.encoder:
        return lambda number=None: None
    return encoders.factory(config.encoder, config.known_facts(), config.seed, **config.encoder_options)


@torch.no_grad()
def seen(
    represent: Callable[[Batch], Tensor],
    program: Program,
    content: Any,
    index: np.ndarray,
    key: int,
    device: torch.device,
    autocast: Callable[[], AbstractContextManager],
    whole: bool,
) -> list[Tensor]:
    """Content through a program and `represent`: one tensor for the whole batch, or one per view."""
    views, params = program(move(content, device), index, key)
    positions = torch.from_numpy(index).to(device)
    with autocast():
        if whole:
            return [represent(Batch(views, positions, params=params)).detach().float().cpu()]
        return [
            represent(Batch([view], positions, params=[drawn])).detach().float().cpu() for view, drawn in zip(views, params)
        ]


def chunks(n: int, size: int) -> list[np.ndarray]:
    """0…n−1 in pieces."""
    return [np.arange(at, min(at + size, n)) for at in range(0, n, size)]


def _whole(samples: Samples, index: np.ndarray) -> Any:
    content, bad = samples.read(index)
    if bad:
        position, why = next(iter(bad.items()))
        raise TacitError(
            f"{samples.ids[position]} could not be read ({why}); remove it, or use tacit.embed, which skips and lists it."
        )
    return content
