"""Passages that say the same as others (pure)."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

_WORD = re.compile(r"\w+")
_SAME = 0.9  # of the words
_SHORT = 20  # words
_TELLING = re.compile(r"\d|^(?:no|not|never|none|without|nor|cannot|kein\w*|nicht|не|нет|без)$|n't$")


def distinct(texts: Sequence[str], most: int) -> list[int]:
    """Return the places of the first texts, at most so many, that no earlier one says already.

    Nine words in ten must be the same, and all numbers and negations: a cosine would take a contradiction for a repetition.
    Short texts are all kept: they repeat by chance, and mean what stands around them.
    """
    kept: dict[int, _Words] = {}
    for place, text in enumerate(texts):
        if len(kept) == most:
            break
        words = _Words.of(text)
        if words.total < _SHORT or not any(_same(words, other) for other in kept.values()):
            kept[place] = words
    return list(kept)


@dataclass(frozen=True, slots=True)
class _Words:
    """The words of a text, how often each, and how many together."""

    counts: Counter[str]
    total: int

    @classmethod
    def of(cls, text: str) -> Self:
        words = _WORD.findall(text.casefold())
        return cls(Counter(words), len(words))


def _same(one: _Words, other: _Words) -> bool:
    most = max(one.total, other.total)
    if len(one.counts.keys() - other.counts.keys()) > (1 - _SAME) * most:  # nearly all pairs end here, at little cost
        return False
    if min(one.total, other.total) < _SAME * most or (one.counts & other.counts).total() < _SAME * most:
        return False
    return not any(_TELLING.search(word) for word in (one.counts - other.counts) + (other.counts - one.counts))
