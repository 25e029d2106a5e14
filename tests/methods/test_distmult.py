"""DistMult: its score and both losses by naive loops, and the softmax keeps the contract too."""

from dataclasses import replace

import pytest
import torch

from tacit.check import Case, check_method
from tacit.errors import TacitError
from tacit.methods.relational.distmult import DistMult
from tests.contracts.toys import TRIPLES, ranked

SOFTMAX = replace(TRIPLES, options={**TRIPLES.options, "questions": 32, "epochs": 20})


def first(toy):
    stage = Case(DistMult, toy).first_stage()
    stage.open_epoch()
    return stage, stage.main.load(stage.main.order(0, stage.plan)[0], 0, 0, stage.plan)


def test_the_score_is_the_sum_of_products():
    stage, batch = first(TRIPLES)
    method, (head, relation, tail) = stage.method, batch.views[0][0].tolist()
    e, r = method.encoder.table.weight.detach(), method.relations.weight.detach()
    own = sum(float(e[head, k] * r[relation, k] * e[tail, k]) for k in range(32))
    assert method.score(batch.views[0])[0].item() == pytest.approx(own, abs=1e-6)
    tails = method.score_tails(*(torch.tensor([at]) for at in (head, relation)))
    heads = method.score_heads(*(torch.tensor([at]) for at in (relation, tail)))
    assert tails.shape == heads.shape == (1, 60)
    assert tails[0, tail].item() == pytest.approx(own, abs=1e-6) == heads[0, head].item()


def test_the_margin_loss_by_a_naive_loop():
    stage, batch = first(TRIPLES)
    method, false = stage.method, batch.params[0]["corrupted"]
    terms = []
    for i, triple in enumerate(batch.views[0]):
        for other in false[i]:
            terms.append(max(0.0, 1 + float(method.score(other)) - float(method.score(triple))))
    assert float(method.step(batch)["ranking"]) == pytest.approx(sum(terms) / len(terms), abs=1e-5)


def test_entities_stay_on_the_sphere():
    method = Case(DistMult, TRIPLES).train(steps=3).method
    torch.testing.assert_close(method.encoder.table.weight.norm(dim=1), torch.ones(60))


def test_the_softmax_asks_every_question_once_in_an_epoch():
    stage, _ = first(SOFTMAX)
    triples = stage.main.source.samples.triples[stage.main.source.samples.rows]
    asked = {side: [] for side in (0, 1)}
    for index in stage.main.order(0, stage.plan):
        assert len(index) <= 32
        for side in (0, 1):
            rows, _, _ = stage.method.answers.of(torch.from_numpy(index), side)
            asked[side] += [tuple(t) for t in triples[index[rows.numpy()]][:, ([0, 1], [2, 1])[side]].tolist()]
    for side in (0, 1):
        assert sorted(asked[side]) == sorted({tuple(t) for t in triples[:, ([0, 1], [2, 1])[side]].tolist()})


def test_the_softmax_loss_by_a_naive_loop():
    stage, batch = first(SOFTMAX)
    method = stage.method
    triples = torch.from_numpy(stage.main.source.samples.triples[stage.main.source.samples.rows])
    total = 0.0
    for side, (known, answer) in enumerate(((0, 2), (2, 0))):
        rows, _, _ = method.answers.of(batch.index, side)
        for h, r, t in batch.views[0][rows].tolist():
            given = (h, t)[side]
            same = triples[(triples[:, known] == given) & (triples[:, 1] == r)][:, answer]
            score = method.score_tails if side == 0 else lambda tail, relation: method.score_heads(relation, tail)
            guess = score(torch.tensor([given]), torch.tensor([r]))[0].log_softmax(0)
            total -= float(guess[same].mean())
    assert float(method.step(batch)) == pytest.approx(total / len(batch), rel=1e-4)


def test_the_softmax_keeps_the_contract(pair):
    check_method(DistMult, replace(SOFTMAX, score=ranked), pair)


def test_mistakes_are_named():
    for wrong in ({"margin": 0}, {"questions": -1}, {"dropped": 1.5}):
        with pytest.raises(TacitError):
            Case(DistMult, TRIPLES, **wrong).first_stage()
