"""What is generated is not stale, and what the documents show is what there is."""

import json
import re
import runpy
from pathlib import Path

import pytest

from tacit import claims
from tacit.methods import keys
from tacit.papers import measured
from tacit.reproducing import FAILS

ROOT = Path(__file__).parents[2]
GENERATE = runpy.run_path(str(ROOT / "docs" / "generate.py"))


def test_the_readme_is_not_stale():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert GENERATE["renewed"](readme) == readme, "run `python docs/generate.py`"
    assert all(f"| `{key}` |" in readme for key in keys())


def test_the_page_of_numbers_is_not_stale():
    page = (ROOT / "docs" / "numbers.md").read_text(encoding="utf-8")
    assert GENERATE["numbers"]() == page, "run `python docs/generate.py`"


def test_the_matrix_is_not_stale():
    found = GENERATE["MATRIX"]["measured"](GENERATE["finished"])
    assert found == measured(), "run `python docs/generate.py`"
    assert GENERATE["MATRIX"]["matrix_page"](found) == (ROOT / "docs" / "matrix.md").read_text(encoding="utf-8")


def test_what_the_matrix_leads_to_is_there():
    """GitHub's anchors: the heading in lower case, with hyphens for spaces."""
    pages = {page for kinds in measured().values() for page in kinds.values()}
    for page in pages:
        file, _, anchor = page.partition("#")
        headings = re.findall(r"^#+ (.+)$", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)
        assert anchor in {heading.lower().replace(" ", "-").replace(",", "") for heading in headings}, page


def test_the_page_of_claims_is_not_stale():
    page = (ROOT / "docs" / "claims.md").read_text(encoding="utf-8")
    assert GENERATE["claims_page"]() == page, "run `python docs/generate.py`"


def test_every_claim_that_does_not_hold_says_why():
    results = {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in (ROOT / "claims").glob("*.json")}
    failed = [key for key, result in results.items() if result.get("verdict") == FAILS]
    assert failed and not [key for key in failed if not claims.find(key).why]


def test_the_page_of_exploring_is_not_stale():
    page = (ROOT / "docs" / "exploring.md").read_text(encoding="utf-8")
    assert GENERATE["EXPLORING"]["page"](page) == page, "run `python docs/generate.py`"


def test_the_page_of_codes_is_not_stale():
    page = (ROOT / "docs" / "codes.md").read_text(encoding="utf-8")
    assert GENERATE["CODES"]["page"]() == page, "run `python docs/generate.py`"


def test_the_page_of_scaling_is_not_stale():
    page = (ROOT / "docs" / "scaling.md").read_text(encoding="utf-8")
    assert GENERATE["SCALING"]["page"]() == page, "run `python docs/generate.py`"


def test_the_page_of_a_billion_is_not_stale():
    page = (ROOT / "docs" / "billion.md").read_text(encoding="utf-8")
    assert GENERATE["BILLION"]["page"]() == page, "run `python docs/generate.py`"


def test_the_model_of_scaling_by_hand():
    """32 GFLOP a sample, no norms, 100 MB of gradients, no gathers: on 8 GPUs 10.4 ms, which hide the gradients."""
    row = {"method": "MAE", "GFLOP of a sample": 32, "MB of gradients": 100, "samples of a process": 2}
    row |= {"exchanges": {name: {"in all": 0} for name in ("all_reduce", "all_gather")}, "kB sent": {"all_gather": 0.0}}
    found = GENERATE["SCALING"]["step"](row, 8)
    assert found.compute == pytest.approx(32e9 * 128 / (0.4 * 989e12) * 1e3)
    assert found.gradients == pytest.approx(1e3 * (1.75 * 100e6 / 450e9 + 6 * 20e-6 / 8)) and found.exposed == 0
    assert found.kept == 1
    waiting = row | {"exchanges": {"all_reduce": {"in all": 100}, "all_gather": {"in all": 0}}}
    assert GENERATE["SCALING"]["step"](waiting, 1024).norms == pytest.approx(8.0)


@pytest.mark.parametrize("study", ["choosing", "doctor"])
def test_the_pages_of_studies_are_not_stale(study):
    page = (ROOT / "docs" / f"{study}.md").read_text(encoding="utf-8")
    assert GENERATE["STUDIES"][f"{study}_page"]() == page, "run `python docs/generate.py`"


@pytest.mark.parametrize("name", GENERATE["STUDIES"]["rows_of"]("choosing"))
def test_the_pictures_are_not_stale(name):
    drawn = (ROOT / "docs" / "pictures" / f"choosing-{name}.svg").read_text(encoding="utf-8")
    assert GENERATE["STUDIES"]["picture"](GENERATE["STUDIES"]["rows_of"]("choosing")[name]) == drawn


@pytest.mark.parametrize(
    ("locator", "address"),
    [
        ("arXiv:2002.05709", "https://arxiv.org/abs/2002.05709"),
        ("doi:10.1000/1", "https://doi.org/10.1000/1"),
        ("https://a.b/c", "https://a.b/c"),
    ],
)
def test_a_paper_has_an_address(locator, address):
    assert GENERATE["address"](locator) == address


def test_the_guide_shows_simclr_as_it_is():
    """The example is the method's own file, but for module docstring, the notes on differences and the named recipe."""
    guide = (ROOT / "docs" / "writing_a_method.md").read_text(encoding="utf-8")
    shown = guide.split("```python\n")[1].split("```")[0]
    source = (ROOT / "src" / "tacit" / "methods" / "contrast" / "simclr.py").read_text()
    missing = [line for line in shown.splitlines() if line.rstrip('"') not in source]
    assert not missing
