"""What a step frees serves the next one; afterwards the process is as small as it was."""

import resource
import sys
from pathlib import Path

import pytest
import torch

from tacit.training import pages

BLOCK = 2**24  # float32: 64 MiB, above what glibc keeps by itself


def faults():
    """Pages that the system hands out for one block, where others have been freed before."""
    for _ in range(4):  # an aligned block may not fit where one of its size was
        torch.ones(BLOCK)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.ones(BLOCK)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems keep or give back memory as they like")
def test_freed_blocks_are_used_again_and_given_back_at_the_end():
    fresh, before = faults(), resident()
    with pages.kept(torch.device("cpu")):
        assert faults() < fresh / 10
        assert resident() > before + 2 * BLOCK
    assert faults() > fresh / 2
    assert resident() < before + 2 * BLOCK


def test_a_failure_inside_is_passed_on():
    with pytest.raises(KeyError), pages.kept(torch.device("cpu")):
        raise KeyError


def test_on_a_gpu_nothing_changes(monkeypatch):
    monkeypatch.setattr(pages.ctypes, "CDLL", lambda name: pytest.fail("asked for") if name else object())
    with pages.kept(torch.device("cuda")):
        pass
