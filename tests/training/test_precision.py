"""What is chosen from what the machine has, and how a wrong wish is answered."""

import pytest
import torch

from tacit.errors import TacitError
from tacit.training import precision
from tacit.training.precision import PRECISIONS, Machine, choose


@pytest.fixture
def no_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.mark.parametrize(("native", "expected"), [(True, "bf16"), (False, "fp32")])
def test_bf16_where_it_is_native(native, expected, no_gpu, monkeypatch):
    monkeypatch.setattr(precision, "native_bf16", lambda device: native)
    machine = choose()
    assert (machine.device, machine.precision) == ("cpu", expected)
    assert "native" in machine.why


def test_a_gpu_is_taken_where_there_is_one(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(precision, "native_bf16", lambda device: device == "cuda")
    assert (choose().device, choose().precision) == ("cuda", "bf16")
    assert choose("cpu").device == "cpu"


@pytest.mark.parametrize("name", PRECISIONS)
def test_what_is_asked_for_is_taken(name, no_gpu):
    assert choose("cpu", name) == Machine("cpu", name, f"cpu, {name} as asked")


def test_wrong_wishes(no_gpu):
    with pytest.raises(TacitError, match="no GPU here; leave --device out"):
        choose("cuda")
    with pytest.raises(TacitError, match="no device 'gpu'"):
        choose("gpu")
    with pytest.raises(TacitError, match="no precision 'bf61'; did you mean 'bf16'"):
        choose("cpu", "bf61")


def test_native_on_a_cpu_is_what_torch_says(monkeypatch):
    for found, expected in (({}, False), ({"avx512_bf16": True}, True), ({"amx_bf16": True}, True), ({"avx2": True}, False)):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda found=found: found)
        assert precision.native_bf16("cpu") is expected


def test_channels_last_for_images_on_a_gpu():
    cuda, cpu = torch.device("cuda"), torch.device("cpu")
    assert precision.layout(cuda, (3, 32, 32)) == torch.channels_last
    assert {precision.layout(cuda, (256,)), precision.layout(cpu, (3, 32, 32))} == {torch.preserve_format}
