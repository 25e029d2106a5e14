import numpy as np

from tacit.data.text.generated import topics
from tacit.parts.sequences import sentences as room
from tacit.parts.sequences.sentences import counted, sentences


def test_sentences_are_the_tokens_of_texts(monkeypatch):
    monkeypatch.setattr(room, "TOGETHER", 7)
    texts = topics(20)
    texts = texts.fitted(texts.facts())
    index = np.array([3, 19, 0])
    found = sentences(texts, index)
    tokens, offsets = texts.read(index)[0]
    for row, start, end in zip(found, offsets, offsets[1:]):
        assert row[row >= 0].tolist() == (tokens[start:end] + 1).tolist() and (row[int(end - start) :] == -1).all()
    words = texts.facts()["vocabulary"] + 1
    everything = texts.read(np.arange(20))[0].tokens.numpy() + 1
    np.testing.assert_array_equal(counted(texts, words), np.bincount(everything, minlength=words))
