"""Any vision model of timm as an encoder: `timm/resnet18`, `timm/vit_tiny_patch16_224`, `timm/convnext_nano.in12k`."""

from difflib import get_close_matches
from typing import Any

import torch
from torch import Tensor, nn

from tacit.encoders.image import image_shape
from tacit.errors import TacitError, unknown
from tacit.method import Facts
from tacit.parts.patches import take
from tacit.views.masks import fitting_patch

SMALL = 64  # pixels up to which the first layers of a model made for 224 would throw most of the image away


class TimmEncoder(nn.Module):
    """A timm model without its classifier; what it says of an image is what timm's own head would have been given."""

    dim: int
    model: Any  # timm's classes share no type that says what they have

    def __init__(self, model: nn.Module, dim: int, stem: str):
        super().__init__()
        self.model, self.dim, self.stem = model, dim, stem

    def forward(self, x: Tensor) -> Tensor:
        """Images n × c × h × w -> n × dim."""
        return self.model(x)

    def extra_repr(self) -> str:
        return f"dim={self.dim}, stem: {self.stem}"


class TimmMaps(TimmEncoder):
    """A timm model whose features are a map as wide as its answer; `last` where timm puts the channels last."""

    def __init__(self, model: nn.Module, dim: int, stem: str, last: bool):
        super().__init__(model, dim, stem)
        self.last = last

    def maps(self, x: Tensor) -> Tensor:
        """Images n × c × h × w -> n × dim × h' × w'."""
        features = self.model.forward_features(x)
        return features.permute(0, 3, 1, 2) if self.last else features


class TimmTokens(TimmEncoder):
    """A timm vision transformer. Class and register tokens take part in it, and are left out of what `tokens` returns."""

    def __init__(self, model: nn.Module, dim: int, stem: str):
        super().__init__(model, dim, stem)
        self.grid: tuple[int, int] = self.model.patch_embed.grid_size
        self.patch: int = self.model.patch_embed.patch_size[0]

    def tokens(self, x: Tensor, keep: Tensor | None = None) -> Tensor:
        """Images n × c × h × w -> n × t × dim; with `keep` (int64, n × t) only those patches go through the blocks.

        The order is that of timm's `forward_features`: patches and positions, then the choice, then norm and blocks.
        """
        model, prefix = self.model, self.model.num_prefix_tokens
        tokens = model._pos_embed(model.patch_embed(x))
        if keep is not None:
            tokens = torch.cat([tokens[:, :prefix], take(tokens[:, prefix:], keep)], 1)
        return model.norm(model.blocks(model.norm_pre(tokens)))[:, prefix:]

    def maps(self, x: Tensor) -> Tensor:
        """Images n × c × h × w, of any size that patches divide -> n × dim × rows × columns: tokens where their patches lie."""
        return self.tokens(x).transpose(1, 2).unflatten(2, (x.shape[2] // self.patch, x.shape[3] // self.patch))


def timm_encoder(name: str, facts: Facts, *, pretrained: bool = False, small_stem: str = "auto") -> TimmEncoder:
    """The encoder for a timm model by timm's name, with `tokens` and `maps` where the model has them.

    pretrained  timm's own weights for it, downloaded when they are not in its cache; a TacitError when that fails
    small_stem  "yes": a ResNet gets a 3×3 stem of stride 1 and no max pooling (as in the CIFAR runs of Chen et al. 2020,
                arXiv:2002.05709, appendix B.9), a vision transformer patches that cut the image into about 8 × 8;
                "no": timm's; "auto": yes for images up to 64 pixels, unless pretrained weights want theirs
    """
    import timm

    if small_stem not in ("auto", "yes", "no"):
        raise unknown("small_stem", small_stem, ("auto", "yes", "no"))
    refuse_unknown(name)
    channels, height, width = image_shape(facts)
    small = small_stem == "yes" or (small_stem == "auto" and not pretrained and max(height, width) <= SMALL)
    about: dict[str, Any] = {}
    if getattr(timm.models.get_pretrained_cfg(name), "fixed_input_size", False):
        about["img_size"] = (height, width)
    if _makes_vit(name):
        about["dynamic_img_size"] = True  # small views beside large ones (MultiCrop): the positions are resampled
    if small and _makes_vit(name):
        about["patch_size"] = fitting_patch(height, width)
    model = _created(name, pretrained, dict(num_classes=0, in_chans=channels, **about))
    stem = "timm's own"
    if "patch_size" in about:
        stem = f"patches of {about['patch_size']} pixels, for small images"
    elif small and isinstance(model, timm.models.ResNet):
        _give_small_stem(model, channels)
        stem = "3×3 without pooling, for small images"
    elif small_stem == "yes":
        raise TacitError(f"timm/{name} is neither a ResNet nor a plain vision transformer; leave small_stem=yes out.")
    return _adapted(name, model, stem, (channels, height, width))


def refuse_unknown(name: str) -> None:
    """Refuse a name that timm does not know, with the nearest that it does; a tag of weights (".a1_in1k") may follow."""
    import timm

    if name in timm.list_models() or name in timm.list_pretrained():
        return
    base, _, tag = name.partition(".")
    if tag and base in timm.list_models():
        tags = [known.partition(".")[2] for known in timm.list_pretrained(f"{base}.*")]
        raise unknown(f"weights of timm/{base} called", tag, tags)
    near = get_close_matches(base.lower(), timm.list_models(), n=1, cutoff=0.5)
    hint = f"did you mean 'timm/{near[0]}'?" if near else "timm.list_models() lists them."
    raise TacitError(f"timm has no model {name!r}; {hint}")


def _makes_vit(name: str) -> bool:
    """Whether timm builds a plain VisionTransformer under this name: those alone take `patch_size` and can drop tokens."""
    import timm

    return timm.models.model_entrypoint(name).__module__ == "timm.models.vision_transformer"


def _created(name: str, pretrained: bool, about: dict[str, Any]) -> Any:
    import timm

    model = _built(name, about)  # also before pretrained ones: what is wrong with the model itself is said as such
    if not pretrained:
        return model
    try:
        return timm.create_model(name, pretrained=True, **about)
    except Exception as error:  # timm passes on whatever its hub, its network and its disk raise
        raise TacitError(
            f"The weights of timm/{name} could not be loaded ({type(error).__name__}: {_first_line(error)}); "
            "check the connection, or leave pretrained out and train from scratch."
        ) from error


def _built(name: str, about: dict[str, Any]) -> Any:
    import timm

    try:
        return timm.create_model(name, **about)
    except (AssertionError, TypeError, ValueError, RuntimeError) as error:
        raise TacitError(
            f"timm cannot build {name} with {about} ({_first_line(error)}); give another model or view size."
        ) from error


def _give_small_stem(model: Any, channels: int) -> None:
    model.conv1 = nn.Conv2d(channels, model.bn1.num_features, 3, padding=1, bias=False)
    nn.init.kaiming_normal_(model.conv1.weight, mode="fan_out", nonlinearity="relu")
    model.maxpool = nn.Identity()


@torch.no_grad()
def _adapted(name: str, model: Any, stem: str, shape: tuple[int, int, int]) -> TimmEncoder:
    """The encoder with what this model offers, read off one blank image: timm's `num_features` is not always the width
    of its answer (MobileNetV3's head is wider), and its maps have channels first or last."""
    import timm

    model.eval()
    try:
        features = model.forward_features(torch.zeros(1, *shape))
        dim = model.forward_head(features).shape[1]
    except (AssertionError, RuntimeError) as error:
        raise TacitError(
            f"timm/{name} cannot take images of {shape[1]} × {shape[2]} pixels ({_first_line(error)}); give a larger view size."
        ) from error
    model.train()
    # a convolutional stem (timm's hybrids) would let dropped patches be seen by the kept
    if isinstance(model, timm.models.VisionTransformer) and type(model.patch_embed) is timm.layers.PatchEmbed:
        patch = model.patch_embed.patch_size[0]
        if shape[1] % patch or shape[2] % patch:  # timm would silently leave the right and lower edge out
            raise TacitError(
                f"Images of {shape[1]} × {shape[2]} pixels cannot be cut into the patches of timm/{name}, {patch} × {patch}; "
                "give a view size that is a multiple of them."
            )
        return TimmTokens(model, dim, stem)
    if features.ndim == 4 and dim in (features.shape[1], features.shape[3]):
        return TimmMaps(model, dim, stem, last=features.shape[1] != dim)
    return TimmEncoder(model, dim, stem)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0].rstrip(".")[:120]
