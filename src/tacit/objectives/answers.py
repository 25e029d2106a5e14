"""The cross-entropy of a question's answers among all entities, summed without a table of targets."""

from torch import Tensor
from torch.nn.functional import embedding_bag

from tacit.numerics.exact import full_precision


def answered(questions: Tensor, entities: Tensor, answers: Tensor, offsets: Tensor) -> Tensor:
    """−Σ over questions of the mean log-probability of their answers: m × d, E × d, answers one after another -> scalar.

    The softmax over all entities of the inner products ("KvsAll" with cross-entropy: Ruffinelli et al. 2020, "You CAN teach an
    old dog new tricks", section 2). The answers of question i begin at offsets[i].
    """
    with full_precision():
        likeness = questions.float() @ entities.float().T
        middle = embedding_bag(answers, entities.float(), offsets, mode="mean")
        return (likeness.logsumexp(1) - (questions * middle).sum(1)).sum()
