"""What a run must know of a model of the library `transformers`: its tokenizer, its configuration, where its weights lie."""

import json
from typing import Any

from tacit.data.text.tokenizer import tokenizer
from tacit.errors import TacitError


def of_model(name: str) -> dict[str, Any]:
    """The facts of a model in a folder, or of that name on the hub: JSON only.

    tokenizer  as `tokenizer.json`
    model      `name`, `config` (JSON in one string), and the tokens that go `before` and `behind` every text
    """
    try:
        from transformers import AutoConfig, AutoTokenizer
    except ModuleNotFoundError:
        raise TacitError("Models need the library transformers, which is not installed; pip install 'tacit[text]'.") from None
    try:
        config, own = AutoConfig.from_pretrained(name), AutoTokenizer.from_pretrained(name)
    except (OSError, ValueError, KeyError) as error:
        why = " ".join(str(error).split())[:120]
        raise TacitError(f"There is no model {name} ({why}); give a folder with config.json and tokenizer.json.") from None
    fast = getattr(own, "backend_tokenizer", None)
    if fast is None:
        raise TacitError(
            f"The model {name} has no fast tokenizer; save its tokenizer as tokenizer.json, or take another model."
        )
    if getattr(config, "is_encoder_decoder", False):
        raise TacitError(f"The model {name} encodes and decodes; give one that is an encoder alone, such as BERT.")
    written = fast.to_str()
    by = tokenizer(written)
    whole, bare = (by.fast.encode("a", add_special_tokens=added).ids for added in (True, False))
    start = next((at for at in range(len(whole)) if whole[at : at + len(bare)] == bare), 0)
    around = {"before": whole[:start], "behind": whole[start + len(bare) :]}
    return {"tokenizer": written, "model": {"name": name, "config": json.dumps(config.to_dict(), default=str), **around}}
