"""Files that survive: every kind of tensor comes back, a failing write leaves the old file, nothing foreign is opened."""

import errno

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from tacit.errors import TacitError
from tacit.training import checkpoint


def test_every_kind_of_tensor_comes_back(tmp_path):
    base = torch.arange(24.0).view(2, 3, 2, 2)
    tensors = {
        "plain": base,
        "tied": base,
        "channels_last": torch.randn(2, 3, 4, 4).to(memory_format=torch.channels_last),
        "transposed": torch.randn(4, 3).T,
        "slice": base[:, 1],
        "expanded": torch.tensor([1.5]).expand(3, 4),
        "number": torch.tensor(7, dtype=torch.int64),
        "empty": torch.zeros(0, 5),
        "another empty": torch.zeros(0),
        "half": torch.randn(3).bfloat16(),
        "truth": torch.tensor([True, False]),
        "asking": nn.Parameter(torch.randn(2)),
    }
    file = tmp_path / "deep" / "x.safetensors"
    checkpoint.save(file, tensors, {"step": 3, "names": ["ä"]})
    found, facts = checkpoint.read(file)
    assert facts == {"step": 3, "names": ["ä"]}
    assert found.keys() == tensors.keys()
    for name, value in tensors.items():
        assert found[name].dtype == value.dtype and torch.equal(found[name], value), name
    assert [f.name for f in file.parent.iterdir()] == ["x.safetensors"]


def test_what_is_tied_is_written_once(tmp_path):
    big = torch.randn(100, 100)
    checkpoint.save(tmp_path / "one", {"a": big}, {})
    checkpoint.save(tmp_path / "two", {"a": big, "b": big}, {})
    assert (tmp_path / "two").stat().st_size < (tmp_path / "one").stat().st_size + 200
    found, _ = checkpoint.read(tmp_path / "two")
    assert torch.equal(found["b"], big)


def test_views_of_one_storage_are_no_aliases(tmp_path):
    whole = torch.arange(6.0)
    tensors = {"whole": whole, "head": whole[:3], "square": whole[:4].view(2, 2), "across": whole[:4].view(2, 2).T}
    checkpoint.save(tmp_path / "x", tensors, {})
    found, _ = checkpoint.read(tmp_path / "x")
    assert all(torch.equal(found[name], value) for name, value in tensors.items())


def test_a_failing_write_leaves_the_old_file(tmp_path, monkeypatch):
    file = tmp_path / "x.safetensors"
    checkpoint.save(file, {"a": torch.ones(2)}, {"step": 1})

    def full(tensors, beside, metadata):
        beside.write_bytes(b"half of it")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checkpoint, "save_file", full)
    with pytest.raises(TacitError, match=r"could not be written .*No space left on device.*saved before is whole"):
        checkpoint.save(file, {"a": torch.zeros(2)}, {"step": 2})
    assert list(tmp_path.iterdir()) == [file]
    found, facts = checkpoint.read(file)
    assert facts["step"] == 1 and torch.equal(found["a"], torch.ones(2))


def test_a_text_is_whole_or_not_there(tmp_path):
    checkpoint.write_text(tmp_path / "a.txt", "one")
    checkpoint.write_text(tmp_path / "a.txt", "two")
    assert (tmp_path / "a.txt").read_text() == "two"
    assert [f.name for f in tmp_path.iterdir()] == ["a.txt"]


class Trap:
    """Unpickling this would leave a trace."""

    def __reduce__(self):
        return (exec, ("raise SystemExit('a pickle was executed')",))


@pytest.mark.parametrize("foreign", ["pickle", "truncated", "other", "facts", "text", "missing", "folder"])
def test_what_is_no_file_of_ours_is_refused_with_one_sentence(foreign, tmp_path):
    file = tmp_path / "x.safetensors"
    if foreign == "pickle":
        torch.save({"a": torch.ones(2), "trap": Trap()}, file)
    elif foreign == "truncated":
        checkpoint.save(file, {"a": torch.ones(100)}, {})
        file.write_bytes(file.read_bytes()[:-50])
    elif foreign == "other":
        save_file({"a": torch.ones(2)}, file)
    elif foreign == "facts":
        save_file({"a": torch.ones(2)}, file, metadata={"tacit": "{not JSON"})
    elif foreign == "text":
        file.write_text("hello")
    elif foreign == "folder":
        file.mkdir()
    with pytest.raises(TacitError) as raised:
        checkpoint.read(file)
    sentence = str(raised.value)
    assert str(file) in sentence and "\n" not in sentence and "give a run's folder" in sentence


def test_weights_of_another_model_are_named():
    tensors = nn.Linear(3, 2).state_dict()
    module = nn.Linear(3, 2)
    checkpoint.restore(module, tensors)
    assert torch.equal(module.weight, tensors["weight"])
    with pytest.raises(TacitError, match="another model: weight and 0 more"):
        checkpoint.restore(nn.Linear(4, 2), tensors)
    with pytest.raises(TacitError, match="bias"):
        checkpoint.restore(nn.Linear(3, 2, bias=False), tensors)
