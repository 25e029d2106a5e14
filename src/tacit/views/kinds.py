"""How a sample is seen once more: the kinds of view that methods ask for and modalities fill in.

A kind says only how many views there are and whose they are. What a view *is* (a crop, a noisy row, a masked
sentence) is the modality's business, in one file each beside this one. A method that wants something particular of one
modality says so in `of`: `Pair(of={"image": ({"blur": 1.0}, {"blur": 0.1, "solarise": 0.2})})`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any


class Fixed(dict[str, Any]):
    """Options of a view that stay what the method says where the user gives others, as of a target that must be whole."""


@dataclass(frozen=True)
class Seen:
    """One view: whose it is, which part of the sample it shows, and in which role."""

    partner: bool = False  # of the sample itself, or of the partner that a plan named
    part: int = 0  # of a sample with several parts (an image and its caption)
    role: str = "global"  # "global" a random look, "local" a small one, "masked" partly hidden, "plain" as it is


@dataclass(frozen=True)
class View:
    """The base of all kinds; `of[modality]` holds one mapping of options per view, or one for all."""

    of: Mapping[str, Mapping[str, Any] | Sequence[Mapping[str, Any]]] = field(default_factory=dict, kw_only=True)

    def seen(self) -> tuple[Seen, ...]:
        """The views of a batch, in the order in which the batch iterates over them."""
        raise NotImplementedError

    def with_small(self, small: int) -> "View":
        """The same kind with so many small views, where it has any."""
        return self

    def with_patch(self, side: int) -> "View":
        """The same kind for an encoder that cuts images into patches of that side, where patches are hidden."""
        return self


@dataclass(frozen=True)
class Plain(View):
    """The sample as it is, without randomness: what embedding and judging see."""

    def seen(self):
        return (Seen(role="plain"),)


@dataclass(frozen=True)
class Single(View):
    """One random look at each sample."""

    def seen(self):
        return (Seen(),)


@dataclass(frozen=True)
class Values(View):
    """One random look at each sample that is a tensor of numbers, n × …, which the method itself may change or read."""

    def seen(self):
        return (Seen(),)


@dataclass(frozen=True)
class Signal(View):
    """One random look at each sample measured at even steps, n × channels × moments, which the method may transform."""

    def seen(self):
        return (Seen(),)


@dataclass(frozen=True)
class Raster(View):
    """Random looks at each sample that are square pictures, n × channels × side × side, which the method itself may turn or
    change in parts or frequencies; `small` ones are as large as the small views of MultiCrop.
    """

    looks: int = 1
    small: bool = False

    def seen(self):
        return (Seen(role="local" if self.small else "global"),) * self.looks


@dataclass(frozen=True)
class Pair(View):
    """Two independent looks at each sample."""

    def seen(self):
        return (Seen(), Seen())


@dataclass(frozen=True)
class MultiCrop(View):
    """Several looks at most of a sample, then several at small pieces of it (SwAV, section 3.2)."""

    large: int = 2
    small: int = 6

    def seen(self):
        return (Seen(),) * self.large + (Seen(role="local"),) * self.small

    def with_small(self, small: int) -> "MultiCrop":
        """The same with so many small views, of which further ones are wished for as the last is."""
        of = {}
        for name, how in self.of.items():
            each = [how] if isinstance(how, Mapping) else list(how)
            of[name] = each if len(each) == 1 else (each + each[-1:] * small)[: self.large + small]
        return replace(self, small=small, of=of)


@dataclass(frozen=True)
class Masked(View):
    """One random look at each sample of which a part is to be hidden: `params[0]["mask"]` (bool, n × pieces) says what.

    The view itself is whole, since the hidden part is what is to be predicted; a method shows the encoder only the rest,
    `params[0]["keep"]` (int64, n × pieces not hidden): every sample hides equally many. How many, says the modality.
    """

    def seen(self):
        return (Seen(role="masked"),)

    def with_patch(self, side: int) -> "Masked":
        """The same with the patches of images or series that the encoder cuts, unless the method or the user wants others."""
        of = dict(self.of)
        for name in ("image", "series"):
            own = of.get(name, {})
            (how,) = [own] if isinstance(own, Mapping) else own
            of[name] = {"mask_patch": side, **how}
        return replace(self, of=of)


@dataclass(frozen=True)
class MaskedGroups(View):
    """One random look at each sample in groups that lie anywhere, a part of which is to be hidden (patches of a point cloud).

    As Masked, but that the view itself is made of groups (`numerics.points.Groups`), since no grid says where they are.
    """

    def seen(self):
        return (Seen(role="masked"),)


@dataclass(frozen=True)
class MaskedTokens(View):
    """One random look at each text in which some tokens are hidden, unlike Masked in the view itself: others stand in their
    place. `params[0]["hidden"]` (bool, n × tokens) says which, `params[0]["original"]` (int64, n × tokens) what was there.
    """

    def seen(self):
        return (Seen(role="masked"),)


@dataclass(frozen=True)
class Phrases(View):
    """One random look at each text, and in `params[0]["starts"]` (bool, n × tokens) at which tokens words begin: there it may
    be cut.
    """

    def seen(self):
        return (Seen(role="phrases"),)


@dataclass(frozen=True)
class Neighbours(View):
    """A look at each sample and one at its partner, which `before_epoch` named in `Plan(partners=…)`.

    Until a plan names partners, everyone is its own partner. The partner's view is keyed by its anchor.
    """

    def seen(self):
        return (Seen(), Seen(partner=True))


@dataclass(frozen=True)
class NeighbourValues(View):
    """As Neighbours, of samples that are tensors of numbers, n × …, which can be compared as they are."""

    def seen(self):
        return (Seen(), Seen(partner=True))


@dataclass(frozen=True)
class Hyperedges(View):
    """One random look at nodes of a hypergraph, and beside it all hyperedges, also those that the look lacks.

    The look's own incidences are `members` and `edges`, all of them `whole`: what is missing is what is to be told.
    """

    def seen(self):
        return (Seen(),)


@dataclass(frozen=True)
class Paired(View):
    """One look at each of the two parts of a sample (an image and its caption)."""

    def seen(self):
        return (Seen(part=0), Seen(part=1))


@dataclass(frozen=True)
class Corrupted(View):
    """The sample as it is, and in `params[0]["corrupted"]` (n × k × the sample's shape) what was made false of it."""

    def seen(self):
        return (Seen(),)


@dataclass(frozen=True)
class Edited(View):
    """Copies of each sample at known edit distances in one view, those of a sample one after another, the first without edits.

    `params[0]["distance"]` (float32, n × c) says how far each is edited, `params[0]["strong"]` (bool, n × c) which are edited
    all over and not in one place.
    """

    def seen(self):
        return (Seen(role="edited"),)


@dataclass(frozen=True)
class Apart(View):
    """Two random looks at each sample, one some time after the other, drawn together: one view, n × 2 × the sample's shape."""

    def seen(self):
        return (Seen(role="apart"),)


@dataclass(frozen=True)
class Speeds(View):
    """Three random looks at each sample, one view of n × 3 × the sample's shape: the second runs as fast as the first, the
    third shows the same part as the second at another speed. `params[0]["fast"]` (bool, n): whether the first is the faster.
    """

    def seen(self):
        return (Seen(role="speeds"),)


@dataclass(frozen=True)
class Shuffled(View):
    """Pieces of each sample out of order, one view of n × pieces × …; `params[0]["order"]` (int64, n) is the order's number.

    An order and its reverse are one, for which way time runs is often not to be seen.
    """

    def seen(self):
        return (Seen(role="shuffled"),)


@dataclass(frozen=True)
class Labelled:
    """A stream that carries labels: `streams = {"main": Pair(), "labelled": Labelled(batch=16)}`."""

    views: View = field(default_factory=Single)
    batch: int = 16
