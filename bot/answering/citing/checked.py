"""An answer that is checked while it is written: shown is only what will stay (pure)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from bot.answering import inert
from bot.answering.citing import flow, marks, quotations
from bot.answering.citing.sources import source, url
from bot.answering.citing.statement import Statement
from bot.answering.citing.support import Grounds
from bot.answering.inert import code
from bot.chat import Source
from knowledge import Found

UNKNOWN = "I don't know."
"""What a model is told to say when the sources do not hold the answer, and what is said when nothing it wrote holds."""
UNSUPPORTED = "(not from the sources)"
MOST = 20_000
"""Characters of an answer that are read; a model that writes more has lost its way."""

_GROWN = 24  # characters between two looks for the end of a sentence; where it is cut does not depend on it
_PIECE = 4_000  # characters after which a piece is taken for whole, however it goes on
_ROUNDS = 4
_UNKNOWN = re.compile(r"\W*i\s+(?:do\s*n[o'’]?t|don[’']?t)\s+know\b", re.IGNORECASE)
_UNKNOWN_WORDS = 12
_LAST_CELL = re.compile(r"(\s*\|?\s*)\Z")


@dataclass(frozen=True, slots=True)
class Outcome:
    """A checked answer; `rest` is what was not yet shown of its text.

    The counts say what did not hold: marks of passages that the prompt did not have, quotations that nobody said, and
    statements that no passage carries.
    """

    text: str
    sources: tuple[Source, ...]
    abstained: bool
    rest: str
    forged: int = 0
    misquoted: int = 0
    unsupported: int = 0


class Checked:
    """Checks an answer sentence by sentence while a model writes it; `[n]` in it is `found[n - 1]`.

    What opens an answer is held until the first statement that a passage carries, so that an answer of which nothing holds
    is an abstention of which nothing was shown. A statement without support that comes later is shown, and marked.
    """

    def __init__(self, found: Sequence[Found], question: str) -> None:
        self._grounds = Grounds(found, question)
        self._spoken = quotations.Spoken([*(hit.passage.text for hit in found), question])
        self._addresses: dict[int, frozenset[str]] = {}
        self._numbers: dict[int, int] = {}  # of the prompt -> as shown
        self._buffer, self._since, self._looked, self._read = "", 0, 0, 0
        self._held, self._gap, self._shown = "", "", ""
        self._unknown = False
        self._forged = self._misquoted = self._unsupported = 0

    def add(self, text: str) -> str:
        """Take what a model wrote next; return what may be shown now."""
        text = text[: MOST - self._read]
        self._read += len(text)
        self._buffer += text
        if "\n" not in text and len(self._buffer) - self._looked < _GROWN:
            return ""
        return self._judged(ended=False)

    def end(self) -> Outcome:
        """Judge what is left, and return the whole."""
        shown = len(self._shown)
        self._judged(ended=True)
        if not self._numbers or not self._shown:
            return Outcome(UNKNOWN, (), True, UNKNOWN, self._forged, self._misquoted, self._unsupported)
        sources = tuple(source(self._grounds[n].hit, self._grounds[n].quote(), number) for n, number in self._numbers.items())
        text = self._shown
        return Outcome(text, sources, False, text[shown:], self._forged, self._misquoted, self._unsupported)

    def _judged(self, *, ended: bool) -> str:
        """Judge every whole piece; return what may be shown of them."""
        shown = len(self._shown)
        while self._buffer and not self._unknown:
            longer = len(self._buffer) > _PIECE
            at, self._since = flow.cut(self._buffer[:_PIECE], self._since, ended=ended and not longer)
            if not at and not longer:
                break
            self._since = 0
            piece, self._buffer = self._buffer[: at or _PIECE], self._buffer[at or _PIECE :]
            self._show(piece if at else f"{piece} ")  # what was one word there must not become one again
        self._looked = len(self._buffer)
        return self._shown[shown:]

    def _show(self, piece: str) -> None:
        body = piece.rstrip()
        gap = inert.visible(piece[len(body) :])
        body = self._checked(body) if body.strip() else ""
        if body:
            self._held += self._gap + body if self._held or self._shown else body.lstrip("\n")
            self._gap = gap
        elif gap.count("\n") > self._gap.count("\n"):
            self._gap = gap
        if self._numbers:
            self._shown += self._held
            self._held = ""

    def _checked(self, piece: str) -> str:
        """Return a sentence, line or block as it may be shown."""
        text = inert.harmless(marks.clean(piece), self._everything)
        text, quoted, misquoted = quotations.checked(text, self._spoken)
        self._misquoted += misquoted
        if not self._numbers and _unknown(text):
            self._unknown = True
            return ""
        cited, plain = _read(text)
        statement = Statement(plain)
        resting = [*cited, *(n for n in quoted if n in self._grounds)]
        carrying = self._grounds.carrying(statement, resting) if resting or not statement.leads else []
        for n in carrying:
            self._numbers.setdefault(n, len(self._numbers) + 1)
            self._grounds[n].rest(statement)
        text = self._marked(text, carrying, cited)
        if not carrying and not statement.connects:
            self._unsupported += 1
            text = _appended(text, UNSUPPORTED)
        return self._finished(text)

    def _marked(self, text: str, carrying: Sequence[int], cited: Sequence[int]) -> str:
        """Put the marks of the passages that carry a statement in the place of those that a model wrote."""
        self._forged += sum(n not in self._grounds for n in cited)
        text = "".join(part if is_code else self._hold(part, carrying) for is_code, part in code.parts(text))
        missing = [self._numbers[n] for n in carrying if n not in cited]
        return _appended(text, marks.held_marks(missing)) if missing else text

    def _hold(self, text: str, carrying: Sequence[int]) -> str:
        return marks.hold(text, lambda n: self._numbers[n] if n in carrying else None)

    def _finished(self, text: str) -> str:
        """Return a piece with links to nothing but what the sources cited so far hold, and with no mark but those that hold."""
        allowed = frozenset[str]().union(*(self._allowed(n) for n in self._numbers))
        for _ in range(_ROUNDS):
            before = text
            text = inert.harmless(text, allowed)
            text = "".join(part if is_code else self._hold(part, ()) for is_code, part in code.parts(text))
            if text == before:
                break
        return marks.written(text)

    @cached_property
    def _everything(self) -> frozenset[str]:
        return frozenset[str]().union(*(self._allowed(n) for n in range(1, len(self._grounds.found) + 1)))

    def _allowed(self, n: int) -> frozenset[str]:
        """Return the addresses that stand in a passage, and its own."""
        if n not in self._addresses:
            hit = self._grounds[n].hit
            self._addresses[n] = inert.addresses(hit.passage.text) | {hit.passage.url, url(hit)}
        return self._addresses[n]


def _read(text: str) -> tuple[list[int], str]:
    """Return which passages a piece cites, and what it says."""
    cited: list[int] = []
    said: list[str] = []
    for is_code, part in code.parts(text):
        cited += [] if is_code else marks.numbers(part)
        said.append(part if is_code else marks.without(part))
    return list(dict.fromkeys(cited)), "".join(said).replace(inert.REMOVED, "")


def _unknown(text: str) -> bool:
    return _UNKNOWN.match(text) is not None and len(text.split()) <= _UNKNOWN_WORDS


def _appended(text: str, mark: str) -> str:
    """Put a mark behind a sentence, into the last cell of a table, or under a block of code."""
    if text.rstrip().endswith("```"):
        return f"{text}\n{mark}"
    if text.lstrip().startswith("|"):
        return _LAST_CELL.sub(lambda end: f" {mark}{end.group()}", text, count=1)
    return f"{text} {mark}"
