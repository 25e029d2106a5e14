"""The page of codes, from what `benchmarks/codes.py` stored."""

import json
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parents[1] / "benchmarks" / "results" / "codes.json"
SETS = {
    "cifar10-15k": "15 000 images of CIFAR-10, {d} numbers each by a run of `matryoshka`; 3 000 test images ask",
    "generated": "200 000 generated rows about 4096 centres, {d} numbers each; 500 further draws ask",
}
HOW = (
    "A code makes vectors small, and names candidates, which all numbers then put in order: `tacit table T --compress "
    "pca64,scalar` makes it and says how good it is, `tacit search T QUERY --codes pca64,scalar` asks it, and makes it where "
    "there is none yet. In a table of a run of `matryoshka`, `tacit search T QUERY --funnel` takes the signs of as few first "
    "numbers as find 99 % of the nearest. How codes are spelt and what each is stands in `tacit.embeddings.codes`.\n\n"
    "Written by `python docs/generate.py` from the rows of `benchmarks/codes.py`. Recall is the share of the 10 nearest by all "
    "numbers that is found: by the codes alone, and where all numbers of the shortlist are compared, so many candidates for "
    "each hit. nDCG takes what has the query's class as relevant. Brackets are 95 % intervals over queries. Queries a second "
    "are of the codes alone, by seconds of the processor, since other work shared the machine; behind them stands how many "
    "times that is what faiss' flat index of all numbers answers, which takes turns with it."
)


def page() -> str:
    rows = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    parts = ["# Codes", HOW]
    for name, title in SETS.items():
        own = {key.partition(": ")[2]: row for key, row in rows.items() if key.startswith(f"{name}: ")}
        if own:
            parts += [f"## {title.format(d=next(iter(own.values()))['n']['d'])}", table(own)]
    return "\n\n".join(parts) + "\n"


def table(rows: dict[str, Any]) -> str:
    """The rows of one set, the largest codes first."""
    labelled = any("ndcg" in row for row in rows.values())
    head = ["code", "bytes", "recall alone", "recall, compared", "shortlist", *(["nDCG alone", "compared"] if labelled else [])]
    head += ["queries a second, one by one", "100 at once", "build, s", "load", "commit"]
    one = next(iter(rows.values()))
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for code, row in sorted(rows.items(), key=lambda item: (-item[1]["bytes"], item[0])):
        recall, cells = row["recall"], [f"`{code}`", f"{row['bytes']:g}"]
        cells += [percent(recall["alone"]), percent(recall["compared"]), str(row["shortlist"])]
        cells += [percent(row["ndcg"][way]) for way in ("alone", "compared")] if labelled else []
        cells += [rate(row["speed"]["one by one"], 10), rate(row["speed"]["at once"], 100)]
        load = " to ".join(f"{value:.1f}" for value in sorted(row["load"]))
        cells += [f"{row['build']:.1f}", load, row["commit"]]
        lines.append(f"| {' | '.join(cells)} |")
    told = f"All numbers take {4 * one['n']['d']} bytes a vector"
    told += f" and reach an nDCG of {percent(one['ndcg']['exact'])}" if labelled else ""
    return "\n".join([*lines, "", f"{told}. {one['machine']}; `OMP_NUM_THREADS=1 python benchmarks/codes.py`."])


def percent(found: list[float]) -> str:
    value, low, high = (100 * one for one in found)
    return f"{value:.1f} % ({low:.1f} to {high:.1f})"


def rate(turns: dict[str, Any], queries: int) -> str:
    seconds = turns["seconds of the processor"]["codes"]
    ratio, low, high = turns["ratio by seconds of the processor"]["flat"]
    return f"{queries / seconds:,.0f}, **{ratio:g}** ({low:g} to {high:g})"
