"""What a newly learned document may replace or contradict: said where it was taught, decided by people.

Two sentences are taken to contradict each other when they say nearly the same and one number of the same kind, or a negation,
is all that tells them apart. That misses much, and is seldom wrong: who reads it should not learn to pass over it.
"""

import asyncio
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from knowledge.catalogue import Catalogue
from knowledge.documents import Audience, Document, State
from knowledge.retrieval import Retrieval

_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[^\W\d_\"“(])|\n+")
_WORD = re.compile(r"\d+(?:[.,:]\d+)*|[^\W\d_]+(?:['’-][^\W\d_]+)*")


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_EMPTY = _set(
    "a an the is are was were be been of for in on at to by with from and or as it its this that these those than then there "
    "has have had will would shall should can could may might must do does did their our your his her which who"
)
_NOT = _set(
    "not no never nobody nothing none neither nor without cannot can't don't doesn't isn't aren't won't kein keine nicht"
)
_LABELS = _set(
    "hall room floor chapter section page version article table figure step question part item line appendix phase week "
    "quarter building gate platform form annex paragraph number"
)
_NUMBERS = _set(
    "one two three four five six seven eight nine ten eleven twelve fifteen twenty thirty forty fifty sixty ninety hundred "
    "thousand half"
)
_ALIKE = 0.8  # of the words that both have, at least
_LEAST = 2  # words that both have
_LONGEST = 300  # characters of a sentence
_COMPARED = 24  # sentences of a document, spread over it
_SHOWN = 3
_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two sentences that may contradict each other: `here` in the new document, `there` in the other one."""

    title: str
    page: int | None
    here: str
    there: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Older documents of the same name, and what may be contradicted."""

    older: tuple[Document, ...] = ()
    conflicts: tuple[Conflict, ...] = ()


class Compare:
    """Compares a new document with those that its readers see already."""

    def __init__(self, catalogue: Catalogue, retrieval: Retrieval) -> None:
        self._catalogue = catalogue
        self._retrieval = retrieval

    async def of(self, document: Document, audience: Audience) -> Comparison:
        """Compare for a few seconds at most; what is found until then counts."""
        others = await self._catalogue.documents(audience)
        same = [one for one in others if one.name.casefold() == document.name.casefold() and one.id != document.id]
        older = tuple({one.id: one for one in same if one.state is State.READY}.values())
        conflicts: list[Conflict] = []
        try:
            async with asyncio.timeout(_SECONDS):
                await self._compare(document, audience, conflicts)
        except TimeoutError:
            pass
        return Comparison(older, tuple(conflicts))

    async def _compare(self, document: Document, audience: Audience, conflicts: list[Conflict]) -> None:
        seen = set[str]()
        for sentence in _spread(comparable(await self._catalogue.text(document))):
            results = await self._retrieval.search(sentence, audience=audience, limit=6)
            for found in results.found:
                passage = found.passage
                if passage.document_id == document.id or passage.document_id in seen:
                    continue
                there = next((one for one in comparable(passage.text) if contradict(sentence, one)), None)
                if there:
                    seen.add(passage.document_id)
                    conflicts.append(Conflict(passage.title, passage.page, sentence, there))
            if len(conflicts) >= _SHOWN:
                return


def comparable(text: str) -> list[str]:
    """Return the sentences of a text that state something with a number or a negation (pure)."""
    sentences = (" ".join(one.split()) for one in _SENTENCE.split(text))
    return [one for one in sentences if len(one) <= _LONGEST and one.count(" ") > 1 and any(map(_tells, _words(one)))]


def contradict(one: str, other: str) -> bool:
    """Say whether two sentences say nearly the same, but for one value or a negation (pure)."""
    first, second = _words(one), _words(other)
    shared, either = _content(first) & _content(second), _content(first) | _content(second)
    if len(shared) < _LEAST or len(shared) < _ALIKE * len(either):
        return False
    negated = [bool(_NOT & set(words)) for words in (first, second)]
    values, others = list(_values(first)), list(_values(second))
    if negated[0] != negated[1]:
        return values == others
    if len(values) != len(others):
        return False
    differ = [(a, b) for a, b in zip(values, others, strict=True) if a != b]
    return len(differ) == 1 and _same_kind(*differ[0])


def _same_kind(one: tuple[str, str, str], other: tuple[str, str, str]) -> bool:
    """Say whether two values are of one thing: no labels, and with the same word before or after them."""
    (before, value, after), (before_other, value_other, after_other) = one, other
    labelled = before in _LABELS or len(before) == 1 or (_is_year(value) and _is_year(value_other) and not after)
    return not labelled and after == after_other and before == before_other


def _is_year(value: str) -> bool:
    return len(value) == 4 and value[:2] in {"19", "20"}


def _values(words: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Yield each number with the words around it."""
    for n, word in enumerate(words):
        if _is_number(word):
            yield (words[n - 1] if n else "", word, _stem(words[n + 1]) if n + 1 < len(words) else "")


def _words(text: str) -> list[str]:
    return [word.casefold().replace("’", "'") for word in _WORD.findall(text)]


def _content(words: Sequence[str]) -> set[str]:
    return {_stem(word) for word in words if not _is_number(word) and word not in _EMPTY and word not in _NOT}


def _tells(word: str) -> bool:
    return _is_number(word) or word in _NOT


def _is_number(word: str) -> bool:
    return word[0].isdigit() or word in _NUMBERS


def _stem(word: str) -> str:
    for ending in ("ies", "es", "s"):
        if len(word) > len(ending) + 3 and word.endswith(ending):
            return word[: -len(ending)]
    return word


def _spread(sentences: Sequence[str]) -> Sequence[str]:
    """Return some of many, spread evenly."""
    step = max(1, -(-len(sentences) // _COMPARED))
    return sentences[::step]
