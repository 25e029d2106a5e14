"""Sequences without padding: the same numbers as with it."""

import torch
import torch.nn.functional as F

from tacit.parts.sequences.packed import PackedBlock, packing

LENGTHS = [5, 1, 12, 3, 12, 0, 40]
THERE = torch.arange(40) < torch.tensor(LENGTHS)[:, None]


def test_packing_and_padding_again():
    x = torch.randn(7, 40, 4) * THERE[..., None]
    among = packing(THERE)
    row = among.pack(x)
    assert row.shape == (sum(LENGTHS), 4) and torch.equal(among.padded(row), x)
    assert torch.allclose(among.mean(row)[[0, 1, 6]], torch.stack([x[i].sum(0) / LENGTHS[i] for i in (0, 1, 6)]), atol=1e-6)
    assert among.mean(row)[5].abs().sum() == 0


def test_every_element_is_in_one_bucket_of_like_lengths():
    places = [place[place >= 0] for place in packing(THERE).buckets]
    assert torch.cat(places).sort().values.tolist() == list(range(sum(LENGTHS)))
    for place in packing(THERE).buckets:
        lengths = (place >= 0).sum(1)
        assert place.shape[1] <= 1.5 * max(int(lengths.min()), 1) + 1


def test_a_layer_is_that_of_each_sequence_alone():
    torch.manual_seed(0)
    block = PackedBlock(8, 2, 0.0)
    x = torch.randn(sum(LENGTHS), 8)
    together = block(x, packing(THERE))
    start = 0
    for length in LENGTHS:
        own = x[start : start + length]
        q, k, v = block.qkv(block.norm1(own)).view(length, 3, 2, 4).permute(1, 2, 0, 3)
        naive = own + block.out((torch.softmax(q @ k.transpose(1, 2) / 2, 2) @ v).transpose(0, 1).reshape(length, 8))
        naive = naive + block.mlp(block.norm2(naive))
        assert torch.allclose(together[start : start + length], naive, atol=1e-5)
        start += length


def test_gaps_between_elements_do_not_matter():
    there = torch.tensor([[True, False, True, True], [False, True, True, True]])
    block, x = PackedBlock(8, 2, 0.0), torch.randn(6, 8)
    assert torch.allclose(block(x, packing(there)), block(x, packing(torch.ones(2, 3, dtype=torch.bool))), atol=1e-6)
    assert F.mse_loss(block(x, packing(there)), x) > 0
