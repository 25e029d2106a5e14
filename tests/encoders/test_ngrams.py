import pytest
import torch

from tacit.encoders.ngrams import AveragedNGrams
from tacit.errors import TacitError
from tacit.method import Facts
from tacit.numerics.cbow import FACTOR

FACTS = Facts("text", 10, (12, 20), {"seen": "1"})


@pytest.mark.parametrize("ngrams", [1, 2, 3])
def test_it_is_the_mean_of_words_and_ngrams(ngrams, monkeypatch):
    monkeypatch.setattr("tacit.encoders.ngrams.TOKENS", 12)  # a text or two at once
    encoder = AveragedNGrams(FACTS, width=8, ngrams=ngrams, buckets=50)
    texts = [[3, 20, 3, 7], [5], [], [1, 1, 2, 9, 9, 4]]
    x = torch.tensor([text + [0] * (6 - len(text)) for text in texts])
    for text, found in zip(texts, encoder(x)):
        rows = list(text)
        for i in range(len(text)):
            h = text[i]
            for j in range(i + 1, min(i + ngrams, len(text))):
                h = h * FACTOR + text[j]
                rows.append(21 + h % 50)
        wanted = encoder.rows[rows].mean(0) if rows else torch.zeros(8)
        torch.testing.assert_close(found, wanted)
    assert encoder(x[:0]).shape == (0, 8)
    torch.testing.assert_close(encoder(torch.nn.functional.pad(x, (0, 3))), encoder(x))


def test_mistakes_are_named():
    with pytest.raises(TacitError, match="ngrams"):
        AveragedNGrams(FACTS, ngrams=0)
    with pytest.raises(TacitError, match="overflows"):
        AveragedNGrams(FACTS, buckets=1 << 32)
    with pytest.raises(TacitError, match="of kind vector"):
        AveragedNGrams(Facts("vector", 10, (4,)))
