import hashlib
import json

import pytest
import torch
from torch import nn

from tacit.embeddings import fingerprint as module
from tacit.embeddings.fingerprint import fingerprint


def net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(5, 2, dtype=torch.bfloat16))


def test_equals_the_formula():
    digest = hashlib.sha256()
    for name, tensor in sorted(net().state_dict().items()):
        digest.update(json.dumps([name, list(tensor.shape), str(tensor.dtype)]).encode())
        digest.update(
            tensor.view(torch.int16).numpy().tobytes() if tensor.dtype == torch.bfloat16 else tensor.numpy().tobytes()
        )
    assert fingerprint(net()) == digest.hexdigest()


def test_layout_and_chunks_do_not_count(monkeypatch):
    before = fingerprint(net())
    assert fingerprint(net().to(memory_format=torch.channels_last)) == before
    monkeypatch.setattr(module, "CHUNK", 7)
    assert fingerprint(net()) == before


@pytest.mark.parametrize("key", ["0.weight", "1.running_mean", "1.num_batches_tracked", "2.bias"])
def test_every_number_counts(key):
    changed = net()
    changed.state_dict()[key].view(-1)[-1:] += 1
    assert fingerprint(changed) != fingerprint(net())


def test_names_shapes_and_types_count():
    zeros = nn.Linear(4, 2, bias=False)
    nn.init.zeros_(zeros.weight)
    turned = nn.Linear(2, 4, bias=False)
    nn.init.zeros_(turned.weight)
    half = nn.Linear(8, 2, bias=False, dtype=torch.float16)  # as many bytes
    nn.init.zeros_(half.weight)
    assert len({fingerprint(zeros), fingerprint(turned), fingerprint(half), fingerprint(nn.Sequential(zeros))}) == 4
