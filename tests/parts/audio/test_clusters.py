"""Hidden clusters of patches."""

import torch

from tacit.parts.audio.clusters import clustered

ROWS, COLUMNS = 4, 10
DRAWS = torch.rand(300, 1 + 2 * ROWS * COLUMNS, generator=torch.Generator().manual_seed(0))


def masks(hidden, sides):
    place = clustered(DRAWS, ROWS, hidden, sides)
    assert place.shape == (300, hidden) and all(len(set(row)) == hidden for row in place.tolist())
    return torch.zeros(300, ROWS * COLUMNS, dtype=torch.bool).scatter_(1, place, True).view(300, ROWS, COLUMNS)


def test_against_blocks_laid_one_after_another():
    """The corners in their order, by loops, until enough is hidden; all but the last block are hidden whole."""
    found = masks(18, (2, 3))
    for draws, mask in zip(DRAWS[:40], found[:40]):
        side = 2 + int(draws[0] * 2)
        hidden, before = set(), set()
        for corner in draws[1 : 1 + ROWS * COLUMNS].argsort().tolist():
            before = set(hidden)
            row, column = divmod(corner, COLUMNS)
            hidden |= {(r, c) for r in range(row, min(row + side, ROWS)) for c in range(column, min(column + side, COLUMNS))}
            if len(hidden) >= 18:
                break
        got = {(r, c) for r, c in mask.nonzero().tolist()}
        assert before <= got <= hidden


def test_single_patches_are_hidden_alike():
    share = masks(20, (1, 1)).float().mean(0)
    assert (share - 0.5).abs().max() < 0.12


def test_clusters_have_more_neighbours_than_single_patches():
    def neighbours(mask):
        return float((mask[:, 1:] & mask[:, :-1]).float().mean() + (mask[:, :, 1:] & mask[:, :, :-1]).float().mean())

    assert neighbours(masks(16, (3, 4))) > 1.3 * neighbours(masks(16, (1, 1)))


def test_a_single_row():
    place = clustered(torch.rand(5, 1 + 2 * 12), 1, 6, (3, 5))
    assert place.shape == (5, 6) and place.max() < 12
