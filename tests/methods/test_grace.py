"""GRACE against the official code (CRIPAC-DIG/GRACE@700be33, model.py: projection, sim, semi_loss), whose loss and norms of
gradients on these tensors and weights these are."""

import pytest
import torch

from tacit.methods.contrast.grace import GRACE
from tests.methods.fixed import Identity, fill, matrix_gradients, views

OFFICIAL = {
    0.4: (2.707069158554077, [0.02528383955359459, 0.019729847088456154]),
    0.9: (2.7066726684570312, [0.007377335336059332, 0.008480027318000793]),
}


@pytest.mark.parametrize("temperature", OFFICIAL)
def test_loss_and_gradient_are_those_of_the_official_code(temperature):
    method = GRACE(Identity(), dim=4, temperature=temperature)
    fill(method.projector.parameters())
    loss = method.step(views(0.3, 0.5))
    loss.backward()
    wanted, norms = OFFICIAL[temperature]
    assert loss.item() == pytest.approx(wanted, rel=1e-5)
    assert matrix_gradients(method.projector) == pytest.approx(norms, rel=1e-3)


def test_the_published_corruptions_reach_the_views():
    import numpy as np

    from tacit.data.networks.generated import communities
    from tacit.views import Program
    from tacit.views.graph import GraphViews

    given = communities(200)
    program = Program(GRACE.views, GraphViews.fit(given.facts() | given.statistics()))
    whole, index = given.read(np.arange(200))[0], np.arange(200)
    kept, bare = np.zeros(2), np.zeros(2)
    for key in range(40):
        looks, _ = program(whole, index, key)
        kept += [look.edge_index.shape[1] / given.graph.edges / 40 for look in looks]
        bare += [float((look.raw() == 0).all(0).float().mean()) / 40 for look in looks]
    assert np.abs(kept - [0.8, 0.6]).max() < 0.02 and np.abs(bare - [0.3, 0.4]).max() < 0.03
    assert torch.equal(looks[0].rows, looks[1].rows)
