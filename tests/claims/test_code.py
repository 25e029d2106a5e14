"""The hash of the code that numbers depend on."""

import ast

import pytest

from tacit import claims
from tacit.claims import code
from tacit.claims.code import AT_IMPORT, Definition

DCL = claims.module_of("dcl")


def test_a_claim_reaches_its_method_and_its_loss_and_no_other_method():
    seen = {here.module for here in code.reached(DCL)}
    assert {"methods.contrast.dcl", "objectives.dcl", "methods.contrast.simclr", "claims.training"} <= seen
    assert "methods.masked.mae" not in seen and "methods" not in seen


@pytest.mark.parametrize(
    "here",
    [
        ("views.image", "ImageViews"),
        ("views.kinds", "Pair"),
        ("views.pixels", AT_IMPORT),
        ("numerics.counter", "key"),
        ("method", "Recipe"),
        ("training.loop", "train"),
        ("encoders.image", "SmallResNet"),
        ("evaluation.labelled.knn", "knn"),
        ("pretraining", "pretrain"),
    ],
)
def test_what_makes_the_numbers_changes_the_hash(here, monkeypatch):
    before, source = code.hash_of(DCL), code.source
    monkeypatch.setattr(code, "source", lambda module: changed(source(module), module, Definition(*here)))
    assert code.hash_of(DCL) != before


@pytest.mark.parametrize(
    "here",
    [
        ("views.vector", "VectorViews"),
        ("encoders.vector", "MLPEncoder"),
        ("modalities", "MODALITIES"),
        ("cli.reproduce", "reproduce"),
        ("views.kinds", "Corrupted"),  # beside what is used, and of no use to it
        ("numerics.spectra", "uniformity"),
    ],
)
def test_what_others_are_made_of_does_not(here, monkeypatch):
    before, source = code.hash_of(DCL), code.source
    assert here[1] in source(here[0]).nodes
    monkeypatch.setattr(code, "source", lambda module: changed(source(module), module, Definition(*here)))
    assert code.hash_of(DCL) == before


@pytest.mark.parametrize(
    ("here", "counts"),
    [
        (("claims.contrast.dcl", "CLAIM"), True),
        (("claims.contrast.dcl", "SHARED"), True),
        (("claims.training", "QUICK"), True),  # a constant
        (("claims.contrast.dcl", "rule"), False),
        (("claims.training", "Training"), False),  # which a quick form runs through
        (("methods.contrast.dcl", "DCL"), False),
    ],
)
def test_an_experiment_is_what_a_quick_form_cannot_tell(here, counts, monkeypatch):
    before, source = code.experiment_of(DCL), code.source
    assert here[1] in source(here[0]).nodes
    other = ast.parse("SHARED: dict = {'epochs': 99}" if counts else "class Other: ...").body
    nodes = source(here[0]).nodes
    longer = source(here[0])._replace(nodes=nodes | {here[1]: [*nodes[here[1]], *other]})
    monkeypatch.setattr(code, "source", lambda module: longer if module == here[0] else source(module))
    assert (code.experiment_of(DCL) != before) == counts


def test_of_a_claim_itself_only_its_arms_are_the_experiment(monkeypatch):
    before, source = code.experiment_of(DCL), code.source
    (node,) = source("claims.contrast.dcl").nodes["CLAIM"]
    assert isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
    said = [*node.value.keywords, ast.keyword("seeds", ast.Constant(5))]
    more = ast.Assign(node.targets, ast.Call(node.value.func, [], said))
    longer = source("claims.contrast.dcl")._replace(nodes=source("claims.contrast.dcl").nodes | {"CLAIM": [more]})
    monkeypatch.setattr(code, "source", lambda module: longer if module == "claims.contrast.dcl" else source(module))
    assert code.experiment_of(DCL) == before


def changed(source: code.Source, module: str, here: Definition) -> code.Source:
    if module != here.module:
        return source
    return source._replace(nodes=source.nodes | {here.name: [*source.nodes[here.name], ast.Pass()]})


def test_claims_have_hashes_of_their_own_that_do_not_change_by_themselves():
    hashes = {key: code.hash_of(claims.module_of(key)) for key in claims.listing()}
    assert len(set(hashes.values())) == len(hashes)
    code.source.cache_clear()
    assert hashes == {key: code.hash_of(claims.module_of(key)) for key in claims.listing()}


def test_names_lead_to_definitions_by_every_way_of_importing(tmp_path, monkeypatch):
    room = tmp_path / "objectives"
    room.mkdir()
    (room / "__init__.py").write_text("")
    (room / "a.py").write_text(
        "from tacit.objectives import b\nfrom tacit.objectives.c import second as other\n\n\n"
        "def f():\n    from tacit.objectives.d import handed\n    return b.first(other, handed)\n"
    )
    (room / "b.py").write_text("LIMIT = 3\n\n\ndef first(x):\n    return LIMIT\n\n\ndef idle():\n    return 1\n")
    (room / "c.py").write_text("def second(): ...\n\n\ndef third(): ...\n")
    (room / "d.py").write_text("from tacit.objectives.c import third as handed\n")
    monkeypatch.setattr(code, "PACKAGE", tmp_path)
    code.source.cache_clear()
    try:
        used = {Definition("objectives.b", "first"), Definition("objectives.c", "second"), Definition("objectives.c", "third")}
        assert set(code._used(Definition("objectives.a", "f"))) == used
        assert set(code._used(Definition("objectives.b", "first"))) == {Definition("objectives.b", "LIMIT")}
    finally:
        code.source.cache_clear()


def test_words_do_not_count_and_numbers_do(tmp_path, monkeypatch):
    monkeypatch.setattr(code, "PACKAGE", tmp_path)

    def meaning(text: str) -> str:
        (tmp_path / "m.py").write_text(text)
        code.source.cache_clear()
        return "".join(ast.dump(node) for node in code.source("m").nodes["f"])

    try:
        plain = meaning('"""One."""\n\n\ndef f():\n    return 1\n')
        assert meaning('"""Two."""\ndef f():\n    """Told."""\n    return 1  # why\n') == plain
        assert meaning('"""One."""\n\n\ndef f():\n    return 2\n') != plain
        assert meaning("f = Claim(says='more', seeds=3)") == meaning("f = Claim(says='less', here='there', seeds=3)")
        assert meaning("f = Claim(says='more', seeds=3)") != meaning("f = Claim(says='more', seeds=5)")
    finally:
        code.source.cache_clear()
