"""The shared embedding table."""

import torch

from tacit.parts.unified_embedding import PRIME, UnifiedEmbedding


def test_rows_by_hand():
    torch.manual_seed(0)
    layer, values = UnifiedEmbedding(3, 50, 4, 2), torch.tensor([[7, 7, 123456789], [0, 1, 2]])
    found = layer(values)
    assert found.shape == (2, 3, 8)
    for n in range(2):
        for t in range(3):
            for j in range(2):
                row = (int(values[n, t]) * int(layer.factor[t, j]) + int(layer.shift[t, j])) % PRIME % 50
                torch.testing.assert_close(found[n, t, 4 * j : 4 * j + 4], layer.table[row])


def test_equal_values_of_two_features_lie_apart():
    torch.manual_seed(0)
    layer = UnifiedEmbedding(2, 10_000, 1, 2)
    values = torch.arange(1000)[:, None].expand(-1, 2)
    rows = ((values[:, :, None] * layer.factor + layer.shift) % PRIME) % 10_000
    assert (rows[:, 0, 0] == rows[:, 1, 0]).float().mean() < 0.01 and (rows[:, 0, 0] == rows[:, 0, 1]).float().mean() < 0.01
    assert len(rows[:, 0, 0].unique()) > 900
