"""Work that is shared out gives what one worker gives: the same vectors, ids and order, the same rows kept."""

import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from tacit.applying.curating import curate
from tacit.applying.embedding import embed
from tacit.applying.many import Local, Ray, engine_of
from tacit.curation.duplicates import near_duplicates
from tacit.curation.shared_search import Comparing, near_duplicates_by
from tacit.embeddings.read import open_table
from tacit.errors import TacitError
from tacit.numerics.exact import unit


@pytest.fixture(scope="module")
def cluster():
    """Ray on this machine, with room for two workers."""
    ray = pytest.importorskip("ray")
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="error")
    yield ray
    ray.shutdown()


def same(first: Path, second: Path) -> None:
    one, two = open_table(first), open_table(second)
    assert one.ids() == two.ids() and one.provenance == two.provenance
    np.testing.assert_allclose(one.vectors(), two.vectors(), rtol=1e-6, atol=1e-6)
    rows = ("path", "label", "split", "thumbnail")
    assert [batch.to_pylist() for batch in one.stream(50, rows)] == [batch.to_pylist() for batch in two.stream(50, rows)]


class Slow:
    """Says who did it; the first to get number 5 ends its process, once."""

    def __init__(self, mark: str):
        self.mark = Path(mark)

    def __call__(self, number: int) -> tuple[int, int]:
        time.sleep(0.02)
        if number == 5 and not self.mark.exists():
            self.mark.write_text("died")
            os.kill(os.getpid(), signal.SIGKILL)
        return os.getpid(), 2 * number


def working() -> list[int]:
    """The processes that work for this test's own cluster now: Ray says in their names what they do."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            name, status = (folder / "cmdline").read_bytes(), (folder / "stat").read_text().rpartition(")")[2].split()
            parent = Path("/proc", status[1], "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended meanwhile
        if name.startswith(b"ray::_Made.work") and int(parent[1]) == os.getpid():
            found.append(int(folder.name))
    return found


def test_a_local_worker_is_the_caller():
    with Local().workers(lambda: lambda number: number + 1) as each:
        assert list(each([1, 2, 3])) == [2, 3, 4]


def test_an_engine_by_its_name():
    assert engine_of("ray") == Ray() and engine_of("local") == Local()
    with pytest.raises(TacitError, match="did you mean 'ray'"):
        engine_of("rai")


def test_workers_that_die_are_made_anew_and_nothing_is_lost(cluster, tmp_path):
    from functools import partial

    with Ray(2).workers(partial(Slow, str(tmp_path / "mark"))) as each:
        found = list(each(range(30)))
    assert [value for _, value in found] == [2 * number for number in range(30)]
    assert (tmp_path / "mark").exists() and len({process for process, _ in found}) >= 2


def test_no_more_is_handed_out_than_workers_can_take(cluster):
    taken = []

    def things():
        for number in range(12):
            taken.append(number)
            yield number

    with Ray(1).workers(lambda: lambda number: number) as each:
        results = each(things())
        assert next(results) == 0 and len(taken) <= 4
        assert list(results) == list(range(1, 12))


def test_embedded_by_a_cluster_as_here_though_a_worker_is_killed(cluster, trained, cloth, tmp_path):
    embed(trained.path, cloth, out=tmp_path / "here.lance", batch=8, device="cpu")
    killed = []

    def kill():
        for _ in range(1200):
            if busy := working():
                os.kill(busy[0], signal.SIGKILL)
                killed.append(busy[0])
                return
            time.sleep(0.05)

    thread = threading.Thread(target=kill)
    thread.start()
    embed(trained.path, cloth, out=tmp_path / "there.lance", batch=8, device="cpu", engine=Ray(2))
    thread.join()
    assert killed
    same(tmp_path / "here.lance", tmp_path / "there.lance")


def test_duplicates_found_by_several_are_those_found_by_one():
    generator = torch.Generator().manual_seed(0)
    x = unit(torch.randn(9000, 24, generator=generator))
    x[4500:] = unit(x[:4500] + 0.03 * torch.randn(4500, 24, generator=generator))
    wanted = near_duplicates(x, 0.98)
    assert (wanted.of >= 0).sum() > 1000
    workers = [Comparing(x, 0.98) for _ in range(3)]

    def each(parts):
        for number, part in enumerate(parts):  # whoever comes: the third is asked for the first time at the second block
            yield workers[(number + (part.start > 0)) % (3 if part.start else 2)](part)

    found = near_duplicates_by(each, len(x), 5)
    np.testing.assert_array_equal(found.of, wanted.of)
    np.testing.assert_array_equal(found.cosine, wanted.cosine)


def test_curated_by_a_cluster_as_here(cluster, trained, cloth, tmp_path):
    embed(trained.path, cloth, out=tmp_path / "t.lance", device="cpu")
    for name, engine in (("here", "local"), ("there", Ray(2))):
        curate(tmp_path / "t.lance", out=tmp_path / f"{name}.parquet", drop_duplicates=True, similar=0.9, engine=engine)
    here, there = (pq.read_table(tmp_path / f"{name}.parquet") for name in ("here", "there"))
    assert here.equals(there) and not all(here["kept"].to_pylist())


def test_what_lies_in_memory_is_refused(trained):
    from tacit.data.generated import tiny_images

    with pytest.raises(TacitError, match="give a path"):
        embed(trained.path, tiny_images(8), out="never.lance", engine="ray")


def test_a_mistake_of_a_worker_is_said_as_here(cluster):
    class Refusing:
        def __call__(self, thing):
            raise TacitError(f"{thing} is refused; give another.")

    with pytest.raises(TacitError, match=r"^7 is refused; give another\.$"), Ray(1).workers(Refusing) as each:
        list(each([7]))


def test_a_negative_number_of_workers_is_refused(cluster):
    with pytest.raises(TacitError, match="-1 workers"), Ray(-1).workers(lambda: lambda thing: thing):
        pass


def test_order_is_kept_when_later_things_are_done_first(cluster):
    class Uneven:
        def __call__(self, number):
            time.sleep(0.2 if number == 0 else 0)
            return number

    with Ray(2).workers(Uneven) as each:
        assert list(each(range(8))) == list(range(8))
