"""`demo`: the whole story, on fewer images."""

from functools import partial
from pathlib import Path

import pytest

from tacit import demo_story
from tacit.data.generated import glyphs
from tacit.embeddings.read import open_table
from tacit.errors import TacitError
from tacit.run import Run


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """What the demo makes of 160 images in one epoch, twice over in the same folder."""
    folder = tmp_path_factory.mktemp("demo") / "tacit-demo"
    with pytest.MonkeyPatch.context() as patch:
        small = {"IMAGES": 160, "EPOCHS": 1, "WIDTH": 8, "BATCH": 32, "glyphs": partial(glyphs, size=16)}
        for name, value in small.items():
            patch.setattr(demo_story, name, value)
        first = demo_story.demo(folder, quiet=True)
        (folder / "left from the first time").touch()
        return first, demo_story.demo(folder, quiet=True)


def test_everything_it_names_is_there(made):
    _, told = made
    for path in (told.images, told.table, told.sheet, told.report):
        assert isinstance(path, Path) and path.exists()
    assert isinstance(told.run, Run) and told.run.config.recipe["epochs"] == 1
    assert (told.images / told.query).exists()
    assert list(told.evaluation.representations) == ["this encoder", "untrained encoder", "raw input"]
    assert "declared by the source: 128 train, 32 test" in told.evaluation.number("raw input", "knn").protocol["split"]
    assert len(told.hits) == 14 and told.query not in [hit.id for hit in told.hits]
    assert len(open_table(told.table)) == 160
    assert told.seconds > 0


def test_it_runs_again_over_its_own_folder_and_finds_the_same(made):
    first, again = made
    assert [hit.id for hit in first.hits] == [hit.id for hit in again.hits]
    assert first.run.fingerprint() == again.run.fingerprint()
    assert not (again.images.parent / "left from the first time").exists()


@pytest.mark.parametrize("what", ["folder", "file"])
def test_it_touches_nothing_that_it_did_not_make(tmp_path, what):
    mine = tmp_path / "mine"
    if what == "folder":
        mine.mkdir()
        (mine / "thesis.txt").write_text("years of work")
    else:
        mine.write_text("years of work")
    with pytest.raises(TacitError, match="was not made by the demo; give another --out, nothing was changed"):
        demo_story.demo(mine, quiet=True)
    assert (mine / "thesis.txt" if what == "folder" else mine).read_text() == "years of work"
