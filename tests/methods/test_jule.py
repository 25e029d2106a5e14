"""JULE against jwyang/JULE.torch@69bdfd8; its triplets against a loop, and its periods.

The numbers are of the code's own lines, executed by Torch 7 itself (torch/torch7@814ea4a, nn@8726825, LuaJIT): affinity.lua,
agg_clustering.lua and agg_clustering.c, compiled, through train.lua's updateLabels for PERIODS; train.lua's organize_samples
and cvt2df_do and TripletEmbedding.lua behind nn.Normalize for TRIPLETS, GPU tensors put on the CPU. Neighbours, which it has
from a CUDA program, are sorted squared distances. Each batch has one sample of each other cluster, so that none is left out.
Above 100 clusters mergers were the same where nearness was sought as the code seeks it, which is no test here.
"""

import pytest
import torch
from torch import nn

from tacit.errors import TacitError
from tacit.method import Batch, Facts, Stop
from tacit.methods.clustering.jule import JULE
from tacit.numerics.exact import unit
from tacit.parts.clusters.agglomerative import affinities, agglomerated, chains, merged
from tests.methods.fixed import D, Identity, sine

PERIODS = {  # by the share that merges each time: the cluster of each of 40 samples, 3 at last
    0.2: ["abccdefghadcibeijkabccdeijefghadeigkajha", "abccbefgcabchbehgdabccbehgefgcabehgdagca",
          "abccbeadcabcfbefdcabccbefdeadcabefdcadca", "abaabcadaabaabcadaabaabcadcadaabcadaadaa",
          "abaabaacaabaabaacaabaabaacaacaabaacaacaa"],
    0.5: ["abccdefghadcibeijkabccdeijefghadeigkajha", "abccbeadcabccbecdcabccbecdeadcabecdcadca",
          "abaabaacaabaabaacaabaabaacaacaabaacaacaa"],
    0.9: ["abccdefghadcibeijkabccdeijefghadeigkajha", "abaabaacaabaabaacaabaabaacaacaabaacaacaa"],
}  # fmt: skip
NEAR = {0: {9: 0.461177, 18: 0.461316, 27: 0.335627, 36: 0.384872, 39: 0.639105},
        7: {16: 0.436142, 25: 0.291682, 28: 0.818492, 34: 0.824258, 37: 0.279753}}  # fmt: skip
NEARNESS = 79.031717  # of all pairs together
TRIPLETS = {1.0: 1.24679, 2.0: 4.236635, 1.5: 2.741713}  # by `pull`
GRADIENT = [  # with `pull` 2, of each sample
    [-0.003148, -0.002204, -0.000224, 0.001862, 0.003072, 0.002837],
    [-0.029137, 0.022796, 0.064008, 0.075116, 0.050896, 0.002738],
    [-0.022497, -0.059325, -0.068251, -0.045078, -0.000703, 0.044002],
    [0.064879, 0.043294, 0.001347, -0.041234, -0.064421, -0.05731],
    [0.023279, -0.020635, -0.054845, -0.06326, -0.041923, -0.000869],
    [0.051043, 0.126213, 0.142024, 0.091038, -0.002764, -0.095266],
]


def made(n=24, **options):
    torch.manual_seed(0)
    method = JULE(Identity(), **{"clusters": 2, "dim": 4, "merged_every": 2, "share": 0.5, "neighbours": 5, **options})
    method.prepare(Facts("vector", n))
    return method


def samples():
    return sum(sine(40, D, rate=rate) for rate in (0.7, 1.9, 2.9, 4.3))


def alike(labels):
    return labels[:, None] == labels


def test_affinities_are_the_official_ones():
    found = affinities(unit(samples()), 5)
    for row, near in NEAR.items():
        assert sorted(found[[row]].indices.tolist()) == sorted(near)
        assert [found[row, column] for column in near] == pytest.approx([*near.values()], rel=1e-4)
    assert found.sum() == pytest.approx(NEARNESS, rel=1e-5)


@pytest.mark.parametrize("share", PERIODS)
def test_periods_merge_what_the_official_code_merges(share):
    method, x, said = made(40, clusters=3, merged_every=1, share=share), samples(), None
    method.projector = nn.Identity()
    for row in PERIODS[share]:
        assert said is None
        said = method.before_epoch(lambda how: how(Batch([x], torch.arange(40))))
        assert torch.equal(alike(method.assigned), alike(torch.tensor([*row.encode()])))
    assert isinstance(said, Stop)


@pytest.mark.parametrize("pull", TRIPLETS)
def test_losses_and_gradients_are_the_official_ones(pull):
    """Gradients where the code's in-place products leave those of each sample, brought to length one, as they should be."""
    method, x = made(6, pull=pull, margin=0.2), sine(6, D, rate=0.7).requires_grad_()
    method.projector = nn.Identity()
    method.assigned[:] = torch.tensor([0, 1, 0, 2, 0, 3])
    found = method.step(Batch([x], torch.arange(6)))
    assert found.item() == pytest.approx(TRIPLETS[pull], rel=1e-5)
    (gradient,) = torch.autograd.grad(found, x)
    if pull == 2:
        torch.testing.assert_close(gradient, torch.tensor(GRADIENT), rtol=1e-3, atol=2e-5)


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
