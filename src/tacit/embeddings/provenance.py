"""Where vectors come from and how they are to be compared: without this a table of numbers means nothing."""

import json
from dataclasses import asdict, dataclass, fields

KEY = b"tacit"  # in the metadata of the table's schema


@dataclass(frozen=True)
class Provenance:
    """What is saved with a table and read by everything that compares its vectors."""

    run: str  # the folder of the run that made the encoder
    encoder: str  # its `fingerprint`
    form: str  # of a sample's content: "dense" is one vector for each, "ragged" one for each of its tokens
    similarity: str  # by which the vectors are to be compared: "cosine", "dot" or "poincare"; ragged ones by "maxsim"
    dim: int  # of one vector
    kind: str  # the modality that was embedded
    version: str  # of Tacit
    source: str = ""  # where the samples came from: of what is a file or a folder the absolute path
    pool: int = 1  # tokens that became one vector, on average

    def __post_init__(self):
        if self.dim < 1:
            raise ValueError(f"vectors of {self.dim} numbers")

    def metadata(self) -> dict[bytes, bytes]:
        """For a schema: one key, JSON."""
        return {KEY: json.dumps(asdict(self)).encode()}

    @classmethod
    def from_metadata(cls, metadata: dict[bytes, bytes] | None) -> "Provenance":
        """What `metadata` wrote; a ValueError where it is missing or is not that."""
        if not metadata or KEY not in metadata:
            raise ValueError("it carries no provenance")
        saved = json.loads(metadata[KEY])
        if not isinstance(saved, dict):
            raise ValueError("its provenance is not a mapping")
        for field in fields(cls):
            if not isinstance(saved.get(field.name, field.default), field.type):  # type: ignore[arg-type]  # the annotations are classes
                raise ValueError(f"its provenance lacks {field.name!r}")
        return cls(**{field.name: saved[field.name] for field in fields(cls) if field.name in saved})
