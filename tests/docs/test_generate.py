"""What is generated is not stale, and what the documents show is what there is."""

import runpy
from pathlib import Path

import pytest

from tacit.methods import keys

ROOT = Path(__file__).parents[2]
GENERATE = runpy.run_path(str(ROOT / "docs" / "generate.py"))


def test_the_readme_is_not_stale():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert GENERATE["renewed"](readme) == readme, "run `python docs/generate.py`"
    assert all(f"| `{key}` |" in readme for key in keys())


def test_the_page_of_numbers_is_not_stale():
    page = (ROOT / "docs" / "numbers.md").read_text(encoding="utf-8")
    assert GENERATE["numbers"]() == page, "run `python docs/generate.py`"


def test_the_page_of_claims_is_not_stale():
    page = (ROOT / "docs" / "claims.md").read_text(encoding="utf-8")
    assert GENERATE["claims_page"]() == page, "run `python docs/generate.py`"


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
