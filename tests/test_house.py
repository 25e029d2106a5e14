"""The rules of the house: which way imports point, how large a room and a file may be, what is public, what is forbidden."""

import ast
import inspect
import re
import subprocess
import sys
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

import tacit
from tacit import encoders
from tacit.method import Recipe, options
from tacit.methods import find, keys
from tacit.pretraining import pretrain
from tacit.views import MODALITIES, modality

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "tacit"
FILES = sorted(PACKAGE.rglob("*.py"))

# What a room may import of the package, besides itself and `errors`. A room that is not named here (the modules at the
# top that join everything, and the rooms to come) may import anything, except that only `cli` and `__main__` import `cli`.
BEFORE = {
    "errors": (),
    "numerics": (),
    "objectives": ("numerics",),
    "parts": ("objectives", "numerics"),
    "method": ("numerics", "views.kinds"),
    "own": (),
    "methods": ("parts", "objectives", "numerics", "views.kinds", "method", "own"),
    "training": ("method", "numerics"),
    "evaluation": ("views", "numerics"),
    "embeddings": ("numerics",),
    "clusters": ("numerics",),
    "curation": ("embeddings", "method", "numerics"),
    "explorer": ("", "embeddings", "curation", "numerics", "evaluation", "judging.telling"),  # the face, the table, the log
    "cli": ("",),  # the public face
}


def name(file: Path) -> str:
    """src/tacit/views/kinds.py -> views.kinds; the face itself is the empty name."""
    parts = file.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name(file) for file in FILES}


def imported(file: Path) -> set[str]:
    """Which modules of the package a file imports, wherever in the file it does."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} imports relatively"
            module = node.module or ""
            # `from tacit.views import kinds` imports the module tacit.views.kinds
            found |= {f"{module}.{a.name}" if f"{module}.{a.name}"[6:] in MODULES else module for a in node.names}
    return {module[6:] for module in found if module == "tacit" or module.startswith("tacit.")}


def within(module: str, rooms: tuple[str, ...]) -> bool:
    return any(module == room or (room and module.startswith(f"{room}.")) for room in rooms)


def test_imports_point_one_way():
    wrong = []
    for file in FILES:
        here = name(file)
        room = here.partition(".")[0]
        allowed = (*BEFORE[room], room, "errors") if room in BEFORE else None
        for module in imported(file):
            against = not within(module, allowed) if allowed is not None else within(module, ("cli",)) and here != "__main__"
            if against:
                wrong.append(f"{here} imports {module or 'the public face'}")
    assert not wrong, wrong


def test_no_method_imports_another():
    leaves = {name(file) for file in (PACKAGE / "methods").rglob("*.py") if file.name != "__init__.py"}
    wrong = [f"{leaf} imports {other}" for leaf in leaves for other in imported(_file(leaf)) if within(other, ("methods",))]
    # the files of a system that is a folder of its own import one another
    assert not [line for line in wrong if _folder(line.split()[0]) != _folder(line.split()[-1])], wrong


def _file(module: str) -> Path:
    return PACKAGE.joinpath(*module.split(".")).with_suffix(".py")


def _folder(module: str) -> str:
    """methods.ROOM.KEY for both methods/ROOM/KEY.py and methods/ROOM/KEY/method.py."""
    return ".".join(module.split(".")[:3])


def test_the_walk_sees_what_it_must(tmp_path):
    sample = tmp_path / "sample.py"
    sample.write_text("import os\nimport tacit\nfrom tacit.views import kinds\ndef f():\n    from tacit.cli import main\n")
    assert imported(sample) == {"", "views.kinds", "cli"}


def test_rooms_and_files_stay_small():
    folders = {file.parent for file in FILES}
    crowded = [str(folder) for folder in folders if len(list(folder.glob("*.py"))) > 26]  # 25 and the room's own
    assert not crowded, crowded
    long = [str(file) for file in FILES if _lines(file) > (100 if _is_method(file) else 400)]
    assert not long, long


def _is_method(file: Path) -> bool:
    return "methods" in file.relative_to(PACKAGE).parts and file.name != "__init__.py"


def _lines(file: Path) -> int:
    return len(file.read_text().splitlines())


def test_every_file_says_what_it_is():
    silent = [str(file) for file in FILES if not ast.get_docstring(ast.parse(file.read_text()))]
    assert not silent, silent


def test_nothing_foreign_is_executed():
    """No pickle by any door: not the module, not torch.load, not an array of objects, not an unsafe YAML loader."""
    wrong = []
    for file in FILES:
        tree = ast.parse(file.read_text())
        for node in ast.walk(tree):
            where = f"{name(file)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Import | ast.ImportFrom):
                modules = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""]
                if {m.partition(".")[0] for m in modules} & {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve"}:
                    wrong.append(f"{where} imports {modules}")
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                plain = any(k.arg == "allow_pickle" and ast.unparse(k.value) == "False" for k in node.keywords)
                if called in ("torch.load", "torch.hub.load", "eval", "exec", "yaml.load", "yaml.unsafe_load"):
                    wrong.append(f"{where} calls {called}")
                if called in ("np.load", "numpy.load") and not plain:
                    wrong.append(f"{where} calls {called} without allow_pickle=False")
    assert not wrong, wrong


def test_the_public_face_is_small_and_resolves():
    assert len(tacit.__all__) <= 40
    assert sorted(tacit.__all__) == dir(tacit)
    for public in tacit.__all__:
        assert getattr(tacit, public) is not None, public


def test_types_and_contents_name_the_same():
    """What a type checker sees is what is resolved."""
    tree = ast.parse((PACKAGE / "__init__.py").read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    typed = {
        a.asname or a.name: f"tacit.{'' if node.module == 'tacit' else (node.module or '')[6:]}"
        + (f":{a.name}" if a.asname != a.name else "")
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for a in node.names
    }
    assert typed == tacit.CONTENTS


def test_no_public_name_is_that_of_a_module():
    """Importing a module `tacit.x` would put it in the place of a public name `x`."""
    assert not {public for public in tacit.__all__ if public in MODULES}


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="pretrian"):
        tacit.pretrian  # noqa: B018


@pytest.mark.parametrize(
    "what",
    [
        "import tacit",
        "from tacit.cli import run; assert run(['--help']) == 0",
        "from tacit.cli import run; run(['pretrain', '--help'])",
    ],
)
def test_starting_imports_nothing_heavy(what):
    heavy = ("torch", "numpy", "numba", "PIL", "lancedb", "pyarrow", "timm", "sklearn", "faiss", "lightning_fabric")
    code = f"{what}\nimport sys\nsys.stderr.write(' '.join(m for m in {heavy} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_the_changelog_starts_with_the_version():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    titles = [line for line in (ROOT / "CHANGELOG.md").read_text().splitlines() if line.startswith("## ")]
    assert titles[0].startswith(f"## {version}")


@pytest.mark.parametrize("key", keys())
def test_every_method_says_what_it_was_checked_against(key):
    document = find(key).__doc__
    assert re.search(r"checked: [\w.-]+/[\w.-]+@[0-9a-f]{7,40}", document) or re.search(r"unverified: \w+", document)


@pytest.mark.parametrize("key", keys())
def test_no_option_of_a_method_has_a_second_owner(key):
    """Each option is sent where its name is known, so a method's must be nobody else's."""
    taken = {*inspect.signature(pretrain).parameters} | {field.name for field in fields(Recipe)}
    taken |= {field.name for kind in MODALITIES for field in fields(modality(kind))}
    taken |= {option for home in MODALITIES.values() for encoder in home.encoders for option in encoders.options(encoder)}
    assert not taken & set(options(find(key)))


def test_no_marks_of_a_merge_are_left():
    marks = re.compile(r"^(<{7} |>{7} |={7}$)", re.M)
    texts = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *FILES, *(ROOT / "tests").rglob("*.py")]
    assert not [str(file) for file in texts if marks.search(file.read_text())]
