"""What one process learns, two learn together: uneven batches, micro-batches, chunks; and whose samples are whose."""

from dataclasses import replace

import pytest

from tacit.check import VECTORS, Case, Toy, same_state, several_steps
from tacit.data.generated import clusters
from tacit.errors import TacitError
from tacit.methods import find
from tacit.numerics import processes
from tacit.training.distributed import shares
from tacit.training.streams import Source, Stream
from tests.training.numbers import CPU, Numbers, plainly


def odd():
    """So many samples that batches of 64 leave a rest, and three steps end an epoch."""
    return clusters(150, dim=256)


ODD = Toy(odd, {**VECTORS.options, "depth": 0, "negatives": 0})
WAYS = {
    "batches that two processes do not divide": {"batch": 65},
    "micro-batches": {"accumulate": 4},
    "chunks": {"chunk": 10},
    "chunks of micro-batches": {"accumulate": 2, "chunk": 6},
}


@pytest.mark.parametrize("way", WAYS)
def test_two_processes_equal_one(way, pair):
    """NPID's loss is a mean over samples, and its encoder has no batch statistics here."""
    alone = several_steps(find("npid"), ODD)
    found = pair.run(several_steps, find("npid"), replace(ODD, options={**ODD.options, **WAYS[way]}), patience=600)
    assert max(found, key=lambda one: len(one["losses"]))["losses"] == pytest.approx(alone["losses"], rel=1e-5)
    for one in found:
        same_state(alone["state"], one["state"], 1e-5, way)


@pytest.mark.parametrize("size", [1, 2, 3, 8])
def test_every_sample_of_an_epoch_is_one_processes_alone(size, monkeypatch):
    """However many processes and micro-batches: shards are indexed, so no file is anybody's."""
    numbers = Numbers(100)
    monkeypatch.setattr(processes, "size", lambda: size)
    read = []
    for rank in range(size):
        monkeypatch.setattr(processes, "rank", lambda rank=rank: rank)
        stream = Stream("main", Source(numbers, plainly, plainly), 24, 7, CPU, multiple=size)
        read += [int(i) for batch in stream.order(0) for share in shares(batch, 1) for i in share]
        stream.end()
    assert len(read) == len(set(read)) == 96


def test_a_number_that_does_not_share_the_batches_is_refused(tmp_path):
    """As three processes would cut batches of 64; what was saved stays as it was."""
    how = {"epochs": 8, "optimizer": "sgd", "lr": 0.02}
    Case(find("npid"), ODD, **how).train(tmp_path, steps=2)
    before = (tmp_path / "stage-0.safetensors").read_bytes()
    with pytest.raises(TacitError, match="batches of 64 cannot be shared evenly"):
        Case(find("npid"), ODD, **how, batch=63).train(tmp_path, steps=4)
    assert (tmp_path / "stage-0.safetensors").read_bytes() == before
