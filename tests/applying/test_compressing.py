"""Codes and funnels as a user asks for them: made when first asked, kept, refused where they have no meaning."""

import numpy as np
import pytest

import tacit
from tacit.applying.compressing import STEPS, codes_of, funnel_of, tldr_of
from tacit.data.generated import clusters
from tacit.errors import TacitError

QUICK = {"epochs": 2, "batch": 32, "device": "cpu", "precision": "fp32", "quiet": True}


@pytest.fixture(scope="module")
def nested(tmp_path_factory):
    """A table of a run of matryoshka."""
    folder, samples = tmp_path_factory.mktemp("nested"), clusters(300, dim=16)
    options = {"inner": "simclr", "sizes": [4, 8, 32], "width": 32}
    run = tacit.pretrain(samples, "matryoshka", out=folder / "run", **QUICK, **options)
    return tacit.embed(run, samples, out=folder / "nested.lance")


def same(hits, others):
    return [(hit.id, hit.score) for hit in hits] == [(hit.id, hit.score) for hit in others]


def test_a_funnel_begins_with_as_few_numbers_as_suffice(nested):
    told = []
    funnel = funnel_of(nested, told=told.append)
    about = funnel.about
    sizes = [int(about.code.removesuffix(",binary").removeprefix("first"))]
    assert sizes[0] in (4, 8, 32) and (about.recall >= 0.99 or sizes[0] == 32)
    assert "Making a funnel" in told[0] and f"{about.recall:.1%}" in told[1]
    funnel_of(nested, told=told.append)
    assert len(told) == 3  # it was kept
    queries = nested.vectors()[:40]
    truth = [tacit.search(nested, query, top=10) for query in queries]
    found = [tacit.search(nested, query, top=10, funnel=True) for query in queries]
    share = np.mean([len({hit.id for hit in a} & {hit.id for hit in b}) / 10 for a, b in zip(truth, found)])
    assert share > 0.97
    assert {hit.id: hit.score for hit in found[0]}.items() <= {hit.id: hit.score for hit in [*truth[0], *found[0]]}.items()


def test_codes_name_candidates_of_one_query_and_of_many(nested, tmp_path):
    query = nested.ids()[5]
    assert same(tacit.search(nested, query, codes="scalar"), tacit.search(nested, query))
    np.save(tmp_path / "q.npy", nested.vectors()[:30])
    for name, how in {"exact": {}, "codes": {"codes": "scalar"}}.items():
        assert tacit.search_all(nested, tmp_path / "q.npy", out=tmp_path / f"{name}.parquet", top=5, **how) == 30
    assert (tmp_path / "exact.parquet").read_bytes() == (tmp_path / "codes.parquet").read_bytes()


def test_a_table_says_how_good_its_codes_are(nested):
    kept = tacit.table(nested.path, compress="pca8,scalar")
    assert kept.codes == codes_of(nested, "pca8,scalar").about and kept.codes.bytes == 8
    assert f"Codes pca8,scalar: 8 bytes a vector in place of 128; they find {kept.codes.alone:.1%}" in str(kept)


def test_what_tldr_learns_is_linear_and_keeps_neighbours(monkeypatch):
    monkeypatch.setattr("tacit.applying.compressing.STEPS", STEPS // 10)
    rng = np.random.default_rng(0)
    which = rng.integers(0, 8, 400)
    x = (3 * rng.normal(size=(8, 16))[which] + rng.normal(size=(400, 16))).astype(np.float32)
    weight, bias = tldr_of(x, 4)
    assert weight.shape == (4, 16) and bias.shape == (4,)
    z = x @ weight.T + bias
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    near = z @ z.T - 2 * np.eye(len(z))
    assert (which[near.argmax(1)] == which).mean() > 0.9


def test_tldr_learns_of_few_rows_too(monkeypatch):
    monkeypatch.setattr("tacit.applying.compressing.STEPS", 20)
    weight, bias = tldr_of(np.random.default_rng(0).normal(size=(20, 16)).astype(np.float32), 4)
    assert weight.shape == (4, 16) and np.isfinite(weight).all() and np.isfinite(bias).all()
    with pytest.raises(TacitError, match="of 6 rows or more, and 5 came"):
        tldr_of(np.ones((5, 16), np.float32), 4)


@pytest.mark.parametrize(
    "how", [{"codes": "scalar", "exact": True}, {"funnel": True, "codes": "scalar"}, {"funnel": True, "where": "label = '1'"}]
)
def test_one_way_of_choosing_rows_is_asked(nested, how):
    with pytest.raises(TacitError, match="Of --exact, --where, --codes and --funnel one"):
        tacit.search(nested, nested.ids()[0], **how)


def test_a_funnel_is_of_matryoshka_alone(trained, cloth, tmp_path):
    table = tacit.embed(trained, cloth, out=tmp_path / "cloth.lance")
    with pytest.raises(TacitError, match="a run of simclr, whose first numbers"):
        tacit.search(table, table.ids()[0], funnel=True)
