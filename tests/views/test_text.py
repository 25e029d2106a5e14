"""Views of texts: spans, dropped words, phrases in another order, hidden tokens."""

import numpy as np
import pytest
import torch

from tacit.data.text.generated import topics
from tacit.data.text.opening import from_strings
from tacit.errors import TacitError
from tacit.views import Program
from tacit.views.kinds import MaskedTokens, MultiCrop, Pair
from tacit.views.text import TextViews

WORDS = ["alpha beta gamma delta", "epsilon", "zeta eta theta iota kappa lambda mu nu"]
SAMPLES = from_strings(WORDS * 100)
CONTENT, _ = SAMPLES.read(np.arange(300))
VIEWS = TextViews.fit(SAMPLES.facts() | SAMPLES.statistics())
STILL = {"crop": (1.0, 1.0), "drop": 0.0}


def said(view):
    return [text.split() for text in VIEWS.lexicon.said(view)]


def test_plain_is_the_text_itself():
    view, drawn = VIEWS.look(CONTENT, np.arange(300), 0, "plain")
    assert VIEWS.lexicon.said(view) == WORDS * 100 and drawn == {} and VIEWS.shape == (16, len(VIEWS.lexicon.idf) - 1)


def test_a_crop_is_a_span_of_whole_words():
    view, _ = VIEWS.look(CONTENT, np.arange(300), 1, crop=(0.5, 0.5), drop=0.0)
    assert view.shape == (300, 16)
    found = {}
    for shown, text in zip(said(view), WORDS * 100):
        assert " ".join(shown) in text and len(shown) == -(-len(text.split()) // 2)
        found.setdefault(text, set()).add(shown[0])
    assert len(found[WORDS[0]]) == 3  # every span comes
    assert VIEWS.look(CONTENT, np.arange(300), 1, "local", local_crop=(0.2, 0.2), drop=0.0)[0].gt(0).any(1).all()


def test_dropped_words_are_as_many_as_asked_and_one_stays():
    kept = [len(words) for words in said(VIEWS.look(CONTENT, np.arange(300), 2, crop=(1.0, 1.0), drop=0.25)[0])]
    assert min(kept) == 1 and abs(np.mean(kept[2::3]) - 6) < 0.4
    assert {*map(len, said(VIEWS.look(CONTENT, np.arange(300), 2, crop=(1.0, 1.0), drop=1.0)[0]))} == {1}


def test_phrases_change_places_and_stay_whole():
    shown = said(VIEWS.look(CONTENT, np.arange(300), 3, shuffle=4, **STILL)[0])
    first = WORDS[2].split()
    for words in shown[2::3]:
        assert sorted(words) == sorted(first) and all(
            words.index(b) == words.index(a) + 1 for a, b in zip(first[::2], first[1::2])
        )
    assert len({tuple(words) for words in shown[2::3]}) > 10


def test_hidden_tokens_are_told_and_most_are_masked():
    long = from_strings([" ".join(WORDS)] * 400)
    content, _ = long.read(np.arange(400))
    views = TextViews.fit(long.facts() | long.statistics())
    (view,), (drawn,) = Program(MaskedTokens(of={"text": STILL}), views)(content, np.arange(400), 0)
    hidden, original = drawn["hidden"], drawn["original"]
    assert torch.equal(view[~hidden], original[~hidden]) and hidden.any(1).all() and not (hidden & (original == 0)).any()
    share = (view[hidden] == views.lexicon.mask).float().mean()
    assert abs(float(hidden[original > 0].float().mean()) - 0.15) < 0.03 and abs(float(share) - 0.8) < 0.05
    assert (view[hidden] == original[hidden]).float().mean() < 0.2


def test_a_view_depends_on_its_sample_and_key_alone():
    samples = topics(60)
    views = TextViews.fit(samples.facts() | samples.statistics(), shuffle=3)
    whole = views.look(samples.read(np.arange(60))[0], np.arange(60), 5)[0]
    some = np.array([7, 3, 41])
    assert torch.equal(views.look(samples.read(some)[0], some, 5)[0], whole[some])
    assert not torch.equal(views.look(samples.read(some)[0], some, 6)[0], whole[some])


def test_kinds_and_their_shapes():
    views, _ = Program(MultiCrop(small=2), VIEWS)(CONTENT, np.arange(300), 0)
    assert [view.shape for view in views] == [(300, 16)] * 4
    first, second = Program(Pair(of={"text": STILL}), VIEWS)(CONTENT, np.arange(300), 0)[0]
    assert torch.equal(first, second)


def test_raw_is_tf_idf_of_words_hashed():
    samples = from_strings(["red green", "green red red", "blue sky", "unmentionables"])
    facts = samples.facts() | samples.statistics()
    views = TextViews.fit(facts)
    raw = views.raw(views.look(samples.read(np.arange(4))[0], np.arange(4), 0, "plain")[0])
    assert torch.allclose(raw.norm(dim=1), torch.ones(4)) and (raw > 0).sum(1).tolist() == [2, 2, 2, 1]
    expected = torch.tensor([1 + np.log(2), 1.0], dtype=torch.float32)
    assert torch.allclose(raw[0] @ raw[1], (torch.ones(2) @ expected) / (2**0.5 * expected.norm()), atol=1e-5)
    assert float(raw[0] @ raw[2]) == 0


@pytest.mark.parametrize(
    "wrong",
    [{"crop": (0.0, 1.0)}, {"drop": 1.5}, {"longest": 0}, {"mask_ratio": 1.0}, {"shuffle": 0}, {"lexicon": 1}, {"blur": 1}],
)
def test_wrong_options_are_named(wrong):
    with pytest.raises(TacitError, match=next(iter(wrong))):
        VIEWS.but(**wrong)
