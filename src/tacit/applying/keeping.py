"""`tacit table`: what a table holds, its versions, and its vectors out to the files of others and in from them."""

from dataclasses import dataclass
from pathlib import Path

from tacit.applying.compressing import codes_of, told_of
from tacit.embeddings import exchange
from tacit.embeddings.codes import About
from tacit.embeddings.metadata import joined
from tacit.embeddings.provenance import Provenance
from tacit.embeddings.read import Table, open_table
from tacit.embeddings.upkeep import Version, compacted, restored, versions
from tacit.errors import TacitError


@dataclass(frozen=True)
class Kept:
    """What is to be known of a table."""

    table: Table
    provenance: Provenance
    columns: list[str]
    versions: list[Version]
    exported: Path | None
    joined: str
    codes: About | None

    def __str__(self) -> str:
        made = self.provenance
        lines = [f"{self.table}."]
        if self.exported is not None:
            lines.append(f"Its rows are in {self.exported}.")
        if self.joined:
            lines.append(self.joined)
        if self.codes is not None:
            lines.append(told_of(self.codes, self.provenance.dim))
        lines.append(f"Made by {made.run} (encoder {made.encoder[:12]}) from {made.source or 'an unnamed source'}.")
        lines.append(f"Columns: {', '.join(self.columns)}.")
        lines += [f"Version {entry.number}, {entry.time:%Y-%m-%d %H:%M:%S}: {entry.rows:,} rows." for entry in self.versions]
        return "\n".join(lines)


def table(
    path: str | Path,
    *,
    export: str | Path | None = None,
    take_in: str | Path | None = None,
    encoder: str = "",
    similarity: str = "cosine",
    join: str | Path | None = None,
    compress: str = "",
    compact: bool = False,
    restore: int = 0,
) -> Kept:
    """Say what a table holds, after at most one of these was done:

    export   write all rows to a .parquet file, or the vectors to a .npy or a .faiss file with their ids beside it
    take_in  make the table of a .parquet file with columns id and vector, or of a .npy file; `encoder` is the name of what
             made those vectors, `similarity` how they are compared
    join     add the columns of a .csv, .tsv or .parquet with a column id (or path), for conditions and names of clusters
    compress make codes of its vectors beside it (`embeddings.codes`: `pca64,scalar`) and measure them
    compact  put the pieces of the table together and forget its earlier versions
    restore  make the table what it was in this version
    """
    if sum((export is not None, take_in is not None, join is not None, bool(compress), compact, bool(restore))) > 1:
        raise TacitError(
            "Of --export, --import, --join, --compress, --compact and --restore one was expected; give them one after another."
        )
    if take_in is not None and not encoder:
        raise TacitError("--import needs --encoder NAME, what made the vectors, so that they are not mixed with others.")
    if take_in is None and encoder:
        raise TacitError("--encoder names what made the vectors of --import; leave it out, or give the file.")
    if take_in is not None:
        exchange.take_in(take_in, path, encoder=encoder, similarity=similarity)
    found = open_table(path)
    if compact:
        found = compacted(found)
    if restore:
        found = restored(found, restore)
    found, said = (found, "") if join is None else joined(found, join)
    exported = None if export is None else exchange.export(found, export)
    codes = codes_of(found, compress).about if compress else None
    return Kept(found, found.provenance, list(found.lance.schema.names), versions(found), exported, said, codes)
