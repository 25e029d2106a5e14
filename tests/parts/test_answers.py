"""Which triples ask what, and what answers it."""

import torch

from tacit.parts.answers import Answers


def test_every_question_is_asked_once_and_has_all_its_answers():
    torch.manual_seed(0)
    triples = torch.cat([torch.randint(5, (60, 1)), torch.randint(3, (60, 1)), torch.randint(5, (60, 1))], 1).unique(dim=0)
    triples = triples[torch.randperm(len(triples))]
    answers = Answers(len(triples))
    answers.learn(triples)
    assert torch.equal(answers.asking(), answers.spans[:, :, 1].sum(0).nonzero()[:, 0])
    for side, (known, asked) in enumerate(((0, 2), (2, 0))):
        wanted: dict[tuple[int, int], set[int]] = {}
        for triple in triples.tolist():
            wanted.setdefault((triple[known], triple[1]), set()).add(triple[asked])
        index = torch.randperm(len(triples))
        rows, given, offsets = answers.of(index, side)
        ends = [*offsets.tolist()[1:], len(given)]
        found = {}
        for row, begin, end in zip(rows.tolist(), offsets.tolist(), ends):
            triple = triples[index[row]].tolist()
            assert (triple[known], triple[1]) not in found
            found[triple[known], triple[1]] = set(given[begin:end].tolist())
        assert found == wanted
