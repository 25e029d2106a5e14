"""A run as it is served: its name, what it reads, and how a batch goes through it."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tacit.data.text.samples import Texts
from tacit.errors import TacitError
from tacit.run import Run
from tacit.serving.batching import Loaded
from tacit.serving.limits import Limits, Refused
from tacit.serving.reading import Reader, reader_of
from tacit.sides import PARTS, Side


class Door:
    """One kind of data through a run, or through the side of a run on pairs that reads it."""

    def __init__(self, by: Run | Side, reader: Reader):
        self.by, self.reader = by, reader

    def load(self, items: Sequence[Any]) -> Loaded:
        content, bad = self.reader.samples(items).read(np.arange(len(items)))
        good = np.array([position for position in range(len(items)) if position not in bad], np.int64)
        tokens = content.offsets.diff().numpy() if isinstance(content, Texts) else np.zeros(len(good), np.int64)
        return Loaded(content, good, bad, tokens)

    def represent(self, loaded: Loaded) -> np.ndarray:
        return self.by.represent(loaded.content, loaded.good)[0].numpy()


class Model:
    """A run that answers.

    name   by which clients call it: that of its folder
    doors  by kind of data
    sizes  the lengths at which a matryoshka run was trained; none of others
    """

    def __init__(self, run: Run, limits: Limits):
        self.run, self.limits = run, limits
        self.name = run.path.resolve().name
        self.created = int((run.path / "encoder.safetensors").stat().st_mtime)
        self.fingerprint = run.fingerprint()
        self.doors = _doors(run, limits)
        if not self.doors:
            raise TacitError(
                f"{run.path} embeds samples of kind {run.facts.kind}, which do not come one by one; served are runs on images, "
                "texts, vectors, sounds, series, tables, and pairs of these."
            )
        self.sizes: tuple[int, ...] = vars(run.whole())["sizes"] if run.config.method == "matryoshka" else ()

    def given(self, values: Sequence[Any]) -> Door:
        """The door for values of JSON."""
        first = values[0]
        wanted = "text" if isinstance(first, str) else "table" if isinstance(first, dict) else "vector"
        if wanted == "vector" and wanted not in self.doors and "text" in self.doors:
            wanted = "text"  # which says why it takes no numbers
        if wanted in self.doors:
            return self.doors[wanted]
        said = {"text": "texts", "table": "rows", "vector": "vectors"}[wanted]
        how = "as files to /v1/embeddings/upload" if self.uploaded else "as `input`"
        raise Refused(400, "wrong_kind", f"{self.name} embeds {self.kinds} and not {said}; send these {how}.")

    @property
    def kinds(self) -> str:
        """What is embedded, in words."""
        return " and ".join(f"{kind}s" if kind in ("image", "text", "vector", "table") else kind for kind in self.doors)

    @property
    def uploaded(self) -> list[Door]:
        """The doors that files go through."""
        return [door for door in self.doors.values() if door.reader.suffixes]

    def file(self, name: str) -> Door:
        """The door for a file: the one that there is, or of several that which reads files of such a name."""
        doors = self.uploaded
        if not doors:
            raise Refused(400, "wrong_kind", f"{self.name} embeds {self.kinds}, which are not sent as files; post JSON.")
        suffix = "." + name.rpartition(".")[2].lower()
        fitting = [door for door in doors if suffix in door.reader.suffixes]
        if len(doors) > 1 and len(fitting) != 1:
            raise Refused(400, "wrong_kind", f"{self.name} embeds {self.kinds}, and no name of a file says which; name it so.")
        return fitting[0] if fitting else doors[0]

    def named(self, name: str | None) -> None:
        """Refuse a name that is not this model's."""
        if name is not None and name != self.name:
            raise Refused(404, "model_not_found", f"There is no model {name[:80]!r} here, only {self.name!r}.", param="model")

    def cut(self, vectors: np.ndarray, dimensions: int | None) -> np.ndarray:
        """The first so many numbers of each vector, where the run was trained at that length too."""
        whole = vectors.shape[1]
        if dimensions is None or dimensions == whole:
            return vectors
        if dimensions not in self.sizes:
            lengths = ", ".join(map(str, self.sizes or (whole,)))
            why = "" if self.sizes else "; only runs of the method matryoshka can be cut"
            raise Refused(
                400, "wrong_dimensions", f"dimensions is {dimensions}, and {self.name} has {lengths}{why}.", param="dimensions"
            )
        return vectors[:, :dimensions]


def _doors(run: Run, limits: Limits) -> dict[str, Door]:
    """By kind of data; of a run on pairs its two sides. The same kind on both sides is read as the first."""
    sides: list[tuple[Run | Side, Any]] = [(run, run.facts.more)]
    if run.facts.kind == "pair":
        sides = [(Side(run, part), run.facts.more[name]) for part, name in enumerate(PARTS)]
    found: dict[str, Door] = {}
    for by, facts in sides:
        if (reader := reader_of(facts, limits)) is not None:
            found.setdefault(reader.kind, Door(by, reader))
    return found
