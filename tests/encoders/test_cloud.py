"""The encoders of point clouds: sets in, one vector each out."""

import pytest
import torch

from tacit.encoders.cloud import DGCNN, PointNet, PointTransformer
from tacit.errors import TacitError
from tacit.method import Facts
from tacit.numerics.points import grouped

FACTS = Facts("cloud", 100, (64, 3))
ALL = [PointNet, DGCNN, PointTransformer]


def points(n=4, p=64):
    return torch.randn(n, p, 3, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("cls", ALL)
def test_the_order_of_points_does_not_matter(cls):
    torch.manual_seed(0)
    encoder, x = cls(FACTS).eval(), points()
    z = encoder(x)
    assert z.shape == (4, encoder.dim)
    torch.testing.assert_close(encoder(x[:, torch.randperm(64)]), z, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("cls", ALL)
def test_smaller_clouds_go_through_too(cls):
    assert cls(FACTS)(points(4, 30)).shape[0] == 4


@pytest.mark.parametrize("cls", ALL)
def test_gradient_reaches_every_parameter(cls):
    torch.manual_seed(0)
    encoder = cls(FACTS)
    (encoder(points()) * torch.randn(4, encoder.dim)).sum().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in encoder.parameters())


def test_dgcnn_by_hand():
    """One layer over all edges, written out."""
    torch.manual_seed(0)
    encoder, x = DGCNN(FACTS, depth=(8,), edges=5).eval(), points()
    layer = encoder.layers[0]
    near = torch.cdist(x, x, compute_mode="donot_use_mm_for_euclid_dist").topk(5, largest=False).indices
    edges = torch.stack([x[i, near[i]] for i in range(4)])
    plain = layer.other(edges) + layer.own(x)[:, :, None]
    normal = layer.norm(plain.flatten(0, 2)).view(plain.shape)
    torch.testing.assert_close(layer(x, near), torch.nn.functional.leaky_relu(normal, 0.2).amax(2))


def test_only_kept_groups_enter_the_transformer():
    torch.manual_seed(0)
    encoder, x = PointTransformer(FACTS, groups=8, near=6).eval(), points()
    groups = grouped(x, 8, 6)
    torch.testing.assert_close(encoder.tokens(x), encoder.tokens(groups))
    keep = torch.tensor([[1, 4, 6]]).expand(4, 3)
    kept = encoder.tokens(groups, keep)
    other = groups._replace(points=groups.points.clone(), centres=groups.centres.clone())
    other.points[:, 0] += 5
    other.centres[:, 2] += 5
    torch.testing.assert_close(encoder.tokens(other, keep), kept)


@pytest.mark.parametrize(
    ("cls", "facts", "options"),
    [
        (PointNet, Facts("image", 9, (3, 8, 8)), {}),
        (PointNet, FACTS, {"depth": ()}),
        (DGCNN, FACTS, {"edges": 64}),
        (PointTransformer, FACTS, {"width": 100}),
        (PointTransformer, FACTS, {"groups": 100}),
    ],
)
def test_mistakes_are_named(cls, facts, options):
    with pytest.raises(TacitError):
        cls(facts, **options)
