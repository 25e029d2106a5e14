"""JULE: its triplets against a loop, and its periods. Nothing was run against the official code."""

import pytest
import torch

from tacit.errors import TacitError
from tacit.method import Batch, Facts, Stop
from tacit.methods.clustering.jule import JULE
from tacit.numerics.exact import unit
from tacit.parts.clusters.agglomerative import affinities, agglomerated, chains, merged
from tests.methods.fixed import D, Identity, sine


def made(n=24, **options):
    torch.manual_seed(0)
    method = JULE(Identity(), **{"clusters": 2, "dim": 4, "merged_every": 2, "share": 0.5, "neighbours": 5, **options})
    method.prepare(Facts("vector", n))
    return method


def test_triplets_are_all_pairs_of_a_cluster_and_all_others_of_the_batch():
    method, x = made(pull=1.5, margin=0.3), sine(7, D, rate=0.7)
    method.assigned[2:9] = torch.tensor([0, 1, 0, 2, 1, 0, 3])
    labels = method.assigned[2:9]
    z = unit(method.projector(x))
    losses = [
        (1.5 * (z[i] - z[j]).square().sum() - (z[i] - z[k]).square().sum() + 0.3).clamp(min=0)
        for i in range(7)
        for j in range(i + 1, 7)
        for k in range(7)
        if labels[i] == labels[j] != labels[k]
    ]
    found = method.step(Batch([x], torch.arange(7) + 2))
    torch.testing.assert_close(found, torch.stack(losses).mean())
    found.backward()
    assert method.projector.weight.grad.abs().sum() > 0


def test_without_a_pair_nothing_is_lost():
    method = made()
    method.assigned[:5] = torch.arange(5)
    loss = method.step(Batch([sine(5, D, rate=0.7)], torch.arange(5)))
    loss.backward()
    assert float(loss.detach()) == 0 and not method.projector.weight.grad.any()


def test_chains_of_pixels_merge_every_few_epochs_and_at_last_anew():
    method, x = made(), sine(24, D, rate=0.7) + 0.5 * sine(24, D, rate=2.9)
    asked = []

    def embed(how):
        asked.append(how)
        return how(Batch([x], torch.arange(24))).detach()

    assert method.before_epoch(embed) is None
    first = chains(unit(x))
    assert torch.equal(method.assigned, first) and len(asked) == 1
    assert method.before_epoch(embed) is None and len(asked) == 1  # every second epoch
    z, count, labels, said = unit(method.said(Batch([x], None)).detach()), int(first.max()) + 1, first, None
    while said is None:
        times = min(-(-count // 2), count - 2)
        labels, count = merged(affinities(z, 5), labels, times), count - times
        said = method.before_epoch(embed)
        if count > 2:
            assert torch.equal(method.assigned, labels)
            assert method.before_epoch(embed) is None
    assert isinstance(said, Stop) and count == 2
    assert torch.equal(method.assigned, agglomerated(z, 2, 5, 0.5)) and len(method.assigned.unique()) == 2


def test_too_many_clusters_are_refused():
    with pytest.raises(TacitError, match="clusters is 24 of 24 samples"):
        made(clusters=24)
    with pytest.raises(TacitError, match="share is 2"):
        made(share=2.0)
