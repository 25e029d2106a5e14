"""Triples from the command line as typed: a run, its ranking, its entities, their neighbours."""

import json

import pytest

import tacit
from tacit.cli import run as cli
from tacit.data.networks.triples import generated_groups, generated_tree
from tacit.errors import TacitError


def written(samples, folder):
    folder.mkdir()
    names = {"train": "train.tsv", "test": "test.tsv"}
    for split, file in names.items():
        rows = samples.triples[samples.splits == split]
        name = samples.entities
        lines = (f"e{name[h]}\tr{r}\te{name[t]}\n" for h, r, t in rows.tolist())
        (folder / file).write_text("".join(lines))
    return folder


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    home = tmp_path_factory.mktemp("graph")
    graph = written(generated_groups(30, 3), home / "graph")
    with (graph / "test.tsv").open("a") as file:
        file.write("stranger\tr0\te1\n")
    short = ["--epochs", "8", "--lr", "0.03", "--batch", "32", "--quiet"]
    assert cli(["pretrain", str(graph), "--method", "distmult", "--out", str(home / "run"), *short]) == 0
    return home, graph


def test_evaluate_ranks_and_names_what_it_cannot(trained, capsys):
    home, graph = trained
    assert cli(["evaluate", str(home / "run"), str(graph), "--json", str(home / "found.json")]) == 0
    said = capsys.readouterr().out
    assert "Mean reciprocal rank, filtered" in said and "relation frequency" in said
    assert "1 triples of" in said and ": the head stranger)" in said
    found = tacit.evaluate(home / "run", graph)
    mine, plain = (found.number(name, "mrr").value for name in ("this encoder", "relation frequency"))
    assert mine > plain and found.number("this encoder", "mrr").protocol["unknown"] == 1
    assert "stranger" in (home / "run" / "report.html").read_text()
    assert json.loads((home / "run" / "evaluation.json").read_text())["representations"]["this encoder"][0]["name"] == "mrr"


def test_embed_writes_a_row_for_each_entity_and_search_finds_its_like(trained):
    home, graph = trained
    run = tacit.Run(home / "run")
    table = tacit.embed(run, graph, out=home / "graph.lance")
    assert len(table) == 30 == len(run.embed(graph))
    hits = tacit.search(table, "e4", top=5)
    assert sum(int(hit.id[1:]) % 3 == 1 for hit in hits) >= 4


def test_another_order_of_the_same_names_means_the_same(trained, tmp_path):
    home, graph = trained
    (tmp_path / "few.tsv").write_text("e9\tr0\te1\ne1\tr0\te5\ne5\tr1\te9\n")
    run = tacit.Run(home / "run")
    assert run.embed(tmp_path / "few.tsv").allclose(
        run.embed(graph)[[run.facts.more["entities"].index(e) for e in ("e1", "e5", "e9")]]
    )
    (tmp_path / "others.tsv").write_text("x\tr0\ty\ny\tr0\tz\n")
    with pytest.raises(TacitError, match=r"All 2 triples .* training did not know"):
        tacit.evaluate(run, tmp_path / "others.tsv")


def test_a_hierarchy_is_rebuilt(tmp_path):
    run = tacit.pretrain(generated_tree(2, 4), "poincare_embeddings", out=tmp_path / "run", rounds=400, burn_in=10, quiet=True)
    found = tacit.evaluate(run, generated_tree(2, 4))
    assert found.number("this encoder", "hierarchy_map").value > 0.9
    assert "reconstruction" in found.number("this encoder", "mrr").protocol["split"]


def test_mistakes_are_named(trained, tmp_path):
    _, graph = trained
    with pytest.raises(TacitError, match="Pair views"):
        tacit.pretrain(graph, "simclr", out=tmp_path / "no", quiet=True)
    with pytest.raises(TacitError, match="nothing to draw"):
        tacit.preview(graph, "distmult", out=tmp_path / "no.png")
    with pytest.raises(TacitError, match="triples"):
        tacit.open(generated_groups(), "image")
