"""Crops of one size go through the encoder together."""

import torch

from tacit.parts.crops import each_size


def test_one_forward_for_each_run_of_one_size():
    crops = [torch.full((2, 1, side, side), float(v)) for v, side in enumerate((8, 8, 4, 4, 4))]
    seen = []

    def encoder(x):
        seen.append(tuple(x.shape))
        return x.mean((1, 2, 3))[:, None]

    assert each_size(encoder, crops).flatten().tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert seen == [(4, 1, 8, 8), (6, 1, 4, 4)]
