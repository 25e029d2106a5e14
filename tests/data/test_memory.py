"""Values on disk in place of memory: what was written is read, and where there is no room nothing is."""

import tempfile

import numpy as np

from tacit.data import memory
from tacit.data.memory import Spill


def test_what_was_written_is_mapped_in_order():
    spill, parts = Spill(np.int16), [np.arange(5), np.array([], np.int16), np.arange(6).reshape(2, 3)[:, ::2]]
    for part in parts:
        spill.add(part)
    mapped = spill.mapped()
    assert isinstance(mapped, np.memmap) and mapped.dtype == np.int16
    assert mapped.tolist() == [0, 1, 2, 3, 4, 0, 2, 3, 5]


def test_nothing_written_is_nothing():
    mapped = Spill(np.float32).mapped()
    assert mapped is not None and mapped.shape == (0,)


def test_without_room_nothing_is_kept(monkeypatch):
    monkeypatch.setattr(memory.shutil, "disk_usage", lambda _: memory.shutil._ntuple_diskusage(100, 0, 100))
    spill = Spill(np.int16, 0.5)
    spill.add(np.arange(25))
    assert not spill.full
    spill.add(np.arange(1))
    assert spill.full and spill.mapped() is None


def test_a_disk_that_others_filled_is_no_error(monkeypatch):
    class Full:
        def write(self, _):
            raise OSError(28, "No space left on device")

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

    monkeypatch.setattr(tempfile, "TemporaryFile", Full)
    spill = Spill(np.int16)
    spill.add(np.arange(3))
    assert spill.full and spill.mapped() is None
