"""Memory comes back when nothing holds it, and not before."""

from concurrent.futures import ThreadPoolExecutor

import torch

from tacit.views import memory
from tacit.views.memory import Reused


def test_memory_serves_again_once_its_tensor_is_gone():
    reused = Reused()
    first = reused.empty(4, 3, 5)
    place = first.data_ptr()
    assert first.shape == (4, 3, 5) and first.dtype == torch.float32 and first.is_contiguous()
    del first
    assert reused.empty(60).data_ptr() == place


def test_memory_stays_while_anything_shares_it():
    reused = Reused()
    for hold in (
        lambda x: x[1:, 0],
        lambda x: x.numpy(),
        lambda x: x.untyped_storage(),
        lambda x: (x * torch.ones(2, 3, requires_grad=True)).sum(),  # its graph holds x
    ):
        x = reused.empty(2, 3)
        place = x.data_ptr()
        held = hold(x)
        del x
        other = reused.empty(2, 3)
        assert other.data_ptr() != place
        del held, other
        again = [reused.empty(2, 3) for _ in range(4)]
        assert place in {one.data_ptr() for one in again}
        del again


def test_no_more_waits_than_may_and_what_was_met_first_goes(monkeypatch):
    monkeypatch.setattr(memory, "KEPT", 4 * 100)
    reused = Reused()
    small, large, whole = reused.empty(40), reused.empty(90), reused.empty(200)
    del small
    assert reused.waiting[40]
    del large  # 40 and 90 values are more than 100
    assert not reused.waiting[40] and reused.waiting[90]
    del whole
    assert not any(reused.waiting.values())


def test_threads_never_share():
    reused = Reused()

    def fill(number: int) -> bool:
        mine = reused.empty(64, 64)
        mine.fill_(number)
        return all(bool((mine == number).all()) for _ in range(3))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(fill, range(2_000)))
    assert 1 <= len(reused.waiting[4096]) <= 8
