"""What a newly learned document may replace or contradict: said where it was taught, decided by people."""

import asyncio
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from knowledge.catalogue import Catalogue
from knowledge.contradictions import comparable, contradict
from knowledge.documents import Audience, Document, Filters, Passage, State
from knowledge.retrieval import Retrieval

_SAID = ("message", "note")  # chat is of its moment
_PROSE = ("pdf", "docx", "pptx", "odt", "rtf", "epub", "html", "markdown", "text")
_READ = 500_000  # characters of a document
_COMPARED = 40  # sentences of a document, spread over it
_FOUND = 6  # passages looked at for each
_SHOWN = 3
_SECONDS = 3.0

_ENDING = re.compile(r"\.[^\W\d]\w{0,4}$")
_COPY = re.compile(r"\((?:copy|kopie|\d)\)|\b(?:v\d+|copy|kopie|final|new|draft|latest|updated)\b")
_PART = re.compile(r"q[1-4]\b|\d+|[^\W\d_]+")
_WHEN = re.compile(
    r"\d+|(?:jan|febr)uary|march|april|may|june|july|august|(?:septem|octo|novem|decem)ber|jan|feb|mar|apr|jun|jul|aug|sept?|oct"
    r"|nov|dec|spring|summer|autumn|winter|q[1-4]"
)


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two sentences that may contradict each other: `here` in the new document, `there` in another one."""

    document_id: str
    title: str
    page: int | None
    here: str
    there: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Older documents of nearly the same name, newest first, and what may be contradicted."""

    older: tuple[Document, ...] = ()
    conflicts: tuple[Conflict, ...] = ()


class Compare:
    """Compares a new document with those that its readers see already."""

    def __init__(self, catalogue: Catalogue, retrieval: Retrieval) -> None:
        self._catalogue = catalogue
        self._retrieval = retrieval

    async def of(self, document: Document, audience: Audience, *, besides: Collection[str] = ()) -> Comparison:
        """Compare for a few seconds at most; what is found until then counts. Documents `besides` came with it."""
        older: list[Document] = []
        conflicts: list[Conflict] = []
        try:
            async with asyncio.timeout(_SECONDS):
                seen = await self._catalogue.documents(audience, without=_SAID)
                others = {one.id: one for one in seen if one.state is State.READY and one.id != document.id}
                older += [one for one in others.values() if one.id not in besides and _replaced(one, document)]
                if document.kind in _PROSE:
                    await self._compare(document, audience, others, conflicts)
        except TimeoutError:
            pass
        return Comparison(tuple(older), tuple(conflicts))

    async def _compare(
        self, document: Document, audience: Audience, others: Mapping[str, Document], conflicts: list[Conflict]
    ) -> None:
        """Add what contradicts the document; what came into sight meanwhile, or went, is left alone."""
        text = await self._catalogue.text(document)
        stated = await asyncio.to_thread(comparable, text[:_READ])
        for sentence in spread(stated, _COMPARED):
            results = await self._retrieval.search(sentence, audience=audience, where=Filters(kinds=_PROSE), limit=_FOUND)
            for found in results.found:
                other = others.get(found.passage.document_id)
                if other is None or one_of_a_series(document, other):
                    continue
                if there := _contradicting(sentence, found.passage, stated):
                    conflicts.append(Conflict(other.id, found.passage.title, found.passage.page, sentence, there))
                    break
            if len(conflicts) == _SHOWN:
                return


def _contradicting(sentence: str, passage: Passage, stated: Collection[str]) -> str | None:
    """Return the sentence of a passage that contradicts one, unless both documents say both."""
    theirs = comparable(passage.text)
    if sentence in theirs:
        return None
    return next((one for one in theirs if one not in stated and contradict(sentence, one)), None)


def spread(sentences: Sequence[str], most: int) -> list[str]:
    """Return so many of many at most, spread evenly (pure)."""
    count = min(len(sentences), most)
    return [sentences[n * len(sentences) // count] for n in range(count)]


def _replaced(one: Document, by: Document) -> bool:
    """Say whether a document was taught to the same place before, under nearly the same name."""
    if one.added_at >= by.added_at or not set(one.scopes) & set(by.scopes):
        return False
    return nearly_the_same(_ENDING.sub("", one.name), _ENDING.sub("", by.name)) or (
        len(_parts(one.title)) > 1 and nearly_the_same(one.title, by.title)
    )


def nearly_the_same(one: str, other: str) -> bool:
    """Say whether two names are the same but for how they are written, and for being a copy or a draft (pure)."""
    return _parts(one) == _parts(other) and bool(_parts(one))


def one_of_a_series(one: Document, other: Document) -> bool:
    """Say whether two documents are of different times, such as the reports of two years: each is right for its own (pure)."""
    return any(_differ_in_when(a, b) for a, b in ((one.name, other.name), (one.title, other.title)))


def _differ_in_when(one: str, other: str) -> bool:
    (when, what), (when_other, what_other) = _when_and_what(one), _when_and_what(other)
    return what == what_other and when != when_other and bool(when and when_other)


def _when_and_what(name: str) -> tuple[list[str], list[str]]:
    parts = _parts(_ENDING.sub("", name))
    when = [part for part in parts if _WHEN.fullmatch(part)]
    return when, [part for part in parts if part not in when]


def _parts(name: str) -> list[str]:
    return _PART.findall(_COPY.sub(" ", name.casefold().replace("_", " ")))
