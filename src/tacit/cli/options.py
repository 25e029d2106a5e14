"""Options that a command's signature does not name: a method's, a recipe's, a view's, an encoder's, another stream's."""

from collections.abc import Mapping
from typing import Any

from tacit.cli.answer import Usage


def read(options: Mapping[str, str]) -> dict[str, Any]:
    """`{"weight-decay": "1e-4", "crop": "[0.2, 1]"}` -> `{"weight_decay": 1e-4, "crop": [0.2, 1]}`.

    Values are YAML scalars or lists, read safely. Whether a name exists is the library's to say: it knows them all.
    """
    return {name.replace("-", "_"): _value(name, text) for name, text in options.items()}


def _value(name: str, text: str) -> Any:
    import yaml

    try:
        return _numbers(yaml.safe_load(text))
    except yaml.YAMLError:
        raise Usage(f"--{name} is {text!r}; a number, a word or a list such as '[0.2, 1]' was expected.") from None


def _numbers(value: Any) -> Any:
    """YAML 1.1 takes 1e-3 for a word; nobody who types it means one."""
    if isinstance(value, list):
        return [_numbers(item) for item in value]
    if isinstance(value, dict):
        return {name: _numbers(item) for name, item in value.items()}
    if isinstance(value, str) and value[:1] in "+-.0123456789" and value:
        try:
            return float(value)
        except ValueError:
            return value
    return value
