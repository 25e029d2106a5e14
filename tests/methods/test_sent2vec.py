"""sent2vec: the kernel is compared with the official steps in tests/numerics/test_cbow.py."""

from types import SimpleNamespace

import pytest
import torch

from tacit.data.text.generated import topics
from tacit.encoders.ngrams import AveragedNGrams
from tacit.errors import TacitError
from tacit.method import Batch, Facts
from tacit.methods.cooccurrence.sent2vec import Sent2Vec
from tacit.parts import corpus

TEXTS = topics(200)
TEXTS = TEXTS.fitted(TEXTS.facts())
FACTS = Facts("text", 200, (40, TEXTS.facts()["vocabulary"]), {"seen": "1"})


@pytest.fixture(autouse=True)
def short_chunks(monkeypatch):
    monkeypatch.setattr(corpus, "WORDS", 3000)


def built(**options):
    torch.manual_seed(0)
    made = Sent2Vec(AveragedNGrams(FACTS, width=8, buckets=500), passes=3, **options)
    made.prepare(FACTS)
    return made


def steps(method, most=10**9):
    """So many chunks of its solve, as the loop seeds it."""
    torch.manual_seed(1)
    samples = SimpleNamespace(source=SimpleNamespace(samples=TEXTS), device=torch.device("cpu"))
    with torch.no_grad():
        for done, _ in enumerate(method.solve(samples), 1):
            if done == most:
                return done
    return done


def test_what_is_interrupted_goes_on_as_if_nothing_had_been():
    whole, first, second = built(), built(), built()
    assert steps(whole) > 2
    steps(first, 2)
    second.load_state_dict(first.state_dict())
    steps(second)
    for name, value in whole.state_dict().items():
        assert torch.equal(value, second.state_dict()[name]), name
    assert int(whole.done) == 600


def test_rare_words_are_in_contexts_and_not_told():
    method, fresh = built(least=10**6), built()
    steps(method)
    assert torch.equal(method.encoder.rows, fresh.encoder.rows) and not method.targets.any()
    method = built(least=0)
    steps(method)
    assert (method.encoder.rows[1:] != fresh.encoder.rows[1:]).any(1).float().mean() > 0.3 and method.targets.any()
    assert (method.encoder.rows[0] != fresh.encoder.rows[0]).any()  # of the word that is told


def test_it_represents_by_the_mean_alone():
    method = built()
    x = torch.tensor([[3, 5, 0], [4, 0, 0]])
    assert torch.equal(method.represent(Batch([x], torch.arange(2))), method.encoder(x))


def test_mistakes_are_named():
    with pytest.raises(TacitError, match="0 or more"):
        built(dropped=-1)
    with pytest.raises(TacitError, match="noises"):
        built(noises=0)
