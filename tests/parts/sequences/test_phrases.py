import torch

from tacit.parts.sequences.phrases import phrases


def test_a_text_is_cut_before_each_of_its_words_but_the_first():
    tokens = torch.tensor([[5, 6, 7, 8, 9, 0]]).repeat(300, 1)
    starts = torch.tensor([[True, False, True, True, False, False]]).repeat(300, 1)
    luck = torch.arange(300) / 300
    first, rest = phrases(tokens, starts, luck)
    pairs = {(tuple(a), tuple(b)) for a, b in zip(first.tolist(), rest.tolist())}
    assert pairs == {((5, 6, 0, 0, 0, 0), (7, 8, 9, 0, 0, 0)), ((5, 6, 7, 0, 0, 0), (8, 9, 0, 0, 0, 0))}
    assert int((first[:, 2] == 7).sum()) == 150


def test_a_single_word_is_both_phrases():
    tokens = torch.tensor([[5, 6, 0], [7, 0, 0], [0, 0, 0]])
    first, rest = phrases(tokens, torch.zeros(3, 3, dtype=torch.bool), torch.full((3,), 0.99))
    assert torch.equal(first, tokens) and torch.equal(rest, tokens)
