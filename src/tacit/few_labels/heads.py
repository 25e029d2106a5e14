"""The heads by name: those on frozen embeddings, and those that train a copy of the encoder too."""

from collections.abc import Callable

import numpy as np
from torch import Tensor, nn

from tacit.evaluation.labelled.fine_tuning import Part, Tuned
from tacit.few_labels import core_tuning, finetune, probe, prototypes, sea
from tacit.few_labels.affine import Affine

FitFrozen = Callable[[Tensor, Tensor, int], Affine]  # embeddings n × d, labels int64 0…C−1, n, a seed
FitTuned = Callable[[nn.Module, Part, np.ndarray, int, int], Tuned]  # an encoder, a part, rows of it, steps, a seed

FROZEN: dict[str, FitFrozen] = {"prototypes": prototypes.fit, "probe": probe.fit, "sea": sea.fit}
TUNED: dict[str, FitTuned] = {"finetune": finetune.fit, "core_tuning": core_tuning.fit}
