"""Texts: likeness in meaning, few labels, and speed: `TACIT_DATA=… python benchmarks/texts.py`.

    python benchmarks/texts.py                   # all rows that are missing
    python benchmarks/texts.py --row stsb --again

Each row of benchmarks/results/texts.json is stored when it is done. Trained is on the 72 496 sentences of text/sentences_95k
(brown and wikitext2_valid_test), never on a set that is judged, but for the row of own texts; everything was chosen on the dev
part of STS-B, the options of own texts on a held-out part of these.

The rules: on the test part of STS-B at least 3 points of Spearman's correlation above the 53.6 of SIF-weighted word2vec from
the same sentences, with TF-IDF and LSA beside it; one of the classifications with ten labels a class won against TF-IDF; the
averaged encoder embeds 20 000 short sentences a second; a model of transformers embeds no slower than plain transformers does.
"""

import argparse
import gzip
import json
import os
import platform
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

import tacit
from tacit.data.opening import open as open_source
from tacit.data.text.models import of_model
from tacit.data.text.opening import from_strings
from tacit.data.text.samples import TextSamples
from tacit.encoders.pretrained_text import Transformers
from tacit.evaluation.intervals import student
from tacit.evaluation.texts.likeness import likeness_numbers
from tacit.material import fit_views
from tacit.method import Facts
from tacit.numerics import counter
from tacit.representing import features, representations
from tacit.run import Run
from tacit.views.kinds import Plain

FILE = Path(__file__).parent / "results" / "texts.json"
SETS = Path(os.environ["TACIT_DATA"]) / "text"
SENTENCES = ("brown.txt.gz", "wikitext2_valid_test.txt.gz")
WORD2VEC = 53.6  # SIF-weighted word2vec of gensim, trained on the same sentences, test part
OPTIONS = {  # of what is trained on sentences_95k
    "simcse": {"method": "simcse", "encoder": "averaged"},
    "sent2vec": {"method": "sent2vec", "encoder": "averaged_ngrams"},
}
OWN = {"method": "simclr", "encoder": "averaged", "epochs": 20, "crop": [0.2, 0.6], "lr": 0.005, "batch": 256, "warmup": 1}
LABELS, DRAWS = 10, 20  # of a class, and how often they are drawn
TURNS = 5
Row = dict[str, Any]


def corpus() -> list[str]:
    return b"".join(gzip.open(SETS / "sentences_95k" / name).read() for name in SENTENCES).decode().splitlines()


def run_of(folder: Path, name: str = "simcse") -> Run:
    """A run on the sentences, trained where it is not there yet."""
    out = folder / ("run" if name == "simcse" else name)
    if not (out / "encoder.safetensors").exists():
        tacit.pretrain(from_strings(corpus(), "sentences_95k"), out=out, seed=0, device="cpu", quiet=True, **OPTIONS[name])
    return Run(out, "cpu")


def stsb(folder: Path) -> Row:
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    run = run_of(folder)
    tfidf = TfidfVectorizer(sublinear_tf=True).fit(corpus())
    lsa = TruncatedSVD(300, random_state=0).fit(tfidf.transform(corpus()))

    def others(texts: TextSamples) -> dict[str, Tensor]:
        rows = tfidf.transform(said(texts))
        return {"TF-IDF": torch.from_numpy(rows.toarray()), "LSA": torch.from_numpy(lsa.transform(rows))}

    rule = f"at least {WORD2VEC + 3:.1f} on the test part"
    return {"rule": rule, "SIF-weighted word2vec": {"test": WORD2VEC}, **likeness(run, others)}


def sent2vec(folder: Path) -> Row:
    """Trained on the same sentences by its recipe for small data, with its defaults; judged once."""
    run = run_of(folder, "sent2vec")
    found = likeness(run, lambda texts: {})
    return {
        "rule": f"as of stsb: {WORD2VEC + 3:.1f}",
        "options": OPTIONS["sent2vec"],
        **{"this encoder": found["this encoder"]},
    }


def likeness(run: Run, others: Callable[[TextSamples], dict[str, Tensor]]) -> Row:
    """Spearman's correlation on STS-B in hundredths with its interval, of the run's representations and of others, by part."""
    samples, found = run.open(SETS / "stsb"), Row()
    assert isinstance(samples, TextSamples)
    task = samples.task
    for part, name in (("val", "dev"), ("test", "test")):
        keep = task.splits == part
        texts = samples.take(np.concatenate([task.first[keep], task.second[keep]]))
        rows = {key: features(run, texts, by, Plain(), 0)[0] for key, by in representations(run).items()} | others(texts)
        half = int(keep.sum())
        for key, z in rows.items():
            number = likeness_numbers(z[:half], z[half:], task.score[keep])[0]
            found.setdefault(key, {})[name] = [round(100 * value, 1) for value in (number.value, number.low, number.high)]
    return found


def few_labels(folder: Path) -> Row:
    run, found = run_of(folder), {}
    for name in ("trec_qc", "mr_polarity", "ag_news_small"):
        train, test = parts_of(run, name)
        found[name] = summed(by_draws(name, run, train, test, {"TF-IDF": corpus() + said(train)}))
    return {"rule": f"one won, {LABELS} labels a class, mean and deviation of {DRAWS} draws", **found}


def own_texts(folder: Path) -> Row:
    """The encoder is trained on the set's own training texts, without their labels, by options chosen on a part of these."""
    train = open_source(SETS / "ag_news_small").split("train")
    assert isinstance(train, TextSamples)
    out = folder / "own"
    if not (out / "encoder.safetensors").exists():
        tacit.pretrain(from_strings(said(train), "ag_news_small"), out=out, seed=0, device="cpu", quiet=True, **OWN)
    run = Run(out, "cpu")
    train, test = parts_of(run, "ag_news_small")
    rivals = {"TF-IDF of the same texts": said(train), "TF-IDF of these and sentences_95k": corpus() + said(train)}
    reached = by_draws("ag_news_small", run, train, test, rivals)
    ours = np.array(reached["this encoder"])
    ahead = {}
    for rival in rivals:
        gaps = ours - np.array(reached[rival])
        ahead[rival] = [round(float(value), 1) for value in (gaps.mean(), *student(gaps))]
    rule = f"above TF-IDF beyond doubt, {LABELS} labels a class, the mean of {DRAWS} draws, differences paired by draw"
    return {"rule": rule, "options": OWN, "ag_news_small": summed(reached), "ahead": ahead}


def parts_of(run: Run, name: str) -> tuple[TextSamples, TextSamples]:
    train, test = (run.open(SETS / name).split(part) for part in ("train", "test"))
    assert isinstance(train, TextSamples) and isinstance(test, TextSamples)
    return train, test


def said(texts: TextSamples) -> list[str]:
    return texts.said(range(len(texts)), 10_000)


def by_draws(
    name: str, run: Run, train: TextSamples, test: TextSamples, rivals: dict[str, list[str]]
) -> dict[str, list[float]]:
    """Accuracies on the test part, of each draw of labels: of the run's representations, and of TF-IDF fitted to some texts."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    parts: dict[str, tuple[Any, Any]] = {
        key: tuple(torch.nn.functional.normalize(features(run, part, by, Plain(), 0)[0]).numpy() for part in (train, test))
        for key, by in representations(run).items()
        if key != "raw input"
    }
    for rival, texts in rivals.items():
        tfidf = TfidfVectorizer(sublinear_tf=True).fit(texts)
        parts[rival] = tuple(tfidf.transform(said(part)) for part in (train, test))
    reached: dict[str, list[float]] = {key: [] for key in parts}
    for draw in range(DRAWS):
        order = counter.permutation(counter.key(name, draw), len(train))
        chosen = np.concatenate([order[train.labels[order] == label][:LABELS] for label in np.unique(train.labels)])
        for key, (x, y) in parts.items():
            model = LogisticRegression(C=10.0, max_iter=1000).fit(x[chosen], train.labels[chosen])
            reached[key].append(100 * float((model.predict(y) == test.labels).mean()))
    return reached


def summed(reached: dict[str, list[float]]) -> dict[str, list[float]]:
    """Mean and deviation over the draws."""
    return {key: [round(statistics.mean(each), 1), round(statistics.stdev(each), 1)] for key, each in reached.items()}


def embedding(folder: Path) -> Row:
    run = run_of(folder)
    texts = open_source(SETS / "stsb")
    assert isinstance(texts, TextSamples)
    short = said(texts) * 4
    wall, cpu = [], []
    for _ in range(TURNS):
        samples = from_strings(short)  # nothing is tokenised yet
        begun = time.perf_counter(), time.process_time()
        run.embed(samples, batch=1024)
        wall.append(len(short) / (time.perf_counter() - begun[0]))
        cpu.append(len(short) / (time.process_time() - begun[1]))
    words = statistics.mean(len(text.split()) for text in short)
    return {
        "rule": "20 000 sentences a second on two cores",
        "sentences": len(short),
        "words of a sentence": round(words, 1),
        "a second": [round(statistics.median(wall)), round(min(wall)), round(max(wall))],
        "a second of one core": [round(statistics.median(cpu)), round(min(cpu)), round(max(cpu))],
    }


def plain_transformers(folder: Path) -> Row:
    """A BERT of MiniLM's shape with random weights, batches of 64 sentences, forward alone, in turns."""
    from tokenizers import Tokenizer, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    from tacit.data.text.tokenizer import trained

    texts = corpus()[:256]
    fast = Tokenizer.from_str(trained(texts))
    fast.add_special_tokens(["[CLS]", "[SEP]", "[PAD]"])
    around = [(name, fast.token_to_id(name)) for name in ("[CLS]", "[SEP]")]
    fast.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", special_tokens=around)
    own = PreTrainedTokenizerFast(tokenizer_object=fast, pad_token="[PAD]", mask_token="[MASK]")
    own.save_pretrained(folder / "bert")
    shape = {"hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12, "intermediate_size": 1536}
    BertModel(BertConfig(vocab_size=len(own), **shape)).save_pretrained(folder / "bert")
    model = BertModel.from_pretrained(folder / "bert", add_pooling_layer=False).eval()
    facts = of_model(str(folder / "bert"))
    samples = from_strings(texts).fitted(facts)
    more = {"kind": "text", **facts, **samples.statistics()}
    views = fit_views(more, {"longest": 512})
    encoder = Transformers(Facts("text", len(texts), views.shape, more)).eval()

    def theirs(batch: list[str]) -> Tensor:
        padded = own(batch, padding=True, return_tensors="pt")
        inside = padded["attention_mask"][..., None]
        return (model(**padded).last_hidden_state * inside).sum(1) / inside.sum(1)

    def ours(batch: list[str]) -> Tensor:
        content, _ = from_strings(batch).fitted(facts).read(np.arange(len(batch)))
        return encoder(views.look(content, np.arange(len(batch)), 0, "plain")[0])

    batches = [texts[at : at + 64] for at in range(0, len(texts), 64)]
    ratios = []
    with torch.no_grad():
        for way in (theirs, ours):
            way(batches[0])
        for _ in range(TURNS):
            seconds = []
            for way in (theirs, ours):
                begun = time.process_time()
                for batch in batches:
                    way(batch)
                seconds.append(time.process_time() - begun)
            ratios.append(seconds[0] / seconds[1])
    return {
        "rule": "at least 1: processor seconds of plain transformers by tacit's, same model and batches",
        "ratio": [round(value, 2) for value in (statistics.median(ratios), min(ratios), max(ratios))],
        "model": shape,
        "sentences": len(texts),
    }


ROWS: dict[str, Callable[[Path], Row]] = {
    "stsb": stsb,
    "sent2vec": sent2vec,
    "few labels": few_labels,
    "few labels, own texts": own_texts,
    "embedding": embedding,
    "transformers": plain_transformers,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--row", nargs="+", default=list(ROWS), choices=list(ROWS))
    parser.add_argument("--again", action="store_true", help="measure rows that are there, too")
    parser.add_argument("--runs", type=Path, help="where the run lies, or is to lie; it is trained if it is not there")
    given = parser.parse_args()
    FILE.parent.mkdir(exist_ok=True)
    rows = json.loads(FILE.read_text()) if FILE.exists() else {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.runs or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        for name in given.row:
            if name in rows and not given.again:
                continue
            load = os.getloadavg()[0]
            rows[name] = ROWS[name](folder) | about(name, load)
            beside = FILE.with_suffix(".part")
            beside.write_text(json.dumps(rows, indent=1, ensure_ascii=False))
            beside.replace(FILE)
            print(name, json.dumps(rows[name], ensure_ascii=False), flush=True)


def about(name: str, load: float) -> Row:
    return {
        "load": [round(load, 2), round(os.getloadavg()[0], 2)],
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {torch.get_num_threads()} of torch",
        "commit": subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip(),
        "command": f"python benchmarks/texts.py --row {name!r}",
    }


if __name__ == "__main__":
    main()
