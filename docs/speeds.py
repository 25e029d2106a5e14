"""The sections of docs/numbers.md that hold tacit beside its rivals, from what the benchmarks stored."""

import json
import statistics
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parents[1] / "benchmarks" / "results"
Row = dict[str, Any]
JUDGE = {  # the rows of judge.json and their rules
    "knn": ("kNN, 20 of 100 000 keys for 10 000 queries, 512 dimensions", "recall 1.0, no slower than faiss flat"),
    "rankme": ("RankMe of 100 000 × 512", "a few seconds, within 1e-3 of a float64 SVD"),
    "rankme, collapsed": ("the same, collapsed to three directions", "the same"),
    "panel": ("the full panel of 10 000 × 512", "under 2 minutes"),
    "sweep, 2 000 × 128": ("100 penalties of the linear probe, 2 000 × 128", "20 times scikit-learn at equal accuracy"),
    "sweep, 10 000 × 512": ("the same, 10 000 × 512", "20 times scikit-learn at equal accuracy"),
}
STUDENT = {3: 4.30, 4: 3.18, 5: 2.78, 15: 2.14}  # of 95 in 100, by the number of seeds
GRACE = {"cora": "83.3 ± 0.4", "citeseer": "72.1 ± 0.5"}  # the paper's


def judge() -> str:
    rows = json.loads((RESULTS / "judge.json").read_text())
    lines = ["| | seconds | times as fast as | checked | rule | load | commit |", "|---|---|---|---|---|---|---|"]
    for name, (title, rule) in JUDGE.items():
        if name not in rows:
            lines.append(f"| {title} | not measured |  |  | {rule} |  |  |")
        else:
            r = rows[name]
            ratios = "; ".join(f"{other} **{a:g}**{over(r, low, high)}" for other, (a, low, high) in r["ratio"].items())
            lines.append(
                f"| {title} | {r['seconds']['tacit']:.2g} | {ratios} | {checked(r)} | {rule} | {load(r)} | {r['commit']} |"
            )
    one = rows["knn"]
    versions = ", ".join(f"{name} {version}" for name, version in one["versions"].items())
    how = f"Medians of {one['turns']} turns that alternate in one process, in brackets the smallest and the largest"
    return "\n".join([*lines, "", f"{how}; {one['machine']}; {versions}. `{one['command']}`."])


def checked(r: Row) -> str:
    """What was measured besides seconds."""
    if "recall" in r:
        return f"recall {r['recall']['tacit']:g}, {r['MiB_grown_at_peak']} MiB grown at the peak"
    if "off" in r:
        return f"{r['off']:.0e} off"
    if "numbers" in r:
        return f"{r['numbers']} numbers, {len(r['missing'])} missing"
    beside = r["beside scikit-learn"]
    accuracy = beside["accuracy above it, points: mean, least, most"]
    return f"accuracy {accuracy[0]:+.2f} points on average ({accuracy[1]:+g} to {accuracy[2]:+g})"


def load(r: Row) -> str:
    return " to ".join(f"{value:.1f}" for value in sorted(r["load"]))


def over(r: dict, low: float, high: float) -> str:
    """Behind a ratio: its smallest and largest turn."""
    return f" ({low:g} to {high:g})" if r["turns"] > 1 else " (one turn)"


def walks() -> str:
    rows = json.loads((RESULTS / "walks.json").read_text())
    rules = {"walks, p": 15, "walks, first": 6, "skip-gram": 4, "graph embedding": 30}
    lines = [
        "| | CPU seconds | rival's | times as fast | rule | micro- and macro-F1 | rival's | load | commit |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, r in rows.items():
        ratio, low, high = r["ratio"]
        rule = next(least for start, least in rules.items() if name.startswith(start))
        mine, other = (" and ".join(f"{f1:.1f}" for f1 in r["F1"][who]) if "F1" in r else "" for who in ("tacit", "rival"))
        said = f"≥ {rule}: {'yes' if ratio >= rule else '**no**'}"
        seconds = f"{r['seconds']['tacit'][0]:.2f} | {r['seconds']['rival'][0]:.1f}"
        ratios = f"**{ratio:g}**{over(r, low, high)}"
        lines.append(f"| {name} | {seconds} | {ratios} | {said} | {mine} | {other} | {load(r)} | {r['commit']} |")
    machine, command = next((r["machine"], r["command"]) for r in rows.values())
    how = (
        "Walks beside PecanPy on a generated graph of 50 000 nodes; skip-gram beside gensim, and ProNE's "
        "factorisation beside node2vec by PecanPy and gensim, on BlogCatalog, F1 with half of the nodes labelled. "
        f"{machine}. `{command}`."
    )
    return "\n".join([*lines, "", how])


def graphs() -> str:
    lines = ["| | found | seeds | the paper |", "|---|---|---|---|"]
    for name, paper in GRACE.items():
        if (file := RESULTS / f"graphs-grace-{name}.jsonl").exists():
            found = [100 * json.loads(line)["nodes_random"] for line in file.read_text().splitlines()]
            spread = f" ± {statistics.stdev(found):.2f}" if len(found) > 1 else ""
            lines.append(f"| `grace` on {name} | {statistics.mean(found):.2f}{spread} | {len(found)} | {paper} |")
    if (file := RESULTS / "graphs-links-cora.jsonl").exists():
        told = [json.loads(line) for line in file.read_text().splitlines()]
        for divergence, model in ((0.0, "without the divergence"), (1.0, "`vgae`")):
            auc, ap = ([100 * r[m] for r in told if r["divergence"] == divergence] for m in ("link_auc", "link_ap"))
            paper = "AUC 91.4, AP 92.6" if divergence else "AUC 91.0, AP 92.0 (GAE)"
            spread = f" ± {statistics.stdev(auc):.2f}" if len(auc) > 1 else ""
            values = f"AUC {statistics.mean(auc):.2f}{spread}, AP {statistics.mean(ap):.2f}"
            lines.append(f"| links of cora, {model} | {values} | {len(auc)} | {paper} |")
    if (file := RESULTS / "graphs-triples-fb15k237.jsonl").exists():
        r = json.loads(file.read_text().splitlines()[-1])
        found = f"filtered MRR {r['test']['mrr']:.3f}, Hits at 10 {100 * r['test']['hits_at_10']:.1f} %"
        lines.append(
            f"| `distmult`, `softmax`, fb15k237 ({r['cpu_seconds'] // 60} core-minutes) | {found} | 1 | rule: MRR ≥ 0.30 |"
        )
    large = json.loads((RESULTS / "graphs-large.jsonl").read_text().splitlines()[-1])
    about = (
        f"{large['nodes']:,} nodes and {large['edges']:,} edges, generated, train on sampled neighbourhoods within "
        f"**{large['peak_gib']} GiB** ({large['batches']} batches in {large['trained_s']:.0f} s, loaded); the rule is 6. "
    )
    how = "Means and deviations over seeds; accuracy of a logistic regression on random tenths, three splits a seed."
    return "\n".join(
        [*lines, "", f"{how} {about}`python benchmarks/graphs.py grace cora --seeds 10`, `… links cora`, `… large`."]
    )


def texts() -> str:
    rows = json.loads((RESULTS / "texts.json").read_text())
    lines = []
    if "stsb" in rows:
        r = rows["stsb"]
        lines += ["| STS-B, Spearman × 100 | dev | test |", "|---|---|---|"]
        named = {"this encoder": "`simcse`, `averaged`", "untrained encoder": "`averaged`, untrained"}
        if "sent2vec" in rows:
            r = r | {"`sent2vec`, `averaged_ngrams`": rows["sent2vec"]["this encoder"]}
        for name, found in r.items():
            if isinstance(found, dict):
                cells = [found.get(part) for part in ("dev", "test")]
                shown = ["" if c is None else f"{c[0]} ({c[1]} to {c[2]})" if isinstance(c, list) else str(c) for c in cells]
                lines.append(f"| {named.get(name, name)} | {' | '.join(shown)} |")
        lines += ["", f"Trained on 72 496 sentences of other sources; rule: {r['rule']}; commit {r['commit']}.", ""]
    if "few labels" in rows:
        r = {name: found for name, found in rows["few labels"].items() if isinstance(found, dict)}
        ways = list(next(iter(r.values())))
        lines += [f"| ten labels a class | {' | '.join(ways)} |", "|---" * (len(ways) + 1) + "|"]
        for name, found in r.items():
            lines.append(f"| {name} | {' | '.join(f'{found[way][0]} ± {found[way][1]} %' for way in ways)} |")
        lines.append("")
    if "few labels, own texts" in rows:
        lines += [own_texts(rows["few labels, own texts"]), ""]
    if "embedding" in rows:
        r = rows["embedding"]
        lines.append(
            f"The averaged encoder embeds {r['a second'][0]:,} sentences of {r['words of a sentence']} words a second "
            f"({r['a second of one core'][0]:,} in a second of one core's time; load {load(r)}); rule: {r['rule']}."
        )
    if "transformers" in rows:
        r = rows["transformers"]
        lines.append(f"Beside plain transformers {r['ratio'][0]} ({r['ratio'][1]} to {r['ratio'][2]}); rule: {r['rule']}.")
    return "\n".join([*lines, "", "`python benchmarks/texts.py`, a row each."])


def own_texts(r: Row) -> str:
    """The task of few labels that is won against TF-IDF."""
    options = ", ".join(f"{name} {value}" for name, value in r["options"].items())
    reached = "; ".join(f"{way} {mean} ± {spread} %" for way, (mean, spread) in r["ag_news_small"].items())
    ahead = "; ".join(f"**{gap:+g}** ({low:g} to {high:g}) of {rival}" for rival, (gap, low, high) in r["ahead"].items())
    return (
        f"Trained on the 6 000 training texts of ag_news_small themselves, without their labels ({options}; chosen on a "
        f"held-out part of these), one run: {reached}. Ahead {ahead}, with 95 % intervals over the draws of labels; rule: "
        f"{r['rule']}; commit {r['commit']}."
    )


def losses() -> str:
    """Contrastive losses beside their rivals, with what memory they take and how far they are off."""
    rows = json.loads((RESULTS / "losses.json").read_text())
    lines = [
        "| | seconds | times as fast as | limit | rule | MiB grown | rivals' | gradient off by | rivals' | load | commit |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    rules = {
        "NT-Xent, float32": {"lightly": 12, "one product": 6},
        "NT-Xent, bfloat16": {"lightly, float32": 30, "one product, float32": 15},
        "CLIP, float32": {"open_clip": 2.5},
        "CLIP, bfloat16": {"open_clip": 6},
    }
    by = "seconds of the processor"
    pairs = {name: r for name, r in rows.items() if name in rules}
    for name, r in pairs.items():
        ratios = r[f"ratio by {by}"]
        shown = "; ".join(f"{other} **{a:g}** ({low:g} to {high:g})" for other, (a, low, high) in ratios.items())
        met = "; ".join(f"{other} ≥ {least}: {said(ratios[other][0], least)}" for other, least in rules[name].items())
        memory, off = dict(r["MiB grown at the peak"]), {who: e["gradient"] for who, e in r["off by, of 2 048 pairs"].items()}
        mine = f"{memory.pop('tacit'):.0f}", f"{off.pop('tacit'):.1e} (rounding alone {off.pop('rounding alone'):.1e})"
        others = " / ".join(f"{v:.0f}" for v in memory.values()), " / ".join(f"{v:.0e}" for v in off.values())
        most = " / ".join(f"{r[by][other] / r['products alone']:.1f}" for other in ratios) if "products alone" in r else ""
        cells = [f"{name}, {r['n']['pairs']:,} pairs of {r['n']['d']}", f"{r[by]['tacit']:.2f}", shown, most, met]
        cells += [mine[0], others[0], mine[1], others[1], load(r), r["commit"]]
        lines.append(f"| {' | '.join(cells)} |")
    how = "Forward and backward, medians of turns that alternate in one process, by seconds of the processor, since other work "
    how += "shared the machine; the limit is the ratio if nothing but the products of tiles took time (the rules come from a "
    how += (
        "machine with matrix units for bfloat16). Errors are relative to float64, of 2 048 pairs; rounding alone is what the "
    )
    how += "exact gradient loses in the views' own type."
    if r := rows.get("Sinkhorn"):
        (a, low, high), off = r[f"ratio by {by}"]["DINOv3's turns"], r["off by"]["tacit"]
        how += (
            f" Sinkhorn of {r['n']['rows']} rows and {r['n']['prototypes']:,} prototypes takes {1000 * r[by]['tacit']:.0f} ms, "
        )
        how += f"**{a:g}** ({low:g} to {high:g}) times as fast as DINOv3's turns (≥ 4: {said(a, 4)}), "
        how += (
            f"off by {off:.0e} (load {load(r)}, {r['commit']}), into a buffer that is used again: the table is read or written "
        )
        how += "seven times, as fast as memory gives it to one core or to two."
    one = next(iter(rows.values()))
    return "\n".join([*lines, "", f"{how} {one['machine']}; {versions(one)}. `OMP_NUM_THREADS=2 python benchmarks/losses.py`."])


def curation() -> str:
    """Near duplicates and hierarchical k-means beside the published ways."""
    rows = json.loads((RESULTS / "curation.json").read_text())
    lines = ["| | seconds | times as fast as | checked | rule | load | commit |", "|---|---|---|---|---|---|---|"]
    by, rival = "seconds of the processor", "full matrices"
    r = rows["near duplicates"]
    n, grown, (ratio, low, high) = r["n"], r["MiB grown at the peak"], r[f"ratio by {by}"][rival]
    lines.append(
        f"| near duplicates, {n['rows']:,} × {n['d']}, cosine {n['cosine']:g} | {r[by]['tacit']:.1f} | {rival} **{ratio:g}** "
        f"({low:g} to {high:g}) | {grown['tacit']:.0f} MiB grown beside {grown[rival]:.0f}; {n['kept by one of both only']} of "
        f"{n['rows']:,} rows kept by one of both only | ≥ 5 in 1/20 of the memory: "
        f"{said(ratio if grown['tacit'] * 20 <= grown[rival] else 0, 5)} | {load(r)} | {r['commit']} |"
    )
    r, rival = rows["hierarchical k-means"], "ssl-data-curation"
    (ratio, _, _), n, even = r[f"ratio by {by}"][rival], r["n"], rows.get("hierarchical k-means, classes")
    told, above = "", 0.0
    if even is not None:
        found, (middle, above, most) = even["divergence from equal shares"], even["above the rival"]
        told = f"divergence of {even['n']['chosen']:,} of {even['n']['rows']:,} from equal shares, {even['n']['seeds']} seeds: "
        told += ", ".join(f"{who} {value:.2f}" for who, value in found.items())
        told += f"; ours {middle:+.2f} ({above:+.2f} to {most:+.2f}) beside the rival's"
    lines.append(
        f"| hierarchical k-means and sampling, {n['rows']:,} × {n['d']}, levels {' and '.join(map(str, n['levels']))} | "
        f"{r[by]['tacit']:.1f} | {rival} **{ratio:g}** (one turn) | {told} | ≥ 20, as even: "
        f"{said(ratio if above <= 0 else 0, 20)} | {load(r)} | {r['commit']} |"
    )
    how = (
        "By seconds of the processor, since other work shared the machine. The same rows cannot be kept as by SemDeDup, which "
    )
    how += "misses what lies in two clusters and drops what repeats a dropped row"
    return "\n".join([*lines, "", f"{how}; {r['machine']}. `python benchmarks/curation.py`."])


def searching() -> str:
    """Nearest rows and nearest centroids beside faiss and scikit-learn, in memory and from a table; and embedding."""
    rows = {}
    for file in ("search.json", "store.json"):
        if (RESULTS / file).exists():
            rows |= json.loads((RESULTS / file).read_text())
    lines = ["| | seconds | times as fast as | limit | checked | rule | load | commit |", "|---|---|---|---|---|---|---|---|"]
    by = "seconds of the processor"
    rules = {
        "k-means": ("k-means, 200 000 × 384, 1 024 centroids, 10 rounds", 3),
        "exact neighbours": ("10 nearest in memory, 1 000 queries, 200 000 × 384", 1.7),
        "late interaction, float32": ("late interaction, 8 questions, 10 000 documents of 128 tokens, 128 numbers", 4),
        "late interaction, bfloat16": ("the same in bfloat16", 4),
        "late interaction, bfloat16, pooled by 2": ("the same of documents pooled by 2", 8),
        "exact search, 200 000": ("`tacit search` of every row from disk, 1 000 queries, 200 000 × 256", 1),
        "exact search, held, 200 000": ("the same with the table's vectors in memory, as faiss has them", 1),
        "funnel, 200 000": ("the funnel of `embeddings/funnel.py`, 200 000 × 768, beside faiss flat", 10),
        "approximate search, 1 000 000": ("`tacit search` by the index, 1 000 000 × 256", 20),
        "embedding": ("`tacit embed`, 32-pixel images, small_resnet", 0.9),
    }
    for name, (title, least) in rules.items():
        if name not in rows:
            continue
        r = rows[name]
        ratios = r[f"ratio by {by}"]
        shown = "; ".join(f"{other} **{a:g}** ({low:g} to {high:g})" for other, (a, low, high) in ratios.items())
        met = said(ratios["PyLate"][0] if "PyLate" in ratios else min(a for a, *_ in ratios.values()), least)
        if "inertia" in r:
            told = "inertia " + ", ".join(f"{who} {value:.6g}" for who, value in r["inertia"].items())
        elif isinstance(r.get("recall"), dict):
            told = f"recall {r['recall']['tacit']:g}"
        elif "ndcg" in r:
            told = "nDCG " + ", ".join(f"{who} {value:.3f}" for who, value in r["ndcg"].items()) + f"; recall {r['recall']:.3f}"
        elif "recall" in r:
            build = r["build"][by]["build"]
            told = f"recall {r['recall']:.3f}, {r['bytes a row']:.0f} bytes a row, made in {build:.0f} s"
            told += f"; candidates alone take {r['of which candidates']:.2f} s, the rest reads their rows from disk"
        elif "same rows" in r:
            told = f"the same rows: {r['same rows']:.4f}"
        elif "off" in r:
            told = "by PyLate's time of float32" + ("" if r["off"] is None else f"; {r['off']:.0e} off")
        else:
            told = f"{r['n']['images']:,} images, thumbnails and writing included"
            told += f"; views, vectors and thumbnails without writing take {r['of which rows']:.2f} s"
        mine = next(value for who, value in r[by].items() if who not in ratios)
        alone = r.get("products alone")
        limit = "; ".join(f"{who} {r[by][who] / alone:.1f}" for who in ratios) if alone else ""
        lines.append(f"| {title} | {mine:.2f} | {shown} | {limit} | {told} | ≥ {least}: {met} | {load(r)} | {r['commit']} |")
    one = next(iter(rows.values()))
    how = (
        "By seconds of the processor, medians of turns that alternate in one process, since other work shared the machine; the "
        "limit is the ratio if nothing but the products took time, in the precision in which we take them (the rules come from "
        "a machine with matrix units)"
    )
    return "\n".join(
        [*lines, "", f"{how}; {one['machine']}. `OMP_NUM_THREADS=2 python benchmarks/search.py`, `… benchmarks/store.py`."]
    )


def compile() -> str:
    """What compiling an encoder gains on a core, and costs."""
    rows = json.loads((RESULTS / "compile.json").read_text())
    each = [f"{as_fast(name, r, 'eager')}, after {r['seconds to compile']:.0f} s" for name, r in rows.items()]
    one = next(iter(rows.values()))
    return (
        f"Forward and backward of 64 images of 32 pixels in bfloat16 by `torch.compile`: {'; '.join(each)}. The rule by which "
        f"it would be offered is 1.2: encoders are not compiled. {one['machine']}; {versions(one)}; commit {one['commit']}. "
        "`OMP_NUM_THREADS=1 python benchmarks/compile.py`."
    )


def attention() -> str:
    """What writing attention out gains in bf16 on a core without matrix units."""
    rows = json.loads((RESULTS / "attention.json").read_text())
    each = "; ".join(as_fast(name, r, "fused") for name, r in rows.items())
    one = next(iter(rows.values()))
    return (
        f"Forward and backward in bfloat16 written out, beside torch's fused kernel: {each}. The rule by which it "
        "is written out: faster at every size; on processors with matrix units it has not been measured and torch's is used. "
        f"{one['machine']}; {versions(one)}; commit {one['commit']}. `OMP_NUM_THREADS=1 python benchmarks/attention.py`."
    )


def as_fast(name: str, r: Row, other: str) -> str:
    """By seconds of the processor, beside another way."""
    a, low, high = r["ratio by seconds of the processor"][other]
    return f"{name} **{a:g}** ({low:g} to {high:g}) times as fast (load {load(r)})"


def memory(r: dict[str, Any]) -> str:
    return (
        f"{r['many']['images']:,} images take {r['more_mb']:.0f} MB more at the peak than {r['one']['images']:,} "
        f"({r['one']['peak_mb']:.0f} MB); the rule is 200. {r['many']['images_per_second']:.0f} images per second, decoding, "
        f"thumbnails and writing included. `{r['command']}`, load {r['load']:.1f}, commit {r['commit']}."
    )


def tables(r: dict[str, Any]) -> str:
    few, many = r["few"], r["many"]
    peak, opened, trained = (many[name] for name in ("own MiB at the peak", "seconds to open", "seconds to train"))
    return (
        f"Opening a CSV of {many['rows']:,} rows ({many['file MiB']:,} MiB) and training on it takes {peak:,} MiB of memory at "
        f"the peak, what is mapped from files apart; of {few['rows']:,} rows {few['own MiB at the peak']:,}: "
        f"{r['bytes a row']:.0f} bytes a row more; the rule is at most 64. Opening took {opened:,.0f} seconds and until 20 "
        f"batches were trained on {trained:,.0f}, on a machine that was busy with other work. `python benchmarks/tables.py`, "
        f"load {r['load'][0]} to {r['load'][1]}, commit {r['commit']}."
    )


def start_up(r: dict[str, Any]) -> str:
    lines = ["| | over bare Python | limit | imports torch |", "|---|---|---|---|"]
    for name in ("import tacit", "tacit --help"):
        n = r[name]
        lines.append(f"| `{name}` | {n['over_bare']:.3f} s | {n['limit']} s | {'yes' if n['imports_torch'] else 'no'} |")
    said = f"Median of {r['rounds']}. "
    if "first step" in r:
        first = r["first step"]
        said += f"The first step of a training comes {first['over_frameworks']:.2f} s after what importing torch, timm and "
        said += f"Fabric takes; the limit is {first['limit']:g}. "
    return "\n".join([*lines, "", f"{said}`python benchmarks/start_up.py benchmarks/results/start_up.json`."])


def serving(rows: dict[str, Row]) -> str:
    """The server beside the encoder alone, its memory, a full queue."""
    parts = []
    if "holds" in rows.get("rate", {}):  # all turns
        r = rows["rate"]
        cost = "processor seconds an image, "
        shown = (
            ("local images a second", 1),
            ("served images a second", 1),
            ("after the client's cost", 1),
            ("share", 2),
            (f"{cost}local", 4),
            (f"{cost}server", 4),
            ("errors", 0),
            ("load", 1),
        )
        lines = [f"| turn | {' | '.join(name for name, _ in shown)} |", "|---" * (len(shown) + 1) + "|"]
        for number, turn in enumerate(r["turns"], 1):
            lines.append(f"| {number} | {' | '.join(f'{turn[name]:.{digits}f}' for name, digits in shown)} |")
        off = max(turn["off"] for turn in r["turns"])
        parts.append(
            f"ViT-S on JPEG files of 256 pixels, requests of 16, 64 clients at a time, {r['requests']} requests: the server "
            f"keeps **{r['share']:.0%}** of the rate of `Run.embed` on the same files (median of the turns; the rule is at "
            f"least 70 % and no error: {'met' if r['holds'] else 'not met'}), {r['images a batch']:.0f} images a batch; "
            f"vectors differ by {off:.0e} at most. The client's processor seconds by the number of cores are taken off the "
            "wall clock."
            "\n\n" + "\n".join(lines) + f"\n\n{told(r)}"
        )
    if "memory" in rows:
        r = rows["memory"]
        held = r["MB after each 500 requests"]
        parts.append(
            f"Memory over {r['requests']:,} requests of a text each, {r['requests a second']:.0f} a second by 16 "
            f"clients: {held[0]:.0f} MB after the first 500, {held[-1]:.0f} at the "
            f"end; between the second tenth and the last **{r['grown MB']:+.1f} MB** (the rule is at most 10: "
            f"{'met' if r['holds'] else 'not met'}), {r['errors']} errors. Load {load(r)}; {told(r)}"
        )
    if "full" in rows:
        r = rows["full"]
        parts.append(
            f"A full queue: {r['refused']} requests were refused with 429 in **{r['median ms']:.1f} ms** (median; 99 of 100 in "
            f"{r['99 of 100 in ms']:.0f} ms) while a batch took {r['seconds of the batch']:.1f} seconds (the rule is half of "
            f"them under 50 ms, 99 of 100 under 500: {'met' if r['holds'] else 'not met'}). Load {r['load']:.1f}; {told(r)}"
        )
    return "\n\n".join(parts)


def told(r: Row) -> str:
    """How a part of the server's numbers was made."""
    return f"{r['cores']} cores, {r['threads']} thread of the encoder; `{r['command']}`, commit {r['commit']}."


def chunks() -> str:
    """A batch in chunks beside the whole: memory, time and gradients."""
    place, command = RESULTS / "chunks.json", "`OMP_NUM_THREADS=1 python benchmarks/chunks.py`"
    rows = json.loads(place.read_text()) if place.exists() else {}
    if not rows:
        return f"Not measured yet: {command}."
    lines: list[str] = []
    if r := rows.get("memory, batch 4096"):
        by, (cut, whole) = "seconds of the processor", ("chunks of 256", "whole")
        lines += [
            "| batch 4 096 | MiB grown at the peak | seconds | gradient off by | load | commit |",
            "|---|---|---|---|---|---|",
        ]
        for name, off in ((cut, f"{r['gradient off by']['relative']:.0e}"), (whole, "")):
            cells = [name, f"{r['MiB grown at the peak'][name]:.0f}", f"{r[by][name]:.1f}", off, load(r), r["commit"]]
            lines.append(f"| {' | '.join(cells)} |")
        met = "met" if r["holds"] else "not met"
        lines += ["", f"SimCLR, {r['encoder']}. Rule: a quarter of the memory, gradients within 1e-5 in float32: {met}.", ""]
    if r := rows.get("batch norms"):
        lines += [f"Gradients of norms over chunks beside the whole batch of {r['batch']} ({r['encoder']}, untrained):", ""]
        lines += ["| chunks of | relative difference | cosine |", "|---|---|---|"]
        for size, off in r["gradient off by, in chunks of"].items():
            lines.append(f"| {size} | {off['relative']:.2f} | {off['cosine']:.3f} |")
    machine = next(iter(rows.values()))["machine"]
    return "\n".join([*lines, "", f"{machine}; {command}."])


def views() -> str:
    """Views of images beside their rivals."""
    rows = json.loads((RESULTS / "views.json").read_text())
    parts = rows.pop("parts at 224")
    rules = {
        "SimCLR at 224": {"lightly": 7, "torchvision v2": 25, "kornia": 25, "albumentations": 1},
        "DINO's crops": {"lightly": 7},
        "SimCLR at 32": {"lightly": 22, "torchvision v2": 22, "kornia": 11},
        "from JPEG": {"PIL and torchvision, first epoch": 4, "PIL and torchvision, cached": 7},
    }
    lines = [
        "| | ms of the processor | times as fast as | limit | rule | by the clock | load | commit |",
        "|---|---|---|---|---|---|---|---|",
    ]
    by = "seconds of the processor"
    for name, r in rows.items():
        ratios, rule = r[f"ratio by {by}"], next(rule for start, rule in rules.items() if name.startswith(start))
        own = [who for who in r[by] if who in ("tacit", "first epoch", "cached")]
        mine = " / ".join(f"{1000 * r[by][who]:.1f}" for who in own)
        shown = "; ".join(f"{other} **{a:g}** ({low:g} to {high:g})" for other, (a, low, high) in ratios.items())
        met = "; ".join(f"{other} ≥ {least}: {said(ratios[other][0], least)}" for other, least in rule.items())
        clock = "; ".join(f"{a:g}" for a, _, _ in r["ratio by seconds"].values())
        read = r[by].get("first epoch", 0) - r[by].get("cached", 0)
        limits = f"first epoch {r[by]['PIL and torchvision'] / read:.3g}" if read else ""
        lines.append(f"| {name} | {mine} | {shown} | {limits} | {met} | {clock} | {load(r)} | {r['commit']} |")
    one = next(iter(rows.values()))
    how = (
        "Two views (DINO: 2 of 224 and 6 of 96) of as many images in each turn; medians of "
        f"{one['turns']} turns that alternate in one process, by seconds of the processor, since other work shared it. "
        "From the same decoded images of 375 × 500 (or 32 × 32), or files of JPEG, to standardised float32. The limit is the "
        "ratio from JPEG if views took no time beside reading the files."
    )
    where = f"{how} {one['machine'].rpartition(',')[0]}; {versions(one)}. `python benchmarks/views.py`."
    return "\n".join([*lines, "", where, "", _parts(parts, rows["SimCLR at 224, one thread"]), "", guard()])


def _parts(r: Row, beside: Row) -> str:
    """Where the time of tacit's views goes, and what the rules that are missed ask for, in microseconds a view."""
    views = r["a second"]["all"] * r["seconds"]["all"]
    whole, blurless, colourless, same = (1e6 * took / views for took in r["seconds of the processor"].values())
    copied = 1e6 * r["seconds that copying the views takes"] / views
    theirs = {who: 1e6 * beside["seconds of the processor"][who] / views / 25 for who in ("torchvision v2", "kornia")}
    return (
        f"Of the {whole:.0f} microseconds that one of tacit's views at 224 takes, {whole - blurless:.0f} go into blurs, "
        f"{blurless - colourless:.0f} into colours and {colourless:.0f} into cutting, resizing and standardising "
        f"({same:.0f} of crops of 224 pixels, which are hardly resized); writing it alone takes {copied:.0f}. 25 times "
        f"torchvision v2 would be {theirs['torchvision v2']:.0f}, and 25 times kornia {theirs['kornia']:.0f}: what is missed "
        "lies in blurs, and in resizing, which sums two to five pixels along a row for each of three channels that lie side by "
        f"side, an element at a time, as the compiler has it (load {load(r)}, commit {r['commit']})."
    )


def guard() -> str:
    """Whether what is learned from these views is worth as much."""
    file = RESULTS / "guard.json"
    rows = [*json.loads(file.read_text()).values()] if file.exists() else []
    if len(rows) not in STUDENT:
        return "What an encoder learns from them beside torchvision's views is not measured yet: `python benchmarks/guard.py`."
    means = {who: statistics.mean(r["knn"][who] for r in rows) for who in rows[0]["knn"]}

    def apart(one: str, other: str) -> tuple[float, str]:
        gaps = [r["knn"][one] - r["knn"][other] for r in rows]
        middle, half = statistics.mean(gaps), STUDENT[len(gaps)] * statistics.stdev(gaps) / len(gaps) ** 0.5
        return middle, f"**{middle:+.2f}** ({middle - half:+.2f} to {middle + half:+.2f} in 95 of 100)"

    whole, floats = "torchvision v2", "torchvision v2, float32"
    found, said_so = apart("tacit", whole)
    return (
        f"What an encoder learns from them, beside torchvision's: kNN {means['tacit']:.2f} and {means[whole]:.2f} % on "
        f"{len(rows)} seeds, {said_so}; at most 0.3 below: {said(found, -0.3)}. SimCLR with a narrow small_resnet, 5 000 "
        "images of CIFAR-10 at 32 pixels, 15 epochs. Five seeds were planned; ten were added, as the interval of five could "
        f"not tell. With torchvision's operations on float32, in which tacit computes, it is {means[floats]:.2f} %: tacit "
        f"{apart('tacit', floats)[1]} beside it, and it {apart(floats, whole)[1]} beside itself in whole numbers, to which it "
        f"rounds after each operation. `python benchmarks/guard.py`, commit {rows[0]['commit']}."
    )


def loop() -> str:
    """Training beside its rivals, and the optimiser alone."""
    rows = json.loads((RESULTS / "loop.json").read_text())
    by = "seconds of the processor"
    lines = [
        "| | seconds | times as fast as | rule | views | network | optimiser | rest | of the peak | load | commit |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    trained = {name: r for name, r in rows.items() if "share of a turn" in r}
    if not trained:
        lines = ["Whole trainings are not measured yet."]
    for name, r in trained.items():
        ratios, part = r[f"ratio by {by}"], r["share of a turn"]
        shown = "; ".join(f"{other} **{a:g}** ({low:g} to {high:g})" for other, (a, low, high) in ratios.items())
        met = "; ".join(
            f"≥ {least}: {said(a, least)}"
            for (a, _, _), least in zip(ratios.values(), (3.5, 1.2) if "JPEG" in name else (2.7, 1.05))
        )
        shares = [*part.values(), max(0.0, 1 - sum(part.values()))]
        cells = [name, f"{r[by]['tacit']:.2f}", shown, met, *(f"{100 * share:.0f} %" for share in shares)]
        lines.append(f"| {' | '.join(cells)} | {100 * r['of the peak of products']:.0f} % | {load(r)} | {r['commit']} |")
    least = {"adamw": 2.7, "lars": 1.0, "average": 1.35, "both": 3.0}
    lines += ["", "| | AdamW | LARS | average | AdamW and average | load | commit |", "|---|---|---|---|---|---|---|"]
    for name, r in rows.items():
        if name not in trained:
            found = r[f"ratio by {by}"]
            cells = [
                f"{1000 * r[by][kind]:.1f} ms, **{found[kind][0]:g}**: {said(found[kind][0], least[kind])}" for kind in least
            ]
            lines.append(f"| {name.partition(', ')[2]} | {' | '.join(cells)} | {load(r)} | {r['commit']} |")
    one = next(iter(rows.values()))
    how = (
        "SimCLR by `tacit.pretrain`, log, signals and saves included, beside the script of lightly's documentation; an epoch "
        "is a turn. The network's share of the peak is its forward and backward, by counted operations, over a product of "
        "2 048 × 2 048 matrices in the same precision. The optimisers beside torch's AdamW by default, lightly's LARS, which "
        "decays and adapts the same, and its "
        "`update_momentum`; the rules are 2.7, 1 (no rule), 1.35 and 3 times. Both together read and write ten tables as large "
        "as the parameters, at the speed of memory, of which looking at the parameters once would spare one."
    )
    gained = [f"{r[by]['lightly'] / r[by]['lightly, bf16 and channels last']:.2f}" for r in trained.values()]
    how += (
        " The rules come from a machine with matrix units; on this one bfloat16 and channels last make lightly's own script "
        f"{' and '.join(gained)} times as fast, in the order of the rows, which bounds what can be won."
    )
    return "\n".join([*lines, "", f"{how} {one['machine']}; {versions(one)}. `python benchmarks/loop.py`."])


def said(ratio: float, least: float) -> str:
    return "yes" if ratio >= least else "**no**"


def versions(r: Row) -> str:
    return ", ".join(f"{name} {version}" for name, version in r["versions"].items())
