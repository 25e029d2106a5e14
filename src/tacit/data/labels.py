"""Labels as a source writes them, as numbers of classes."""

from collections.abc import Sequence

import numpy as np

from tacit.errors import TacitError


def numbered(values: np.ndarray, source: str, names: Sequence[str] | None = None) -> tuple[np.ndarray, tuple[str, ...]]:
    """One whole number or one name per sample -> labels (int64) and classes; negative numbers and empty names are −1.

    Where the source names its classes, numbers are their positions; else classes are the values that occur, sorted.
    """
    known = values >= 0 if values.dtype.kind == "i" else values != ""
    labels = np.full(len(values), -1, np.int64)
    if names is not None and values.dtype.kind == "i":
        if values.max(initial=-1) >= len(names):
            raise TacitError(f"{source} names {len(names)} classes and has a label {values.max()}; name every class.")
        labels[known] = values[known]
        return labels, tuple(str(name) for name in names)
    found, labels[known] = np.unique(values[known], return_inverse=True)
    return labels, tuple(str(value) for value in found)


def told_apart(texts: Sequence[str]) -> np.ndarray:
    """Labels that were written as text: whole numbers (empty ones −1) where all are written as such, else names.

    "01" is a name, for as a number it would be the class "1".
    """
    array = np.array([text.strip() for text in texts], np.str_)
    given = array[array != ""]
    try:
        numbers = given.astype(np.int64)
    except (ValueError, OverflowError):
        return array
    if (numbers.astype(np.str_) != given).any():
        return array
    values = np.full(len(array), -1, np.int64)
    values[array != ""] = numbers
    return values
