"""Weights back to the libraries whose models were trained: timm and transformers."""

import json
from pathlib import Path
from typing import Any

import torch
from torch import nn

from tacit.encoders.audio_models import TransformersAudio
from tacit.encoders.pretrained_text import Transformers
from tacit.encoders.timm_models import TimmEncoder
from tacit.errors import TacitError
from tacit.run import Run

PADDING = ("[PAD]", "<pad>", "<|endoftext|>")


def write_timm(run: Run, folder: Path) -> str:
    """The folder that `timm.create_model("local-dir:…", pretrained=True, num_classes=0)` loads; and what was compared.

    Raises TacitError where the encoder is not timm's, or has first layers that timm's has not.
    """
    import timm
    from safetensors.torch import save_file

    encoder, name = run.encoder, run.config.encoder
    if not isinstance(encoder, TimmEncoder):
        raise TacitError(f"The encoder of {run.path} is {name} and no model of timm; give --format onnx.")
    if encoder.stem.startswith("3×3"):
        raise TacitError(
            f"{name} was given first layers for small images, which timm's has not; give --format onnx, or train it with "
            "--small-stem no."
        )
    architecture, _, tag = name.removeprefix("timm/").partition(".")
    channels, height, width = run.facts.shape
    about: dict[str, Any] = {"in_chans": channels}
    if isinstance(getattr(encoder.model, "patch_embed", None), timm.layers.PatchEmbed):
        about |= {"img_size": (height, width), "patch_size": encoder.model.patch_embed.patch_size[0], "dynamic_img_size": True}
    size = [channels, height, width]
    shown = {
        "input_size": size, "fixed_input_size": "img_size" in about, "interpolation": "bilinear", "crop_pct": 1.0,
        "mean": list(run.views.mean), "std": list(run.views.std), "num_classes": 0, "tag": tag or "tacit",
    }  # fmt: skip
    config = {"architecture": architecture, "num_classes": 0, "num_features": encoder.dim, "model_args": about}
    (folder / "config.json").write_text(json.dumps(config | {"pretrained_cfg": shown}, indent=2))
    state = {key: tensor.contiguous().clone() for key, tensor in encoder.model.state_dict().items()}
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    again = timm.create_model(f"local-dir:{folder}", pretrained=True, num_classes=0).eval()
    x = torch.randn(2, *size, generator=torch.Generator().manual_seed(0))
    return _compared("timm.create_model", again, encoder, x)


def write_transformers(run: Run, folder: Path, part: int) -> str:
    """The folder that `AutoModel.from_pretrained` loads, of texts with its tokenizer; what was compared, in a sentence.

    Raises TacitError where the encoder is no model of that library.
    """
    encoder: Any = run.encoder
    if run.facts.kind == "pair":
        encoder = (encoder.first, encoder.second)[part]
        encoder = encoder[0] if isinstance(encoder, nn.Sequential) else encoder
    if not isinstance(encoder, Transformers | TransformersAudio):
        raise TacitError(f"The encoder of {run.path} is {run.config.encoder} and no model of transformers; give --format onnx.")
    from transformers import AutoModel

    model = encoder.model
    if isinstance(encoder, Transformers):
        table = encoder.table.weight.detach()[1:].clone()  # row 0 stands for no token, which that library knows nothing of
        own = nn.Embedding(*table.shape)
        own.weight = nn.Parameter(table)
        model.set_input_embeddings(own)
        model.config.vocab_size = len(table)
        _tokenizer(run, part).save_pretrained(folder)
    model.save_pretrained(folder)
    again = AutoModel.from_pretrained(folder).eval()
    generator = torch.Generator().manual_seed(0)
    if isinstance(encoder, Transformers):
        x = torch.randint(0, model.config.vocab_size, (2, 5), generator=generator)
        one, other = (m(input_ids=x).last_hidden_state for m in (again, model))
    else:
        x = torch.randn(2, 8000, generator=generator)
        one, other = (m(x).last_hidden_state for m in (again, model))
    return _told("AutoModel.from_pretrained", float((one - other).detach().abs().max()))


def _tokenizer(run: Run, part: int) -> Any:
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    facts: Any = run.facts.more
    facts = facts[("first", "second")[part]] if run.facts.kind == "pair" else facts
    fast = Tokenizer.from_str(facts["tokenizer"])
    padding = next((name for name in PADDING if fast.token_to_id(name) is not None), None)
    return PreTrainedTokenizerFast(tokenizer_object=fast, pad_token=padding)


@torch.no_grad()
def _compared(what: str, again: nn.Module, encoder: nn.Module, x: torch.Tensor) -> str:
    return _told(what, float((again(x) - encoder(x)).abs().max()))


def _told(what: str, apart: float) -> str:
    if not apart <= 1e-4:
        raise TacitError(f"What {what} makes of the weights differs from the encoder by {apart:.1e}; please report it.")
    return f"What {what} makes of it differs from the encoder by {apart:.1e} at most."
