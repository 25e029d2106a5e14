"""`tacit cluster`: the rows of a table in groups."""

from pathlib import Path
from shlex import quote

import tacit
from tacit.cli.answer import NO_FLAGS, Answer, Seed, Shared, given

SHOWN = 30


def cluster(
    table: str,
    /,
    *,
    out: Path,
    method: str | None = None,
    number: int | None = None,
    least: int | None = None,
    seed: Seed = None,
    shared: Shared = NO_FLAGS,
) -> Answer:
    """Put what a table holds into groups, name them, and write which is where.

    Parameters
    ----------
    table
        What `tacit embed` wrote.
    out
        The Parquet file to write: id, cluster, name, similarity, above. If it is there, clusters keep their numbers.
    method
        kmeans, hdbscan or hierarchical; kmeans if not given.
    number
        How many clusters, of hierarchical on the lowest level; found if not given, and by hdbscan always.
    least
        Of hdbscan: the rows that make a cluster; one in 200, and 5 at least, if not given.
    """
    made = tacit.cluster(table, out=out, **given(method=method, number=number, least=least, seed=seed))
    lines = [f"{len(made.found)} clusters" + (f", and {made.alone:,} rows in none." if made.alone else ".")]
    if made.silhouettes:
        best, tried = max(made.silhouettes.values()), max(made.silhouettes)
        lines[0] += (
            f" Of 2 to {tried} that many have the largest silhouette, {best:.3f}."
            if len(made.found) == max(made.silhouettes, key=lambda k: made.silhouettes[k])
            else f" No number of 2 to {tried} stands out (the largest silhouette is {best:.3f}); --number asks for another."
        )
    if made.kept:
        lines.append(f"{made.kept} of them keep the number that they had in {out}.")
    lines += [f"{one.number:>5}  {one.size:>8,}  {one.name}  (such as {one.typical[0]})" for one in made.found[:SHOWN]]
    if len(made.found) > SHOWN:
        lines.append(f"and {len(made.found) - SHOWN} smaller ones")
    lines.append(f"Which is where stands in {out}.")
    return Answer("\n".join(lines), made, f"tacit search {quote(table)} ID --top 10")
