"""Pieces of words: a tokenizer that is trained on a corpus, or that of a model; as JSON, which a run keeps in its facts."""

from collections.abc import Iterable
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from tacit.errors import TacitError

PIECES = 16_000  # of a vocabulary that is trained, at most
LETTERS = 6_000  # of a text that are looked at
KEPT = 512  # tokens of a text that are kept
MASK = "[MASK]"
MASKS = (MASK, "<mask>")
STARTS, GOES_ON = ("Ġ", "▁"), "##"  # by which vocabularies mark where a word starts, or that it goes on


class Tokenizer:
    """Texts to the numbers of their pieces, by what `tokenizer.json` of the library `tokenizers` says.

    No token is added around a text: an encoder that wants some adds them itself.
    """

    def __init__(self, written: str):
        self.written = written
        try:
            self.fast = _library().Tokenizer.from_str(written)
        except Exception as error:  # the library raises nothing more particular
            raise TacitError(
                f"The tokenizer cannot be read ({' '.join(str(error).split())[:100]}); give a tokenizer.json as the library "
                "tokenizers writes it."
            ) from None
        self.fast.no_padding()
        self.fast.no_truncation()

    def __len__(self) -> int:
        return self.fast.get_vocab_size()

    def __str__(self) -> str:
        return f"{len(self):,} pieces"

    @cached_property
    def mask(self) -> int:
        """The number of the token that stands for a hidden one; −1 where there is none."""
        return next((number for name in MASKS if (number := self.fast.token_to_id(name)) is not None), -1)

    @cached_property
    def goes_on(self) -> np.ndarray:
        """Whether each piece goes on with the word before it: bool. What is neither letter nor digit starts anew."""
        pieces = [self.fast.id_to_token(number) or "" for number in range(len(self))]
        if any(piece.startswith(GOES_ON) for piece in pieces):
            return np.array([piece.startswith(GOES_ON) for piece in pieces])
        return np.array([not piece.startswith(STARTS) and piece[:1].isalnum() for piece in pieces])

    def tokens(self, texts: Iterable[str]) -> list[np.ndarray]:
        """The first KEPT tokens of each text: int32."""
        found = self.fast.encode_batch_fast([text[:LETTERS] for text in texts], add_special_tokens=False)
        return [np.array(one.ids[:KEPT], np.int32) for one in found]

    def said(self, tokens: Iterable[int]) -> str:
        """Tokens as text again."""
        return self.fast.decode(list(tokens), skip_special_tokens=False).strip()


@lru_cache(8)
def tokenizer(written: str) -> Tokenizer:
    """The tokenizer of this JSON, made once."""
    return Tokenizer(written)


def trained(texts: Iterable[str], pieces: int = PIECES) -> str:
    """Byte pairs (Sennrich et al. 2016, arXiv:1508.07909) of lower-case text: `tokenizer.json`.

    The alphabet are the 256 bytes (Radford et al. 2019), so nothing is unknown: no emoji and no script. What occurs once makes
    no piece, so a small corpus has fewer.
    """
    library = _library()
    alphabet = library.pre_tokenizers.ByteLevel.alphabet()
    made = library.Tokenizer(library.models.BPE())
    made.normalizer = library.normalizers.Sequence([library.normalizers.NFKC(), library.normalizers.Lowercase()])
    made.pre_tokenizer = library.pre_tokenizers.ByteLevel(add_prefix_space=True)
    made.decoder = library.decoders.ByteLevel()
    trainer = library.trainers.BpeTrainer(
        vocab_size=pieces, min_frequency=2, special_tokens=[MASK], initial_alphabet=sorted(alphabet), show_progress=False
    )
    made.train_from_iterator((text[:LETTERS] for text in texts), trainer)
    return made.to_str()


def _library() -> Any:
    try:
        import tokenizers
    except ModuleNotFoundError:
        raise TacitError("Texts need the library tokenizers, which is not installed; pip install 'tacit[text]'.") from None
    return tokenizers
