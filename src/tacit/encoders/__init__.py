"""Encoders by name: small native ones, any of timm's, or a user's own class.

small_resnet             a native one; `names("image")` lists them, `options(name)` what can be set
timm/resnet18            any model of timm
package.module:Class     a user's: called with the facts if it needs an argument, else with nothing; has an int `dim`
"""

import inspect
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any, Protocol

import torch
from torch import nn

from tacit.errors import TacitError, unknown
from tacit.method import Encoder, Facts, Tokens
from tacit.modalities import MODALITIES
from tacit.numerics import counter
from tacit.own import imported

TIMM = "timm/"
Name = str | type[nn.Module]  # how an encoder can be asked for


def factory(name: Name, facts: Facts, seed: int, **options: Any) -> Callable[..., nn.Module]:
    """A function that builds a fresh encoder each time it is called.

    Call number i draws its weights from `counter.key(seed, "encoder", i)`: other weights in each call, the same in each
    run; torch's own generator is as it was. A call that is given a number is not counted.
    What is misspelt is said here, not at the first call.
    """
    checked = _checked_options(name, options)
    _refuse_other_kind(name, facts)
    calls = count()

    def fresh(number: int | None = None) -> nn.Module:
        with torch.random.fork_rng(devices=[]):  # weights are drawn on the CPU
            torch.default_generator.manual_seed(counter.key(seed, "encoder", next(calls) if number is None else number))
            return build(name, facts, **checked)

    return fresh


def build(name: str | type[nn.Module], facts: Facts, **options: Any) -> nn.Module:
    """One encoder, its weights drawn from torch's generator as it stands, and in float32 whatever a checkpoint held them in.

    The precision of a run says in what products are taken, not in what weights are kept: small steps would be rounded away.
    """
    make = _maker(name)
    takes = inspect.signature(make).parameters.values()
    needed = [p.name for p in takes if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    if len(needed) > 1:
        raise TacitError(
            f"The encoder {_spoken(name)} needs {', '.join(needed)}; an encoder is made from the facts or from nothing."
        )
    return _ready(make(facts, **options) if needed else make(**options), _spoken(name))


def names(kind: str, wants: type = Encoder) -> list[str]:
    """The native encoders for a kind of data that offer what a method wants."""
    native = MODALITIES[kind].encoders if kind in MODALITIES else {}
    return [name for name, where in native.items() if _asked(wants) <= _offered(_imported(where))]


def options(name: Name) -> dict[str, inspect.Parameter]:
    """What can be set of an encoder: the keyword-only parameters with defaults of what builds it."""
    parameters = inspect.signature(_maker(name)).parameters
    return {n: p for n, p in parameters.items() if p.kind is p.KEYWORD_ONLY and p.default is not p.empty}


def default(facts: Facts, device_type: str, wants: type = Encoder) -> str:
    """The encoder to take when the user named none, from the data, the machine ("cpu" or "cuda") and what the method wants."""
    return _choice(facts, device_type, wants)[0]


def why(facts: Facts, device_type: str, wants: type = Encoder) -> str:
    """The reason for `default`'s choice in one sentence."""
    return _choice(facts, device_type, wants)[1]


def satisfies(encoder: nn.Module, wants: type) -> bool:
    """Whether an encoder offers all that a protocol of `tacit.method` (or one joined from several) asks for."""
    return all(hasattr(encoder, member) for member in _asked(wants))


def require(encoder: nn.Module, wants: type, kind: str) -> None:
    """Refuse an encoder that lacks what a method wants, naming those for this kind of data that have it."""
    if satisfies(encoder, wants):
        return
    lacking = sorted(member for member in _asked(wants) if not hasattr(encoder, member))
    raise TacitError(
        f"This method wants {wants.__name__} and the encoder {type(encoder).__name__} has no {' and no '.join(lacking)}; "
        f"{_instead(kind, wants)}."
    )


def _choice(facts: Facts, device_type: str, wants: type) -> tuple[str, str]:
    """Name and reason."""
    able = names(facts.kind, wants)
    if not able:
        raise TacitError(
            f"No encoder for data of kind {facts.kind!r} offers {wants.__name__}, which this method wants; "
            f"{_instead(facts.kind, wants)}."
        )
    if facts.kind != "image":
        return able[0], f"{able[0]}, since the data are of kind {facts.kind}"
    side, tokens = max(facts.shape[1:], default=0), _asked(wants) >= _asked(Tokens)
    whose = "the method wants one vector per patch" if tokens else "it is cheap to train"
    if device_type != "cuda":
        return able[0], f"{able[0]}, since {whose}, on a machine without a GPU"
    if tokens:
        if side <= 64 or any(length % 16 for length in facts.shape[1:]):
            return able[0], f"{able[0]}, since {whose} and images are of {side} pixels"
        return "timm/vit_small_patch16_224", f"timm/vit_small_patch16_224, since {whose}, on a GPU"
    if side <= 64:
        return "timm/resnet18", f"timm/resnet18 with a stem for small images, since they are of {side} pixels, on a GPU"
    return "timm/resnet50", f"timm/resnet50, since images are of {side} pixels, on a GPU"


def _instead(kind: str, wants: type) -> str:
    """What to do where an encoder does not offer what is wanted."""
    able = names(kind, wants)
    if kind == "image" and _asked(wants) <= {"dim", "tokens", "maps"}:
        able.append("timm/vit_tiny_patch16_224")
    if able:
        return f"take {' or '.join(able)}"
    for_others = [other for other in MODALITIES if names(other, wants)]
    if for_others:
        return f"give data of kind {' or '.join(for_others)}"
    return "give module:Class, of your own, that does"


def _maker(name: str | type[nn.Module]) -> Callable[..., nn.Module]:
    """What builds the encoder of this name: takes the facts, or nothing, and options."""
    if not isinstance(name, str):
        return _module_class(name, name.__name__)
    if name.startswith(TIMM):
        from tacit.encoders.timm_models import refuse_unknown, timm_encoder

        refuse_unknown(name.removeprefix(TIMM))

        def make(facts: Facts, *, pretrained: bool = False, small_stem: str = "auto") -> nn.Module:
            return timm_encoder(name.removeprefix(TIMM), facts, pretrained=pretrained, small_stem=small_stem)

        return make
    return _imported(_natives().get(name, name))


def _imported(where: str) -> type[nn.Module]:
    """The class at "package.module:Class"."""
    module, colon, attribute = where.partition(":")
    if not colon:
        raise unknown("encoder", where, _natives())
    try:
        found = imported(module)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise  # the user's module is there and lacks one of its own
        raise TacitError(
            f"There is no module {module!r} for the encoder {where!r}; install it or put its folder on PYTHONPATH."
        ) from error
    if not hasattr(found, attribute):
        classes = [n for n, value in vars(found).items() if isinstance(value, type) and issubclass(value, nn.Module)]
        raise unknown(f"class in {module} called", attribute, classes)
    return _module_class(getattr(found, attribute), where)


def _module_class(found: Any, name: str) -> type[nn.Module]:
    if not (isinstance(found, type) and issubclass(found, nn.Module)):
        raise TacitError(
            f"The encoder {name} is a {type(found).__name__} and no torch.nn.Module; name a class that derives from it."
        )
    return found


def _checked_options(name: str | type[nn.Module], given: Mapping[str, Any]) -> dict[str, Any]:
    known, checked = options(name), {}
    for option, value in given.items():
        if option not in known:
            raise unknown(f"option of {_spoken(name)} called", option, known)
        checked[option] = _as_wanted(option, value, known[option].default)
    return checked


def _as_wanted(option: str, value: Any, like: Any) -> Any:
    """A value of the type of the default; lists from YAML and single numbers become tuples where it is one."""
    if isinstance(like, tuple):
        value = tuple(value) if isinstance(value, (list, tuple)) else (value,)
        fits = all(type(one) is type(like[0]) for one in value) if like else True
    else:
        fits = type(value) is type(like) or (type(like) is float and type(value) is int) or like is None
    if not fits:
        raise TacitError(f"{option} is {value!r}, and a value such as {like!r} is wanted; give one of that kind.")
    return value


def _refuse_other_kind(name: str | type[nn.Module], facts: Facts) -> None:
    native = [kind for kind, home in MODALITIES.items() if _spoken(name) in home.encoders]
    kinds = ["image"] if _spoken(name).startswith(TIMM) else native
    if kinds and facts.kind not in kinds:
        raise TacitError(
            f"{name} encodes data of kind {' or '.join(kinds)} and these are of kind {facts.kind}; "
            f"{_instead(facts.kind, Encoder)}."
        )


def _ready(module: nn.Module, name: str) -> nn.Module:
    dim = getattr(module, "dim", None)
    if not isinstance(dim, int) or isinstance(dim, bool) or dim < 1:
        raise TacitError(f"The encoder {name} has dim {dim!r}; set self.dim to the whole number of values it gives per sample.")
    return module.float()


def _asked(protocol: type) -> set[str]:
    """The members that a protocol asks for."""
    own = [base for base in protocol.__mro__ if getattr(base, "_is_protocol", False) and base is not Protocol]
    return {n for base in own for n in (*vars(base), *inspect.get_annotations(base)) if not n.startswith("_")}


def _offered(cls: type) -> set[str]:
    """The members that every encoder of a class has: its methods and what it declares."""
    return {*dir(cls), *inspect.get_annotations(cls)}


def _natives() -> dict[str, str]:
    return {name: where for home in MODALITIES.values() for name, where in home.encoders.items()}


def _spoken(name: str | type[nn.Module]) -> str:
    return name if isinstance(name, str) else name.__name__
