"""Personalised PageRank against the linear system that it solves."""

import numpy as np

from tacit.data.networks.generated import communities
from tacit.numerics import diffusion


def test_it_solves_the_linear_system(monkeypatch):
    monkeypatch.setattr(diffusion, "PRECISION", 1e-9)
    graph = communities(60).graph
    walk = np.zeros((60, 60))
    walk[graph.sources, graph.indices] = 1
    walk /= walk.sum(1, keepdims=True)
    wanted = 0.2 * np.linalg.inv(np.eye(60) - 0.8 * walk)
    sources, targets, shares = diffusion.diffuse(graph, 0.2, 60)
    got = np.zeros((60, 60))
    got[sources, targets] = shares
    assert np.abs(got - wanted).max() < 1e-5


def test_only_the_most_visited_are_kept():
    graph = communities(60).graph
    all_ = {(s, t): share for s, t, share in zip(*diffusion.diffuse(graph, 0.2, 60))}
    sources, targets, shares = diffusion.diffuse(graph, 0.2, 5)
    assert (np.bincount(sources) == 5).all()
    for node in range(60):
        mine = shares[sources == node]
        others = [share for (s, t), share in all_.items() if s == node and t not in targets[sources == node]]
        assert mine.min() >= max(others)
