"""BSS: all images of a view wear the style of one of them, so that style tells none apart."""

import inspect

import torch
from torch import Tensor

from tacit.errors import TacitError
from tacit.method import Batch, Encoder, Method, Paper, Recipe
from tacit.numerics.exact import full_precision
from tacit.numerics.processes import gather, mine, total
from tacit.parts.wrappers.inner import inner_groups
from tacit.views.kinds import Raster


class BSS(Method):
    """Another method, `inner`, whose views are first given a style: one image of each lends all others its low frequencies.

    The amplitudes of the spectrum within a square window, which holds a share of all frequencies drawn within `window`, become
    those of the lender; phases stay. Lender and share are drawn for each view, so the two looks at a sample differ in style and
    the negatives of a look do not.

    unverified: the authors' code was not to be had, nor the paper's range of the window, for which the default is a guess.
    Differs: views are standardised pixels and stay unclipped; colours are changed for each image, which the paper does for
    whole batches alike; a method that cuts its views into batches of its own sees the styles of the whole one.
    """

    paper = Paper(
        "Towards domain-invariant Self-Supervised Learning with Batch Styles Standardization",
        "Scalbert, Vakalopoulou, Couzinié-Devy",
        2023,
        "arXiv:2303.06088",
    )
    views = Raster(looks=2)
    whole_batch = True
    recipe = Recipe(optimizer="adamw", lr=2e-3, batch=256, weight_decay=1e-4, warmup=2, epochs=100)
    recipes = {"small": recipe.but(epochs=40)}

    def __init__(
        self,
        encoder: Encoder,
        *,
        inner: Method = "simclr",  # type: ignore[assignment]  # built by name on the same encoder
        window: tuple[float, float] = (0.01, 0.2),
    ):
        super().__init__(encoder)
        if len(window) != 2 or not 0 < window[0] <= window[1] <= 1:
            raise TacitError(
                f"window is {list(window)}; give two shares of all frequencies, above 0, the smaller first, up to 1."
            )
        if inspect.signature(type(inner).step).parameters.keys() != {"self", "batch"} or inner.streams:
            raise TacitError(f"{type(inner).__name__} has several players or streams; take a method such as simclr.")
        self.inner, self.window = inner, tuple(window)
        vars(self).update(views=inner.views, second_order=inner.second_order)  # not the class's

    def groups(self):
        return inner_groups(self.inner.groups())

    def step(self, batch: Batch):
        for number, view in enumerate(batch.views):
            if view.ndim != 4:
                raise TacitError(f"Views of shape {list(view.shape)} came where pictures were expected; give images.")
            draws = gather(batch.uniform(f"style {number}", 2))
            share = self.window[0] + (self.window[1] - self.window[0]) * draws[draws[:, 0].argmax(), 1]
            batch.views[number] = restyled(view, draws[:, 0], share)
        return self.inner.step(batch)

    def represent(self, batch: Batch):
        return self.inner.represent(batch)


def restyled(x: Tensor, draws: Tensor, share: Tensor) -> Tensor:
    """Pictures n × c × h × w with the amplitudes of low frequencies of one, and phases of their own.

    draws  N, of all processes: the picture of the largest is the lender
    share  scalar: of all frequencies, those within a square window around 0
    """
    with full_precision():
        spectrum = torch.fft.fft2(x.float())
        amplitude = spectrum.abs()
        own = draws.argmax() == mine(len(x), x.device)
        lent = total((amplitude * own[:, None, None, None]).sum(0))
        low = [torch.fft.fftfreq(side, device=x.device).abs() <= share.sqrt() / 2 for side in x.shape[2:]]
        scale = torch.where(low[0][:, None] & low[1], lent / amplitude.clamp_min(1e-8), 1.0)
        return torch.fft.ifft2(spectrum * scale).real.to(x.dtype)
