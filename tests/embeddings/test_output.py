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
