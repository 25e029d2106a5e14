"""Where it was published."""

from tacit.method import Paper

PAPER = Paper(
    "Attention-based Dynamic Subspace Learners for Medical Image Analysis",
    "Adiga, Dolz, Lombaert",
    2022,
    "arXiv:2206.09068",
)
