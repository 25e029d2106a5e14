"""What all tests share: one thread, and one pair of processes for everything that compares two with one."""

import pytest
import torch

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def pair():
    from tacit.training.spawned import Pair

    with Pair() as pair:
        yield pair
