"""The eleven probes keep the whole contract: they learn, resume bit-equal after a kill, and two processes equal one."""

import inspect

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tacit.check import IMAGES, PARTS, VECTORS, Case, Toy, check_method, vectors
from tacit.data.generated import clusters, glyphs
from tacit.data.opening import open as open_source
from tacit.method import Method
from tests.contracts import probes


def ring():
    """Two-dimensional samples around two centres: what a generator must imitate."""
    torch.manual_seed(0)
    side = torch.randint(2, (1024, 1)) * 4.0 - 2
    return open_source((side * torch.tensor([1.0, 0.5]) + 0.3 * torch.randn(1024, 2)).numpy())


def low_rank():
    """Sixteen numbers that four hidden ones explain."""
    torch.manual_seed(0)
    return open_source((torch.randn(1024, 4) @ torch.randn(4, 16) + 0.1 * torch.randn(1024, 16)).numpy())


def imitation(case, trained):
    """Minus the energy distance between real and generated: a quarter of the untrained generator's, and the method's."""
    z = torch.randn(512, trained.method.latent, generator=torch.Generator().manual_seed(1))
    real = trained.embed(how=lambda batch: batch.views[0])
    untrained = case.first_stage().method
    return energy(real, untrained.sample(z)) / 4, energy(real, trained.method.sample(z))


def energy(a, b):
    """Minus the energy distance of two samples."""
    a, b = a.detach(), b.detach()
    return -float(2 * torch.cdist(a, b).mean() - torch.cdist(a, a).mean() - torch.cdist(b, b).mean())


def reconstruction(case, trained):
    """Minus the mean squared error: half that of predicting the mean, which is 1 on standardised data, and the method's."""
    method, x = trained.method, trained.embed(how=lambda batch: batch.views[0])
    return -0.5, -float((method.decoder(method.code(x)) - x).square().mean().detach())


def explained(case, trained):
    """The share of the variance that the best three directions explain: nearly all of it, and what was solved."""
    x = trained.embed(how=lambda batch: batch.views[0])
    best = torch.linalg.svdvals(x)[:3].square().sum()
    return 0.99, float(trained.embed().square().sum() / best)


def retrieved(case, trained):
    """Recall at 1 of the second part given the first, of 200: ten times chance, and the method's."""
    method = trained.method
    a = trained.embed()
    b = trained.embed(how=lambda batch: method.lift(method.encoder.second(batch.views[1])))
    hits = method.score(a[:200], b[:200]).detach().argmax(1) == torch.arange(200)
    return 10 / 200, float(hits.float().mean())


@torch.no_grad()
def found_again(case, trained):
    """How often a place's most similar place in another crop shows the same: a tenth above the untrained, and the method."""
    stage = case.first_stage()
    batch = stage.main.load(np.arange(256), 0)

    def share(method):
        first, second = (F.normalize(method.encoder.maps(view).flatten(2).float(), dim=1) for view in batch)
        side = int(first.shape[2] ** 0.5)
        same = method.same(batch.params, side, side)
        best = torch.einsum("ndi,ndj->nij", first, second).argmax(2, keepdim=True)
        return float(same.gather(2, best)[same.any(2)].float().mean())

    return share(stage.method.eval()) + 0.1, share(trained.method)


def letters():
    return glyphs(1280, size=16)


def shifted():
    return clusters(640, dim=256, seed=0)


def few():
    return clusters(160, dim=256, seed=0)


TOYS = {
    "TwoPlayers": Toy(ring, {"width": 32, "depth": 1}, elsewhere=False, score=imitation),
    "FewLabels": Toy(vectors, VECTORS.options, {"labelled": few}),
    "TwoDomains": Toy(vectors, VECTORS.options, {"other": shifted}),
    "Mined": VECTORS,
    "PlannedBatches": VECTORS,
    "FreshStage": VECTORS,
    "Places": Toy(letters, IMAGES.options, score=found_again, elsewhere=False),
    "Memory": VECTORS,
    "Curved": Toy(PARTS.data, PARTS.options, score=retrieved),
    "Origin": Toy(low_rank, elsewhere=False, score=reconstruction),
    "Solved": Toy(vectors, elsewhere=False, score=explained),
}


@pytest.mark.parametrize("name", TOYS)
def test_probe_keeps_the_contract(name, pair):
    check_method(getattr(probes, name), TOYS[name], pair)


def test_probes_are_tiny_and_all_checked():
    found = {n: c for n, c in vars(probes).items() if isinstance(c, type) and issubclass(c, Method) and c is not Method}
    assert set(found) == set(TOYS)
    lengths = {name: len(inspect.getsource(cls).splitlines()) for name, cls in found.items()}
    assert max(lengths.values()) <= 35, lengths


def test_the_critics_gradient_matters():
    """With a critic that is held as it began, the generator learns to please it and not to imitate."""
    case = Case(probes.TwoPlayers, TOYS["TwoPlayers"], hold={"encoder": 1000, "head": 1000})
    wanted, reached = imitation(case, case.train())
    assert reached < wanted
