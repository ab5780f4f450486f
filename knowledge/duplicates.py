"""Passages that say the same as others (pure)."""

import re
from collections import Counter
from collections.abc import Sequence

_WORD = re.compile(r"\w+")
_SAME = 0.9  # of the words
_SHORT = 20  # words
_TELLING = re.compile(r"\d|^(?:no|not|never|none|without|nor|cannot|kein\w*|nicht|не|нет|без)$|n't$")


def distinct(texts: Sequence[str]) -> list[int]:
    """Return the places of the texts that no earlier one says already.

    Nine words in ten must be the same, and all numbers and negations: a cosine would take a contradiction for a repetition.
    Short texts are all kept: they repeat by chance, and mean what stands around them.
    """
    kept: list[tuple[int, Counter[str]]] = []
    for place, text in enumerate(texts):
        words = Counter(_WORD.findall(text.casefold()))
        if words.total() < _SHORT or not any(_same(words, other) for _, other in kept):
            kept.append((place, words))
    return [place for place, _ in kept]


def _same(one: Counter[str], other: Counter[str]) -> bool:
    most = max(one.total(), other.total())
    if min(one.total(), other.total()) < _SAME * most or (one & other).total() < _SAME * most:
        return False
    return not any(_TELLING.search(word) for word in (one - other) + (other - one))
