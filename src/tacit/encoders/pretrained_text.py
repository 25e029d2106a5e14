"""Encoders of the library `transformers`: any that reads tokens, from a folder or by its name on the hub."""

import json
import warnings
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from tacit.encoders.text import text_shape
from tacit.errors import TacitError, unknown
from tacit.method import Facts

GROWTH = 1.25  # texts up to this much longer than the shortest are computed together, so that little is padding
POOLINGS = ("mean", "first")
SHIFTED = ("roberta", "xlm-roberta", "camembert", "mpnet")  # whose positions begin behind that of padding


class Transformers(nn.Module):
    """The model that the texts' description names (`model: NAME` in a .yaml, or `TextSamples.of_model`), with its weights.

    pooling     how a text is represented: the "mean" of its tokens, or the "first" token, which is [CLS] of BERT
    pretrained  begin with the model's weights; without, only its shape is taken

    A batch is computed in parts of like length, each padded to its longest text.
    """

    dim: int
    around: Tensor

    def __init__(self, facts: Facts, *, pooling: str = "mean", pretrained: bool = True):
        super().__init__()
        _, vocabulary = text_shape(facts)
        if "model" not in facts.more:
            raise TacitError(
                "The encoder transformers needs texts in the tokens of its model; give a .yaml with `text: FILE` and "
                "`model: NAME` in place of the texts."
            )
        if pooling not in POOLINGS:
            raise unknown("pooling", pooling, POOLINGS)
        about = facts.more["model"]
        self.model = _built(about, pretrained)
        self.pooling, self.before, self.behind = pooling, len(about["before"]), len(about["behind"])
        if pooling == "first" and not self.before:
            raise TacitError(f"The model {about['name']} puts no token before a text; take --pooling mean.")
        own = self.model.get_input_embeddings().weight
        if len(own) < vocabulary:
            raise TacitError(f"The model {about['name']} has {len(own)} tokens and its tokenizer {vocabulary}; mend the model.")
        table = nn.Embedding(vocabulary + 1, own.shape[1], padding_idx=0)  # row 0: no token
        with torch.no_grad():
            table.weight[1:] = own[:vocabulary]
        self.model.set_input_embeddings(table)
        around = torch.tensor([*about["before"], *about["behind"]], dtype=torch.int64) + 1
        self.register_buffer("around", around, persistent=False)
        config = self.model.config
        self.dim = int(config.hidden_size)
        first = int(config.pad_token_id) + 1 if config.model_type in SHIFTED else 0
        self.longest = int(getattr(config, "max_position_embeddings", 1 << 30)) - first - len(around)

    @property
    def table(self) -> nn.Embedding:
        """The vectors of the tokens, those of views: row 0 stands for none."""
        return self.model.get_input_embeddings()

    def tokens(self, x: Tensor, keep: Tensor | None = None) -> Tensor:
        """Texts n × t -> n × t × dim, zeros where there is no token; `keep` is of other kinds of data."""
        rows, answers = zip(
            *((rows, nn.functional.pad(z, (0, 0, 0, x.shape[1] - z.shape[1]))) for rows, _, z in self._parts(x))
        )
        return torch.cat(answers)[torch.cat(rows).argsort()]

    def forward(self, x: Tensor) -> Tensor:
        """Texts n × t -> n × dim."""
        if self.pooling == "first":
            rows, answers = zip(*((rows, first) for rows, first, _ in self._parts(x)))
        else:
            rows, answers = zip(*((rows, z.sum(1)) for rows, _, z in self._parts(x)))
        found = torch.cat(answers)[torch.cat(rows).argsort()]
        return found if self.pooling == "first" else found / (x[:, : self.longest] > 0).sum(1, keepdim=True).clamp_min(1)

    def _parts(self, x: Tensor) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Texts of like length: which they are, the first token of each, and those of the text, zeros behind the last."""
        x = x[:, : self.longest]
        lengths = (x > 0).sum(1)
        order = lengths.argsort(stable=True)
        known = lengths[order].tolist()
        start = 0
        while start < len(known):
            most = max(known[start] * GROWTH, known[start] + 1)
            end = next((at for at in range(start, len(known)) if known[at] > most), len(known))
            rows, longest = order[start:end], known[end - 1]
            some = x[rows, :longest]
            n, there = len(rows), some > 0
            before, behind = (part.expand(n, -1) for part in self.around.split([self.before, self.behind]))
            ids = torch.cat([before, some, torch.zeros_like(behind)], 1)
            place = self.before + lengths[rows, None] + torch.arange(self.behind, device=x.device)
            ids = ids.scatter(1, place, behind)
            hidden = self.model(inputs_embeds=self.table(ids), attention_mask=(ids > 0).long()).last_hidden_state
            yield rows, hidden[:, 0], hidden[:, self.before : self.before + longest] * there[..., None]
            start = end


def _built(about: dict[str, Any], pretrained: bool) -> Any:
    """The model without the layer behind its first token, with its weights where they are there."""
    from transformers import AutoConfig, AutoModel
    from transformers.utils import logging

    logging.set_verbosity_error()  # which weights are not asked for, and how far it has read, nobody needs to be told
    logging.disable_progress_bar()
    said = json.loads(about["config"])
    config = AutoConfig.for_model(said.pop("model_type"), **said)
    model: Any = None
    if pretrained:
        try:
            model = AutoModel.from_pretrained(about["name"], config=config)
        except (OSError, ValueError) as error:
            warnings.warn(
                f"The weights of {about['name']} cannot be read ({' '.join(str(error).split())[:80]}); what is built anew "
                "begins at random, a trained run has its own.",
                stacklevel=4,
            )
    model = AutoModel.from_config(config) if model is None else model
    if getattr(model, "pooler", None) is not None:
        model.pooler = None  # what it says of the first token is not asked for
    return model
