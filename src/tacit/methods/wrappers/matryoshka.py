"""Matryoshka representations: the first numbers of a representation are one by themselves."""

import inspect

from tacit.errors import TacitError
from tacit.method import Batch, Encoder, Method, Paper, Recipe
from tacit.parts.wrappers.inner import inner_groups
from tacit.parts.wrappers.nested import Nested
from tacit.views.kinds import Pair

LEAST = 8  # numbers of the smallest prefix, where none are named


class Matryoshka(Method):
    """The loss of another method, `inner`, of nested prefixes of the representation, added up.

    `sizes` are their lengths, by default 8, 16, 32, … and the whole. A prefix is filled up with zeros: the method's own head
    then uses its first columns, which is the paper's weight-tied form (MRL-E), and a loss of cosines sees each prefix at length
    one, which is its contrastive form. So the method is built once and needs to know of nothing, whatever its head, and
    the encoder computes a batch once. Teachers and memories hold whole representations. Options of `inner` are given beside
    these, by their own names.

    checked: RAIVNLab/MRL@7ccb42d
    Compared: loss and gradient of a classifier in the weight-tied form.
    Differs: there are no heads of their own for each prefix. The released code covers classifiers only.
    """

    paper = Paper("Matryoshka Representation Learning", "Kusupati et al.", 2022, "arXiv:2205.13147")
    views = Pair()
    whole_batch = True
    recipe = Recipe(optimizer="adamw", lr=2e-3, batch=256, weight_decay=1e-4, warmup=2, epochs=100)
    recipes = {"small": recipe.but(epochs=40)}

    def __init__(
        self,
        encoder: Encoder,
        *,
        inner: Method = "simclr",  # type: ignore[assignment]  # built by name on the same encoder
        sizes: tuple[int, ...] = (),
    ):
        super().__init__(encoder)
        _refuse(inner)
        self.sizes = lengths(sizes, encoder.dim)
        self.inner, inner.encoder = inner, Nested(encoder)
        vars(self).update(views=inner.views, whole_batch=inner.whole_batch, second_order=inner.second_order)  # not the class's

    def step(self, batch: Batch):
        losses = self.inner.encoder.again(lambda: self.inner.step(batch), self.sizes)
        named = [loss if isinstance(loss, dict) else {"first": loss} for loss in losses]
        return {f"{name}_{m}": term for m, terms in zip(self.sizes, named) for name, term in terms.items()}

    def groups(self):
        return inner_groups(self.inner.groups())


def lengths(sizes: tuple[int, ...], dim: int) -> tuple[int, ...]:
    """The sizes that were asked for, or the powers of two from LEAST and the whole."""
    usual = [2**power for power in range(LEAST.bit_length() - 1, dim.bit_length()) if 2**power < dim]
    found = tuple(sizes) or (*usual, dim)
    if list(found) != sorted({*found}) or found[0] < 1 or found[-1] != dim:
        raise TacitError(f"sizes is {list(found)}; give them rising, from 1, the last the encoder's own {dim}.")
    return found


def _refuse(inner: Method) -> None:
    """Only what the encoder says of a sample is nested."""
    kind, says = type(inner), {"represent", "solve"}
    taken = next((p.annotation for name, p in inspect.signature(kind.__init__).parameters.items() if name == "encoder"), None)
    plain = all(getattr(kind, name) is getattr(Method, name) for name in says) and "stages" not in vars(kind)
    if taken is not Encoder or not plain or inner.players or inner.streams:
        raise TacitError(
            f"{kind.__name__} is not nested: it has several players, streams or stages, or represents by more than one vector; "
            "take a method such as simclr."
        )
