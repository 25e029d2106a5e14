"""What a cluster is called: by its labels, by the words of its texts, by its folder, else by what is most typical of it."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePath

WORDS = 3  # of a name
COMMON = 0.1  # of a cluster's texts: a word that so many hold in most clusters names none
SHARE = 0.5  # of a cluster that a label or a folder must have to name it


def by_majority(values: Sequence[Sequence[str | None]]) -> list[str]:
    """The value that SHARE of each cluster's rows have, "" where none does, or where all clusters have one alone."""
    names = []
    for own in values:
        (most,) = Counter(value for value in own if value).most_common(1) or [("", 0)]
        names.append(most[0] if own and most[1] >= SHARE * len(own) else "")
    return names if len(set(names)) > 1 else [""] * len(names)


def is_written(values: Sequence[Sequence[str | None]]) -> bool:
    """Whether values are texts, such as captions, of WORDS words or more in the mean, and no marks."""
    lengths = [len(value.split()) for own in values for value in own if value]
    return bool(lengths) and sum(lengths) >= WORDS * len(lengths)


def by_words(texts: Sequence[Sequence[str | None]]) -> list[str]:
    """The WORDS that tell each cluster's texts from the others': largest tf · log(1 + mean words of a cluster/f of the word).

    Class-based TF-IDF (Grootendorst 2022, arXiv:2203.05794, equation 2). A word is two letters or more; those that stand in a
    share COMMON of the texts of most clusters say nothing.
    """
    said = [[re.findall(r"[^\W\d_]{2,}", (text or "").lower()) for text in own] for own in texts]
    within = [Counter(word for text in own for word in set(text)) for own in said]
    spread = Counter(word for own, found in zip(said, within) for word in found if found[word] > COMMON * len(own))
    common = {word for word, count in spread.items() if count > len(said) / 2}
    counts = [Counter(word for text in own for word in text if word not in common) for own in said]
    whole: Counter[str] = sum(counts, Counter())
    mean = sum(whole.values()) / max(len(counts), 1)
    return [
        ", ".join(sorted(own, key=lambda word: (-own[word] * math.log1p(mean / whole[word]), word))[:WORDS]) for own in counts
    ]


def by_folder(paths: Sequence[Sequence[str | None]]) -> list[str]:
    """The folder that SHARE of each cluster's files lie in."""
    return by_majority([[PurePath(path).parent.name if path else None for path in own] for own in paths])


def distinct(*choices: Sequence[str]) -> list[str]:
    """The first of the names that is not empty, for each cluster, with a number behind those that came before."""
    seen: Counter[str] = Counter()
    names = []
    for options in zip(*choices):
        name = next((option for option in options if option), "")
        seen[name] += 1
        names.append(f"{name} ({seen[name]})" if seen[name] > 1 else name)
    return names
