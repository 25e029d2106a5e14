"""A method within another."""

from collections.abc import Mapping

Groups = Mapping[str, Mapping[str, float | str]]


def inner_groups(groups: Groups) -> Groups:
    """Groups of a method's parameters, named as one around it has them, which holds it as `inner` and shares its encoder."""
    return {name if name.partition(".")[0] == "encoder" else f"inner.{name}": how for name, how in groups.items()}
