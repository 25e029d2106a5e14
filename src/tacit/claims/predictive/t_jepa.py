"""T-JEPA: features of rows predicted from rows, against the rows themselves; and what the register keeps from collapsing."""

from tacit.claims.claim import Claim, Found
from tacit.claims.rows import OnRows
from tacit.methods.predictive.t_jepa import TJEPA

SHARED = {"encoder": "feature_tokens", "width": 32, "depth": 2, "batch": 256, "epochs": 20, "lr": 1e-3, "warmup": 1}
ROWS = 10_000


def rule(found: Found) -> dict[str, bool]:
    return {
        "T-JEPA is above raw columns": found.above("T-JEPA", "raw input"),
        "it is above the untrained encoder": found.above("T-JEPA", "untrained"),
        "it does not collapse": found.mean("T-JEPA", "rankme") > 5,
        "without a register fewer dimensions are in use": found.above("T-JEPA", "T-JEPA, no register", "rankme"),
    }


CLAIM = Claim(
    says="Features predicted in latent space, without augmentation, are above raw columns (perceptron on Adult: .825 to .866), "
    "and a regularisation token keeps them from collapse.",
    here="10,000 rows of adult's training part, feature tokens of 32 in 2 blocks, 20 epochs in batches of 256; a linear probe "
    "in place of a perceptron, fitted on the whole training part, asked about the test part, which is not trained on as "
    "in the paper. Gradient-boosted trees and other data are left out. (A run before, in which one size of context and "
    "targets stood for all batches of an epoch, by a fault that is mended, met three of the four conditions; this one "
    "with three seeds two.)",
    arms={
        "raw input": OnRows(TJEPA, ROWS, SHARED, which="raw input"),
        "untrained": OnRows(TJEPA, ROWS, SHARED, which="untrained encoder"),
        "T-JEPA, no register": OnRows(TJEPA, ROWS, {**SHARED, "registers": 0}),
        "T-JEPA": OnRows(TJEPA, ROWS, SHARED),
    },
    metric="linear",
    seeds=5,
    rule=rule,
    kinds=("table",),
    why="It is level with the untrained encoder (0.0 ± 0.2). Likely Adult leaves no room, since untrained tokens reach 85.9 "
    "and raw columns 85.3 by a linear probe, and 20 epochs of 10 000 rows stand for 300 of all; the paper compares with "
    "raw columns, above which it is here too. No longer run was tried.",
)
