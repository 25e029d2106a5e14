"""Tacit learns from data that nobody labelled: from a folder of things to an encoder, to numbers that say how good it is.

Every public name is resolved when it is first asked for, so that `import tacit` costs nothing and imports no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tacit.applying.clustering import cluster as cluster
    from tacit.applying.curating import curate as curate
    from tacit.applying.embedding import embed as embed
    from tacit.applying.fitting import fit as fit
    from tacit.applying.keeping import table as table
    from tacit.applying.predicting import predict as predict
    from tacit.applying.searching import search as search
    from tacit.applying.searching import search_all as search_all
    from tacit.check import check_method as check_method
    from tacit.data import known as known
    from tacit.data import open as open
    from tacit.data.inspecting import inspect as inspect
    from tacit.demo_story import demo as demo
    from tacit.describing import catalogue as catalogue
    from tacit.describing import describe as describe
    from tacit.embeddings.read import Table as Table
    from tacit.errors import TacitError as TacitError
    from tacit.evaluation.comparison import Evaluation as Evaluation
    from tacit.explorer.exploring import explore as explore
    from tacit.exporting.export import export as export
    from tacit.few_labels.saved import Head as Head
    from tacit.judging.adapting import regimes as regimes
    from tacit.judging.comparing import compare as compare
    from tacit.judging.diagnosing import doctor as doctor
    from tacit.judging.dissecting import dissect as dissect
    from tacit.judging.evaluating import evaluate as evaluate
    from tacit.method import Batch as Batch
    from tacit.method import Facts as Facts
    from tacit.method import Method as Method
    from tacit.method import Paper as Paper
    from tacit.method import Plan as Plan
    from tacit.method import Ragged as Ragged
    from tacit.method import Recipe as Recipe
    from tacit.method import Stage as Stage
    from tacit.method import Stop as Stop
    from tacit.pretraining import pretrain as pretrain
    from tacit.previewing import preview as preview
    from tacit.reproducing import reproduce as reproduce
    from tacit.run import Run as Run
    from tacit.serving.serve import serve as serve

# The table of contents: where each public name lives, as "module" or "module:name" where the name differs there.
# No name may be that of a subpackage: importing the subpackage would put it in the name's place.
CONTENTS = {
    # the verbs, in the order in which they are used
    "demo": "tacit.demo_story",
    "inspect": "tacit.data.inspecting",
    "preview": "tacit.previewing",
    "pretrain": "tacit.pretraining",
    "evaluate": "tacit.judging.evaluating",
    "regimes": "tacit.judging.adapting",
    "dissect": "tacit.judging.dissecting",
    "compare": "tacit.judging.comparing",
    "doctor": "tacit.judging.diagnosing",
    "embed": "tacit.applying.embedding",
    "search": "tacit.applying.searching",
    "search_all": "tacit.applying.searching",
    "cluster": "tacit.applying.clustering",
    "explore": "tacit.explorer.exploring",
    "table": "tacit.applying.keeping",
    "curate": "tacit.applying.curating",
    "fit": "tacit.applying.fitting",
    "predict": "tacit.applying.predicting",
    "serve": "tacit.serving.serve",
    "export": "tacit.exporting.export",
    "catalogue": "tacit.describing",
    "describe": "tacit.describing",
    "reproduce": "tacit.reproducing",
    # what they give and take
    "Run": "tacit.run",
    "Evaluation": "tacit.evaluation.comparison",
    "Table": "tacit.embeddings.read",
    "Head": "tacit.few_labels.saved",
    "open": "tacit.data",
    "known": "tacit.data",
    "TacitError": "tacit.errors",
    # for writing a method
    "Method": "tacit.method",
    "Batch": "tacit.method",
    "Paper": "tacit.method",
    "Recipe": "tacit.method",
    "Stage": "tacit.method",
    "Plan": "tacit.method",
    "Stop": "tacit.method",
    "Facts": "tacit.method",
    "Ragged": "tacit.method",
    "check_method": "tacit.check",
}

__all__ = [*CONTENTS]


def __getattr__(name: str) -> Any:
    if name not in CONTENTS:
        raise AttributeError(f"module 'tacit' has no attribute {name!r}")
    module, _, there = CONTENTS[name].partition(":")
    value = getattr(import_module(module), there or name)
    globals()[name] = value  # asked once
    return value


def __dir__() -> list[str]:
    return sorted(CONTENTS)
