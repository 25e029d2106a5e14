"""The toys of methods that the standard one does not fit: by key, what `check_method` is to use in its place."""

from dataclasses import replace

from tacit.check import Toy

TOYS: dict[str, Toy] = {}


def toy(key: str) -> Toy | None:
    """The toy of a method; None where the standard one fits."""
    return TOYS.get(key)


def but(base: Toy, **options) -> Toy:
    """The same toy with some options changed."""
    return replace(base, options={**base.options, **options})
