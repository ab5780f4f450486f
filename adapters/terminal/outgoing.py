"""What the twin says, as text for a terminal (pure)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from textwrap import shorten
from typing import Protocol

from bot.chat import Answer

HELP = """\
Ask a question, or type or drop the path of a file or folder to teach it.

Documents
  /docs              what I have learned
  /search WORDS      the passages nearest to some words
  /forget ID         forget a document for good (its id is in /docs); asks first, `/forget ID yes` does not

My last answer
  /why               what I searched for, what I found, and what became of it
  /again             answer the same question anew
  /good, /bad REASON tell me what you think of it; /undo takes that back
  /export md FILE    this conversation as Markdown, or json; without FILE here on the screen

You
  /remember TEXT     a note that only you are told of; /notes lists them, `/forget ID` forgets one
  /forget me         forget your notes, questions and opinions; asks first

Me
  /model             who writes my answers; /model NAME has another one do it, /model reset goes back
  /stats DAYS        what you asked lately, and what it took
  /quit              leave (Ctrl-D does too)"""


_LISTED = 20  # documents: what fits on a screen


class Document(Protocol):
    """What is shown of a document."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def state(self) -> str: ...
    @property
    def pages(self) -> int | None: ...
    @property
    def passages(self) -> int: ...


class Receipt(Protocol):
    """What is shown of something taught."""

    @property
    def name(self) -> str: ...
    @property
    def outcome(self) -> str: ...
    @property
    def document(self) -> Document | None: ...
    @property
    def error(self) -> str | None: ...
    @property
    def attached(self) -> Sequence["Receipt"]: ...


class Passage(Protocol):
    """What is shown of a passage."""

    @property
    def title(self) -> str: ...
    @property
    def page(self) -> int | None: ...
    @property
    def heading(self) -> str | None: ...
    @property
    def text(self) -> str: ...


class Found(Protocol):
    """A passage and how well it fits, from 0 to 1."""

    @property
    def passage(self) -> Passage: ...
    @property
    def score(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Style:
    """How a terminal shows what is secondary and what leads; empty where the text is not for a terminal."""

    faint: str = ""
    strong: str = ""
    end: str = ""
    bar: str = ">"


PLAIN = Style()
ANSI = Style(faint="\x1b[2m", strong="\x1b[1m", end="\x1b[0m", bar="\x1b[2m│\x1b[0m")


class Flow:
    """Lays out Markdown as it arrives in pieces: broken between words to fit a width (0 breaks nothing), and where the style
    has colours, bold type and quotations with a bar at their side.
    """

    def __init__(self, width: int, style: Style = PLAIN) -> None:
        self._width = width
        self._style = style
        self._column = 0
        self._gap = ""
        self._word = ""
        self._margin = ""  # begins each line of a quotation
        self._bold = False

    def add(self, text: str) -> str:
        """Return what can be shown now; the last word waits until it is known to be whole."""
        shown = ""
        for character in text:
            if not character.isspace():
                self._word += character
                continue
            shown += self.end()
            if character == "\n":
                shown += character
                self._column, self._gap, self._margin = 0, "", ""
            else:
                self._gap += character
        return shown

    def end(self) -> str:
        """Return the word that was still waiting."""
        word, gap = self._word, self._gap
        if not word:
            return ""
        self._gap = self._word = ""
        if word == ">" and not self._column and not gap:
            self._margin = self._style.bar
            self._column = 1
            return self._margin
        length = len(word.replace("**", "") if self._style.strong else word)
        if self._width and self._column and self._column + len(gap) + length > self._width:
            self._column = length + (2 if self._margin else 0)
            return f"\n{self._margin}{' ' if self._margin else ''}{self._painted(word)}"
        self._column += len(gap) + length
        return gap + self._painted(word)

    def _painted(self, word: str) -> str:
        if not self._style.strong:
            return word
        first, *rest = word.split("**")
        for part in rest:
            self._bold = not self._bold
            first += (self._style.strong if self._bold else self._style.end) + part
        return first


def sources(answer: Answer, style: Style = PLAIN) -> str:
    """Return the numbered sources of an answer, with where in the document and how to open it; empty when there are none."""
    lines = []
    for source in answer.sources:
        lines.append(f"  [{source.n}] {style.strong}{source.title}{style.end}{where(source.page, source.heading)}")
        lines.append(f"      {style.faint}{source.url}{style.end}")
    return "\n".join(["Sources", *lines]) if lines else ""


def notice(answer: Answer, style: Style = PLAIN) -> str:
    """Return what is said beside an answer to all who read it; empty when there is nothing."""
    return f"{style.faint}({answer.notice}){style.end}" if answer.notice else ""


def aside(answer: Answer, style: Style = PLAIN) -> str:
    """Return what is said beside an answer to its asker alone; empty when there is nothing."""
    return f"{style.faint}(For you alone: {answer.aside}){style.end}" if answer.aside else ""


def learned(receipt: Receipt) -> str:
    """Return what became of something taught, with what came inside it indented below."""
    inside = [f"  {line}" for one in receipt.attached for line in learned(one).splitlines()]
    return "\n".join([_outcome(receipt), *inside])


def documents(documents: Sequence[Document], style: Style = PLAIN) -> str:
    """Return one line for each of the first documents, and how many more there are."""
    lines = [f"  {style.faint}{one.id[:8]}{style.end}  {one.title}{_remark(one, style)}" for one in documents[:_LISTED]]
    if len(documents) > _LISTED:
        lines.append(f"  … and {len(documents) - _LISTED} more: `twin docs list`")
    return "\n".join(lines) or "Nothing yet. Type or drop the path of a file to teach it."


def remarks(document: Document) -> list[str]:
    """Return what tells a document from others of its title: its file where that is called otherwise, version and state."""
    differs = document.title.casefold() not in {document.name.casefold(), PurePath(document.name).stem.casefold()}
    replaced = document.state == "superseded"
    return [
        *([document.name] if differs else []),
        *([f"v{document.version}"] if document.version > 1 or replaced else []),
        *(["replaced"] if replaced else [] if document.state == "ready" else [document.state]),
    ]


def passages(found: Iterable[Found], style: Style = PLAIN) -> str:
    """Return found passages, each with its score, place and beginning."""
    lines = []
    for n, one in enumerate(found, 1):
        passage = one.passage
        at = where(passage.page, passage.heading)
        lines.append(f"{n:>3}. {style.strong}{passage.title}{style.end}{at} {style.faint}({one.score:.2f}){style.end}")
        lines.append(f"     {shorten(passage.text, 240, placeholder=' …')}")
    return "\n".join(lines) or "Nothing found."


def where(page: int | None, heading: str | None) -> str:
    """Return where in a document something stands, to be put after its title."""
    return (f", page {page}" if page is not None else "") + (f" · {heading}" if heading else "")


def _remark(document: Document, style: Style) -> str:
    return f" {style.faint}({', '.join([*remarks(document), _size(document)])}){style.end}"


def _size(document: Document) -> str:
    passages = f"{document.passages} {'passage' if document.passages == 1 else 'passages'}"
    if document.pages is None:
        return passages
    return f"{document.pages} {'page' if document.pages == 1 else 'pages'}, {passages}"


def _outcome(receipt: Receipt) -> str:
    document = receipt.document
    match receipt.outcome:
        case "learned" if document:
            return f"Learned “{document.title}”: {_size(document)}."
        case "updated" if document:
            return f"Learned the new version of “{document.title}”: {_size(document)}. The old one is no longer found."
        case "duplicate" if document:
            return f"“{document.title}” is known already."
        case "unsupported":
            return f"Left out {receipt.name}: {receipt.error}"
        case _:
            return f"Could not learn {receipt.name}: {receipt.error}"
