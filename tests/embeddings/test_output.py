import os
import platform
import subprocess
import sys

from tacit.embeddings.output import appearing


def test_two_processes_that_write_one_file_do_not_meet(tmp_path):
    file = tmp_path / "hits.parquet"
    other = "import sys; from pathlib import Path; from tacit.embeddings.output import appearing\n"
    other += "with appearing(Path(sys.argv[1])) as part: part.write_text('theirs')"
    with appearing(file) as part:
        part.write_text("ours")
        subprocess.run([sys.executable, "-c", other, str(file)], check=True)
        assert file.read_text() == "theirs" and part.read_text() == "ours"
    assert file.read_text() == "ours" and [*tmp_path.iterdir()] == [file]


def test_what_the_killed_left_goes_and_what_others_write_stays(tmp_path):
    file, here = tmp_path / "hits.parquet", platform.node()
    killed = "import os, sys; from pathlib import Path; from tacit.embeddings.output import part_of\n"
    killed += "part = part_of(Path(sys.argv[1])); part.mkdir() if len(sys.argv) > 2 else part.write_text('half')\n"
    killed += "os.kill(os.getpid(), 9)"
    for more in ([], ["folder"], []):
        assert subprocess.run([sys.executable, "-c", killed, str(file), *more], check=False).returncode == -9
        (left,) = tmp_path.glob(".hits.parquet.*.part")  # of the last one alone
    others = [f".hits.parquet.{here}.{os.getppid()}.part", ".hits.parquet.another-machine.1.part", ".other.parquet.x.1.part"]
    for name in others:
        (tmp_path / name).touch()
    with appearing(file) as part:
        part.write_text("whole")
    assert not left.exists() and sorted(f.name for f in tmp_path.iterdir()) == sorted([*others, "hits.parquet"])
