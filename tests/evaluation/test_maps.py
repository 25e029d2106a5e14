"""The map: against scikit-learn's PCA."""

import pytest
import torch
from sklearn.decomposition import PCA

from tacit.errors import TacitError
from tacit.evaluation import maps
from tacit.evaluation.maps import pca_map


def test_equals_pca_of_the_directions(monkeypatch):
    g = torch.Generator().manual_seed(0)
    x = torch.randn(300, 20, generator=g) * 0.7 ** torch.arange(20.0)
    found = pca_map(x)
    expected = PCA(2).fit_transform(torch.nn.functional.normalize(x, dim=1).numpy())
    for axis in (0, 1):
        assert abs(float(torch.corrcoef(torch.stack([found[:, axis], torch.from_numpy(expected[:, axis])]))[0, 1])) > 0.9999
    assert float(found[:, 0].std()) == pytest.approx(float(expected[:, 0].std(ddof=1)), rel=1e-3)
    monkeypatch.setattr(maps, "ROWS", 64)
    torch.testing.assert_close(pca_map(x), found, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("shape", [(2, 5), (50, 1), (50, 3), (3, 300)])
def test_small_shapes(shape):
    found = pca_map(torch.randn(*shape, generator=torch.Generator().manual_seed(0)))
    assert found.shape == (shape[0], 2) and bool(found.isfinite().all())


def test_equal_embeddings_fall_on_one_point():
    assert float(pca_map(torch.ones(20, 4)).abs().max()) < 1e-5


def test_one_sample():
    with pytest.raises(TacitError, match="at least two"):
        pca_map(torch.ones(1, 4))
