"""Modules of one's own are found in the current folder, and no library is taken for one."""

import subprocess
import sys

import pytest

from tacit.encoders import factory
from tacit.errors import TacitError
from tacit.methods import find

MINE = "from helper import SimCLR\nclass Mine(SimCLR.__bases__[0]):\n    pass\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [place for place in sys.path if place])
    (tmp_path / "helper.py").write_text("from tacit.methods.contrast.simclr import SimCLR\n")
    (tmp_path / "my_methods.py").write_text(MINE)
    (tmp_path / "ray").mkdir()
    yield tmp_path
    for name in ("helper", "my_methods"):
        sys.modules.pop(name, None)


def test_a_method_in_the_current_folder_and_what_it_imports(folder):
    assert find("my_methods:Mine").__name__ == "Mine"
    (folder / "my_methods.py").write_text("import helper_that_is_not_there\n")
    sys.modules.pop("my_methods")
    with pytest.raises(TacitError, match="No module named 'helper_that_is_not_there'"):
        find("my_methods:Mine")


def test_what_is_nowhere_is_said(folder):
    with pytest.raises(TacitError, match="The method 'no_such:Mine' could not be imported"):
        find("no_such:Mine")
    with pytest.raises(TacitError, match="There is no module 'no_such' for the encoder"):
        factory("no_such:Mine", None, 0)
    assert str(folder) not in sys.path


def test_a_folder_called_as_a_library_is_none(folder):
    """As by the command: the current folder is looked into for modules that were named alone."""
    code = "import sys; sys.path = [p for p in sys.path if p]; from tacit.cli import main\n"
    code += "try: main(['methods'])\nexcept SystemExit: pass\n"
    code += "import importlib.util; print(importlib.util.find_spec('ray_that_is_not_there'))"
    (folder / "ray_that_is_not_there").mkdir()
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.splitlines()[-1] == "None"
