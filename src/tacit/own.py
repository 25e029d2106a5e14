"""Methods and encoders of one's own, by import path."""

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType


def imported(module: str) -> ModuleType:
    """A user's module, which may lie in the current folder, as by `python -m tacit`; what is installed comes first.

    The folder is looked into for such a module alone: one called `ray` that holds data stands for no library.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        root, here = module.partition(".")[0], Path.cwd()
        if error.name != root or not ((here / f"{root}.py").is_file() or (here / root).is_dir()):
            raise
    sys.path.append(str(here))  # and stays: it may import its neighbours later
    return import_module(module)
