"""The decoder: kept tokens where they lie, one learned token elsewhere, positions on all."""

import torch

from tacit.parts.decoder import Decoder

N, K, GRID = 3, 4, (2, 5)


def made():
    torch.manual_seed(0)
    return Decoder(dim=6, width=8, depth=2, heads=2, grid=GRID, out=12)


def given():
    torch.manual_seed(1)
    return torch.randn(N, K, 6), torch.stack([torch.randperm(10)[:K] for _ in range(N)])


def test_it_equals_the_loop():
    decoder, (tokens, keep) = made(), given()
    rows = []
    for i in range(N):
        line = [decoder.missing[0]] * 10
        for j, place in enumerate(keep[i].tolist()):
            line[place] = decoder.embed(tokens[i, j])
        rows.append(torch.stack(line) + decoder.positions)
    x = torch.stack(rows)
    for block in decoder.blocks:
        x = block(x)
    found = decoder(tokens, keep)
    assert found.shape == (N, 10, 12)
    torch.testing.assert_close(found, decoder.predict(decoder.norm(x)))


def test_the_order_of_the_kept_does_not_matter_but_their_place_does():
    decoder, (tokens, keep) = made(), given()
    torch.testing.assert_close(decoder(tokens.flip(1), keep.flip(1)), decoder(tokens, keep))
    assert not torch.allclose(decoder(tokens.flip(1), keep), decoder(tokens, keep))


def test_gradient_reaches_every_parameter_and_half_precision_is_near():
    decoder, (tokens, keep) = made(), given()
    full = decoder(tokens, keep)
    (full * torch.randn_like(full)).sum().backward()
    for name, parameter in decoder.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().max() > 1e-6, name
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(decoder(tokens, keep).float(), full, rtol=0.05, atol=0.05)


def test_it_starts_as_published():
    decoder = made()
    assert decoder.missing.ndim == 2 and 0.005 < decoder.missing.std() < 0.04  # normal, of deviation 0.02
    assert all(not layer.bias.any() for layer in (decoder.embed, decoder.predict, decoder.blocks[0].out))
    assert "positions" not in decoder.state_dict()
