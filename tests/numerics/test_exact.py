"""Rows of length one, and losses that stay in float32 whatever runs around them."""

import torch

from tacit.numerics.exact import full_precision, unit


def test_unit_gives_rows_of_length_one_in_float32():
    x = torch.randn(5, 3, 7, generator=torch.Generator().manual_seed(0)) * 30
    for dtype in (torch.float32, torch.bfloat16, torch.float64):
        rows = unit(x.to(dtype))
        assert rows.dtype == torch.float32
        torch.testing.assert_close(rows.norm(dim=-1), torch.ones(5, 3))
    torch.testing.assert_close(unit(x), x / x.norm(dim=-1, keepdim=True))


def test_a_row_of_zeros_stays():
    assert torch.equal(unit(torch.zeros(2, 4)), torch.zeros(2, 4))


def test_full_precision_turns_autocast_off_and_back_on():
    a = torch.ones(2, 2)
    with torch.autocast("cpu", torch.bfloat16):
        with full_precision():
            assert (a @ a).dtype == torch.float32
        assert (a @ a).dtype == torch.bfloat16
    with full_precision():
        assert (a @ a).dtype == torch.float32
