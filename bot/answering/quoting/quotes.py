"""Which stretches of the passages found are quoted, word for word (pure)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bot.answering.quoting import words
from bot.answering.quoting.evidence import FEATURES, Evidence, Matrix, Unit, table_head
from bot.answering.quoting.question import Question
from knowledge import Found

LONGEST = 350  # characters of one quote
MOST = 4
_MARGIN = 4.0  # how far below the best a sentence may score and still be quoted: log-odds against it
_ELSEWHERE = 3.5  # the same for a sentence from elsewhere: a second source has to add something
_ALONE = [FEATURES.index("cosine"), FEATURES.index("coverage")]
_COMPARABLE = 0.4  # of these of the best one, and of its passage's probability, a sentence from elsewhere needs to have
_ROW_MARGIN = 1.5  # the same for rows: those of one table are all alike
_CONSIDERED = 8
_ALIKE = 0.7  # of the shorter one's words stand in the other
_LEANS = re.compile(
    r"(?:it|its|he|she|his|her|they|their|this|these|those|that|such|the (?:latter|former|same)|however|therefore|thus|hence"
    r"|also|for (?:example|instance)|as a result|er|sie|es|dies\w*|он|она|они|это|эт[аио]|поэтому|однако)\b",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r"(?<=[,;:—–])\s+|\s+(?=\()")


@dataclass(frozen=True, slots=True)
class Quote:
    """The stretch `found[passage].passage.text[start:end]`; `head` leads its list or table and stands elsewhere."""

    passage: int
    start: int
    end: int
    head: str = ""


@dataclass(frozen=True, slots=True)
class _Range:
    """Neighbouring units, from `first` to `last`, both included."""

    first: int
    last: int


def choose(evidence: Evidence, features: Matrix, scores: Matrix, *, sure: bool = True) -> list[Quote]:
    """Return at most `MOST` quotes, the most direct one first, the others in reading order document by document.

    Unless `sure` that the best of them answers, nothing is quoted from elsewhere: it would be a guess beside a guess.
    """
    units, found = evidence.units, evidence.found
    order = [n for n in map(int, (-scores).argsort()) if units[n].kind != "heading"]
    ranges: list[_Range] = []
    for n in order[:_CONSIDERED]:
        if n != order[0] and not _adds(evidence, features, scores, n, order[0], sure=sure):
            continue
        if any(kept.first <= n <= kept.last for kept in ranges) or _said(units, ranges, n):
            continue
        if units[n].kind == "row":
            _add_row(ranges, evidence, n)
        else:
            _add(ranges, units, _grown(units, evidence.leads, n))
    return _sorted(found, [_quote(evidence, kept) for kept in ranges[:MOST]])


def _adds(evidence: Evidence, features: Matrix, scores: Matrix, n: int, best: int, *, sure: bool) -> bool:
    """Tell whether the evidence for a unit is not far below that for the best one."""
    unit, lead = evidence.units[n], evidence.units[best]
    below = scores[best] - scores[n]
    if unit.passage == lead.passage:
        return bool(below <= (_ROW_MARGIN if unit.kind == "row" else _MARGIN))
    hit, nearest = evidence.found[unit.passage], evidence.found[lead.passage]
    if unit.kind == "row" and lead.kind != "row" and hit.passage.document_id != nearest.passage.document_id:
        return False  # the few words of a table's cells resemble many a question
    probable = hit.score >= _COMPARABLE * nearest.score
    alike = np.all(features[n, _ALONE] >= _COMPARABLE * features[best, _ALONE])
    return bool(sure and probable and alike and below <= (_ROW_MARGIN if unit.kind == "row" else _ELSEWHERE))


def _joined(units: Sequence[Unit], first: int, last: int) -> bool:
    """Tell whether units are one stretch that is short enough to quote."""
    return (
        0 <= first <= last < len(units)
        and units[first].passage == units[last].passage
        and units[last].n - units[first].n == last - first
        and units[last].end - units[first].start <= LONGEST
    )


def _flows(units: Sequence[Unit], n: int) -> bool:
    """Tell whether a unit and the next are sentences of one paragraph, or belong to one list or table."""
    one, other = units[n], units[n + 1]
    return other.kind in ("item", "row") or (one.kind == other.kind and one.paragraph == other.paragraph)


def _grown(units: Sequence[Unit], leads: Sequence[int], n: int) -> _Range:
    """Add to a unit what it cannot be understood without, where that stands next to it and the quote stays short."""
    first = last = n
    if units[n].kind == "item" and _joined(units, leads[n], n):
        first = leads[n]
    elif units[n].kind == "sentence" and _LEANS.match(units[n].text) and _joined(units, n - 1, n) and _flows(units, n - 1):
        first = n - 1
    if units[n].kind == "item" or units[n].text.endswith(":"):
        while _joined(units, first, last + 1) and units[last + 1].kind == "item":
            last += 1
    return _Range(first, last)


def _add(ranges: list[_Range], units: Sequence[Unit], new: _Range) -> None:
    """Join a stretch with one it touches when both fit into one quote of two sentences or one list; else keep it apart."""
    for at, kept in enumerate(ranges):
        first, last = min(kept.first, new.first), max(kept.last, new.last)
        touching = new.first <= kept.last + 1 and kept.first <= new.last + 1
        prose = sum(unit.kind == "sentence" for unit in units[first : last + 1])
        if touching and prose <= 2 and _joined(units, first, last) and all(_flows(units, n) for n in range(first, last)):
            apart = [other for other in ranges[at + 1 :] if other.last < first or other.first > last]
            ranges[at:] = [_Range(first, last), *apart]
            return
    if all(kept.last < new.first or kept.first > new.last for kept in ranges):
        ranges.append(new)


def _add_row(ranges: list[_Range], evidence: Evidence, n: int) -> None:
    """Add a row of a table; its head is shown above it anyway, so quoted alone that gives way."""
    head = evidence.leads[n]
    for at, kept in enumerate(ranges):
        if evidence.units[kept.first].kind == "row" and evidence.leads[kept.first] == head:
            if head == n:
                return
            if kept.first == head:
                ranges[at] = _Range(n, n)
                return
    _add(ranges, evidence.units, _Range(n, n))


def _said(units: Sequence[Unit], ranges: Sequence[_Range], n: int) -> bool:
    """Tell whether a unit says hardly anything that the quotes do not say already."""
    own = set(words.content(units[n].text))
    for kept in ranges:
        other = {word for unit in units[kept.first : kept.last + 1] for word in words.content(unit.text)}
        shorter = min(len(own), len(other))
        if shorter and len(own & other) >= _ALIKE * shorter and _figures(own) <= _figures(other):
            return True
    return False


def _figures(content: set[str]) -> set[str]:
    return {word for word in content if word[0].isdigit()}


def _quote(evidence: Evidence, kept: _Range) -> Quote:
    units, lead = evidence.units, evidence.units[evidence.leads[kept.first]]
    unit = units[kept.first]
    hit = evidence.found[unit.passage]
    start, end = unit.start, units[kept.last].end
    if end - start > LONGEST:
        start, end = _clipped(evidence.question, hit.passage.text, start, end)
    head = lead.text if lead is not unit else table_head(unit, evidence.found) if unit.kind == "row" else ""
    return Quote(unit.passage, start, end, head if len(head) <= LONGEST else "")


def _clipped(question: Question, text: str, start: int, end: int) -> tuple[int, int]:
    """Return the stretch of whole clauses that says most of what was asked, and no more than fits."""
    borders = [start, *(gap.end() for gap in _CLAUSE.finditer(text, start, end)), end]
    best, most = (start, start), -1
    for first, a in enumerate(borders[:-1]):
        b = max((b for b in borders[first + 1 :] if b - a <= LONGEST), default=0) or _word_end(text, a, a + LONGEST)
        said = len(set(words.content(text[a:b])) & set(question.terms))
        if said > most:
            best, most = (a, b), said
    a, b = best
    return a, a + len(text[a:b].rstrip())


def _word_end(text: str, start: int, most: int) -> int:
    blank = text.rfind(" ", start, most)
    return blank if blank > start else most


def _sorted(found: Sequence[Found], quotes: list[Quote]) -> list[Quote]:
    """Keep the first quote first, then what stands beside it; the rest document by document in the order of the text."""
    documents = list(dict.fromkeys(found[quote.passage].passage.document_id for quote in quotes))

    def place(quote: Quote) -> tuple[bool, bool, int, int]:
        passage = found[quote.passage].passage
        beside = quote.passage == quotes[0].passage
        return quote is not quotes[0], not beside, documents.index(passage.document_id), passage.start + quote.start

    return sorted(quotes, key=place)
