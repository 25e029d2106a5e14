"""What all tests share: one thread, one pair of processes for everything that compares two with one, one small trained run."""

from dataclasses import replace

import pytest
import torch

torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def one_thread():
    """Whatever a test before has left behind: sums of more threads are others in the last digits."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def pair():
    from tacit.training.spawned import Pair

    with Pair() as pair:
        yield pair


@pytest.fixture(scope="session")
def trio():
    from tacit.training.spawned import Pair

    with Pair(3) as trio:
        yield trio


@pytest.fixture(scope="session")
def cloth(tmp_path_factory):
    """A folder with 96 images of 16 × 16 in class folders, without splits. Nobody changes it."""
    from tacit.data.generated import tiny_images, write

    folder = tmp_path_factory.mktemp("sources") / "cloth"
    write(replace(tiny_images(96), splits=None), folder)
    return folder


@pytest.fixture(scope="session")
def trained(cloth, tmp_path_factory):
    """SimCLR's small encoder after one epoch on `cloth`. Nobody changes it."""
    from tacit.pretraining import pretrain

    out = tmp_path_factory.mktemp("runs") / "trained"
    return pretrain(
        cloth,
        "simclr",
        out=out,
        encoder="small_resnet",
        width=8,
        epochs=1,
        batch=32,
        device="cpu",
        precision="fp32",
        quiet=True,
    )
