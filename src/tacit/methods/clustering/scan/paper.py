"""Where SCAN was published: said once for its three trainings."""

from tacit.method import Paper

PAPER = Paper(
    "SCAN: Learning to Classify Images without Labels",
    "Van Gansbeke, Vandenhende, Georgoulis, Proesmans, Van Gool",
    2020,
    "arXiv:2005.12320",
)
