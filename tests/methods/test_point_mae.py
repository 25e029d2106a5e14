"""Point-MAE: the hidden never enter the encoder, and are what is predicted."""

import numpy as np
import pytest
import torch

from tacit.data.clouds.shapes import shapes
from tacit.encoders.cloud import PointTransformer
from tacit.errors import TacitError
from tacit.method import Batch, Facts
from tacit.methods.masked.point_mae import PointMAE
from tacit.numerics.points import Groups
from tacit.views import Program
from tacit.views.cloud import CloudViews
from tacit.views.kinds import MaskedGroups

SHAPES = shapes(12)
VIEWS = CloudViews.fit(SHAPES.facts(), points=64, mask_patches=8, mask_points=8, mask_ratio=0.5)


def made(**options):
    torch.manual_seed(0)
    encoder = PointTransformer(Facts("cloud", 12, (64, 3)), width=12, depth=1, heads=2)
    return PointMAE(encoder, **{"decoder_depth": 1, "decoder_heads": 2, "drawn": 5, **options})


def batch():
    index = np.arange(12)
    views, params = Program(MaskedGroups(), VIEWS)(SHAPES.read(index)[0], index, 3)
    return Batch(views, torch.from_numpy(index), params=params)


def test_the_loss_by_a_loop():
    method, given = made().eval(), batch()
    (view,), (drawn,) = given, given.params
    tokens, total = method.encoder.tokens(view, drawn["keep"]), 0.0
    for i in range(12):
        hidden = [t for t in range(8) if drawn["mask"][i, t]]
        told = method.decoder(tokens[i : i + 1], view.centres[i : i + 1, drawn["keep"][i]], view.centres[i : i + 1, hidden])[0]
        for guess, t in zip(told, hidden):
            apart = (guess[:, None] - view.points[i, t][None]).square().sum(2)
            total = total + (apart.min(1).values.mean() + apart.min(0).values.mean()) / (12 * 4)
    torch.testing.assert_close(method.step(given), total)


def test_hidden_points_reach_the_loss_as_targets_alone():
    method, given = made().eval(), batch()
    (view,), (drawn,) = given, given.params
    moved = Groups(torch.where(drawn["mask"][:, :, None, None], 7.0, view.points), view.centres)
    torch.testing.assert_close(method.encoder.tokens(moved, drawn["keep"]), method.encoder.tokens(view, drawn["keep"]))
    assert method.step(Batch([moved], given.index, params=given.params)) > method.step(given)


def test_mistakes_are_named():
    with pytest.raises(TacitError, match="decoder_heads"):
        made(decoder_heads=5)
