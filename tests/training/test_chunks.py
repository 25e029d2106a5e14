"""Gradient caching: a batch in chunks has the gradients of the whole batch, whatever is drawn, in whatever precision."""

import copy
from dataclasses import replace

import pytest
import torch
from torch import nn

from tacit.check import IMAGES, PARTS, VECTORS, Case, Toy, same_state, several_steps, vectors
from tacit.errors import TacitError
from tacit.method import Batch
from tacit.methods import find
from tacit.training import chunks, turns
from tacit.training.chunks import chunked
from tests.contracts import probes

N, ROWS = 37, 8


class Drawing(nn.Module):
    """An encoder without batch statistics; where it has dropout, twice."""

    dim = 12

    def __init__(self, drop=0.0):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(9, 32), nn.Dropout(drop), nn.GELU(), nn.Dropout(drop), nn.Linear(32, 12))

    def forward(self, x):
        return self.net(x)


def method(key, drop=0.0, kind=torch.float64, **options):
    torch.manual_seed(0)
    return find(key)(Drawing(drop), **options).to(kind)


def batch(kind=torch.float64):
    g = torch.Generator().manual_seed(1)
    return Batch([torch.randn(N, 9, generator=g).to(kind) for _ in range(2)], torch.arange(N))


def gradients(trained, rows, autocast=False):
    torch.manual_seed(2)
    with chunked(trained, rows):
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            loss = trained.step(batch(next(trained.parameters()).dtype))
        loss = turns.add(loss, "", {}, 1)
        loss.backward()
    return loss.detach(), {name: p.grad for name, p in trained.named_parameters() if p.grad is not None}


SMALL = {"simclr": {}, "dcl": {}, "vicreg": {"dim": 16}, "barlow_twins": {"dim": 16}, "byol": {"hidden": 16, "dim": 8}}


@pytest.mark.parametrize("key", SMALL)
@pytest.mark.parametrize("rows", [1, ROWS, N])
def test_gradients_are_those_of_the_whole_batch(key, rows):
    one = method(key, **SMALL[key])
    two = copy.deepcopy(one)
    loss, whole = gradients(one, 0)
    again, cut = gradients(two, rows)
    torch.testing.assert_close(again, loss, rtol=1e-12, atol=1e-12)
    assert whole.keys() == cut.keys()
    largest = max(float(gradient.abs().max()) for gradient in whole.values())
    for name, gradient in whole.items():
        torch.testing.assert_close(cut[name], gradient, rtol=1e-9, atol=1e-12 * max(largest, 1))


@pytest.mark.parametrize("autocast", [False, True])
def test_what_was_drawn_is_drawn_again(autocast, monkeypatch):
    """Dropout, and bfloat16: to the bit what the same chunks give that are held."""
    one = method("simclr", 0.5, torch.float32)
    two, three = copy.deepcopy(one), copy.deepcopy(one)
    loss, cut = gradients(one, ROWS, autocast)
    monkeypatch.setattr(chunks, "checkpoint", lambda call, *given, use_reentrant, context_fn, **named: call(*given, **named))
    same, held = gradients(two, ROWS, autocast)
    assert loss == same
    assert all(torch.equal(held[name], gradient) for name, gradient in cut.items())
    assert not torch.equal(gradients(three, 0, autocast)[0], loss)  # the whole batch draws otherwise


def test_bfloat16_is_near_the_whole_batch():
    one = method("simclr", kind=torch.float32)
    two, exact = copy.deepcopy(one), copy.deepcopy(one)
    _, right = gradients(exact, 0)
    off = []
    for trained, rows in ((one, 0), (two, ROWS)):
        _, found = gradients(trained, rows, autocast=True)
        off.append(float(sum((found[k] - v).square().sum() for k, v in right.items()).sqrt()))
    assert off[1] <= 1.5 * off[0]  # as far from float32 as the whole batch in bfloat16


def test_what_is_held_is_less():
    """Of the encoder's activations those of the chunks are not kept for the backward."""

    def kept(rows):
        trained, sizes = method("simclr"), []
        with (
            chunked(trained, rows),
            torch.autograd.graph.saved_tensors_hooks(lambda x: sizes.append(x.numel()) or x, lambda x: x),
        ):
            trained.step(batch())
        return sum(sizes)

    assert kept(0) - kept(ROWS) > 2 * N * (9 + 32 + 32) * 0.7  # of both views: the content, and behind both layers


class Normalised(Drawing):
    """With a norm over the batch."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(12)

    def forward(self, x):
        return self.norm(super().forward(x))


def test_statistics_of_norms_move_once_for_a_chunk():
    torch.manual_seed(0)
    trained = find("simclr")(Normalised()).double()
    gradients(trained, ROWS)
    assert int(trained.encoder.norm.num_batches_tracked) == 2 * 5
    expected = nn.BatchNorm1d(12).double()
    with torch.no_grad():
        for view in batch():
            for part in view.split([7, 7, 8, 7, 8]):
                expected(trained.encoder.net(part))
    torch.testing.assert_close(trained.encoder.norm.running_mean, expected.running_mean)


def test_a_norm_is_told_of_and_one_sample_refused(capsys):
    trained = find("simclr")(Normalised())
    assert chunks.normalising(trained) and not chunks.normalising(method("simclr"))
    with pytest.raises(TacitError, match="--chunk 1 gives it one at a time"), chunked(trained, 1):
        pass


DECODER = {"decoder_width": 32, "decoder_depth": 1, "decoder_heads": 2}


@pytest.mark.parametrize(
    ("key", "toy"),
    [
        ("simclr", Toy(vectors, {**VECTORS.options, "depth": 0})),
        ("moco_v2", Toy(vectors, {**VECTORS.options, "depth": 0})),
        ("mae", Toy(IMAGES.data, {"batch": 64, "epochs": 1, "patch": 4, "width": 64, "depth": 1, "heads": 2, **DECODER})),
    ],
)
def test_trainings_in_chunks_equal_those_of_the_whole_batch(key, toy):
    whole, cut = (several_steps(find(key), replace(toy, options={**toy.options, "chunk": c})) for c in (0, 24))
    assert whole["losses"] == pytest.approx(cut["losses"], rel=1e-5)
    same_state(whole["state"], cut["state"], 1e-5, "in chunks")


def test_two_processes_in_chunks_equal_one(pair):
    toy = Toy(vectors, {**VECTORS.options, "depth": 0})
    whole = several_steps(find("simclr"), toy)
    both = pair.run(several_steps, find("simclr"), replace(toy, options={**toy.options, "chunk": 12}), patience=600)
    first, second = sorted(both, key=lambda found: -len(found["losses"]))  # the first process alone keeps a log
    assert first["losses"] == pytest.approx(whole["losses"], rel=1e-5)
    same_state(whole["state"], first["state"], 1e-5, "two processes in chunks")
    same_state(whole["state"], second["state"], 1e-5, "two processes in chunks")


def test_calls_of_its_own_are_cut_and_what_only_has_such_a_name_stays():
    trained = method("simclr")
    trained.encoder.maps, trained.encoder.tokens = 3, len
    with chunked(trained, ROWS), pytest.raises(TacitError, match="does not answer with a row per sample"):
        assert trained.encoder.maps == 3
        trained.encoder.tokens(torch.zeros(N, 9))
    assert trained.encoder.tokens is len


def test_two_parts_each_have_an_encoder_in_chunks():
    case = Case(probes.Curved, replace(PARTS, options={**PARTS.options, "chunk": 8}))
    found = chunks.encoders(case.first_stage().method)
    assert {type(one).__name__ for one in found} >= {"DualEncoder", "MLPEncoder"}


def test_what_is_one_whole_is_refused():
    from tacit.check import NODES

    with pytest.raises(TacitError, match=r"GraphView.*is one whole; leave --chunk out"):
        Case(find("simclr"), replace(NODES, options={**NODES.options, "chunk": 8})).train(steps=1)
    with pytest.raises(TacitError, match="differentiates through a gradient"), chunked(probes.Origin(), 8):
        pass


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 15, 36])
@pytest.mark.parametrize("n", [7, 37, 256])
def test_no_chunk_is_left_with_one_sample(n, rows):
    seen = []

    class Counting(nn.Module):
        dim = 9

        def forward(self, x):
            seen.append(len(x))
            return x

    encoder = Counting()
    with chunked(find("simclr")(encoder), rows), torch.no_grad():
        x = torch.randn(n, 9)
        assert torch.equal(encoder(x), x)
    assert sum(seen) == n and max(seen) - min(seen) <= 1 and (rows == 1 or min(seen) > 1)
    assert max(seen) <= max(rows, 3 if rows == 2 else rows)
