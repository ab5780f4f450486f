"""What the twin tells of itself on platforms, as Markdown (pure)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from textwrap import shorten
from typing import Protocol

from bot.chat import Answer

_LISTED = 20


class Document(Protocol):
    """What is shown of a document."""

    @property
    def id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def scopes(self) -> Sequence[str]: ...
    @property
    def added_at(self) -> datetime: ...
    @property
    def added_by(self) -> str: ...
    @property
    def pages(self) -> int | None: ...
    @property
    def passages(self) -> int: ...


class Receipt(Protocol):
    """What is shown of something taught."""

    @property
    def outcome(self) -> str: ...
    @property
    def error(self) -> str | None: ...


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


class Considered(Protocol):
    """What is shown of a passage that was considered; `score` from 0 to 1."""

    @property
    def title(self) -> str: ...
    @property
    def page(self) -> int | None: ...
    @property
    def heading(self) -> str | None: ...
    @property
    def score(self) -> float: ...
    @property
    def fate(self) -> str: ...


class Why(Protocol):
    """What is shown of how an answer came about."""

    @property
    def answer(self) -> Answer: ...
    @property
    def query(self) -> str: ...
    @property
    def considered(self) -> Sequence[Considered]: ...


class Chosen(Protocol):
    """What is shown of how answers are written."""

    @property
    def model(self) -> str: ...
    @property
    def max_tokens(self) -> int: ...


class Opinion(Protocol):
    """What somebody thinks of an answer, and thought before: 1, -1, or 0 for nothing."""

    @property
    def value(self) -> int: ...
    @property
    def before(self) -> int: ...


class Figures(Protocol):
    """What is shown of what was asked."""

    @property
    def questions(self) -> int: ...
    @property
    def answers(self) -> int: ...
    @property
    def abstained(self) -> int: ...


class Teacher(Protocol):
    """Somebody by their name, which may not be known, and how many documents they taught."""

    @property
    def name(self) -> str: ...
    @property
    def documents(self) -> int: ...


class Digest(Protocol):
    """What is shown of what happened in a place since a moment."""

    @property
    def since(self) -> datetime: ...
    @property
    def learned(self) -> Sequence[Document]: ...
    @property
    def messages(self) -> int: ...
    @property
    def teachers(self) -> Sequence[Teacher]: ...
    @property
    def asked(self) -> int: ...
    @property
    def answered(self) -> int: ...
    @property
    def open(self) -> Sequence[str]: ...
    @property
    def origins(self) -> Sequence[str]: ...


def line(text: str) -> str:
    """Return a text as it can stand within a line, where it is neither code, nor bold, nor a link."""
    return " ".join(text.replace("`", "'").replace("*", "∗").replace("](", "] (").split())


def where(page: int | None, heading: str | None) -> str:
    """Return where in a document something stands, to be put after its title."""
    return (f", p. {page}" if page is not None else "") + (f" › {line(heading)}" if heading else "")


def documents(documents: Sequence[Document]) -> str:
    """Return one line for each of the newest documents, and how many more there are."""
    living = known(documents)
    lines = [f"- `{one.id[:8]}` {line(one.title)} ({size(one)})" for one in living[:_LISTED]]
    if len(living) > _LISTED:
        lines.append(f"… and {len(living) - _LISTED} more; `/twin search WORDS` finds what is in them.")
    return "\n".join(lines) or "Nothing yet that you may see. Post a file and mention me to teach it."


def known(documents: Iterable[Document]) -> list[Document]:
    """Return the documents that are found, each once."""
    return [one for one in documents if one.state == "ready"]


def size(document: Document) -> str:
    """Return how long a document is."""
    passages = counted(document.passages, "passage")
    return passages if document.pages is None else f"{counted(document.pages, 'page')}, {passages}"


def passages(found: Iterable[Found]) -> str:
    """Return found passages, each with its score, place and beginning."""
    lines = []
    for n, one in enumerate(found, 1):
        at = where(one.passage.page, one.passage.heading)
        lines.append(f"{n}. **{line(one.passage.title)}**{at} ({one.score:.2f})")
        lines.append(f"   {shorten(line(one.passage.text), 240, placeholder=' …')}")
    return "\n".join(lines) or "Nothing found that you may see."


def why(why: Why) -> str:
    """Return who wrote an answer, what was searched for, and each passage with what became of it."""
    lines = [writer(why.answer), f"Searched for: {line(why.query)}" if why.query else "Nothing was searched for."]
    if not why.considered:
        return "\n".join([*lines, "I found nothing that you may see."])
    lines.append("Passages, with how likely each holds the answer:")
    for n, one in enumerate(why.considered[:10], 1):
        lines.append(f"{n}. {line(one.title)}{where(one.page, one.heading)} – {one.fate}, {one.score:.2f}")
    return "\n".join(lines)


def writer(answer: Answer) -> str:
    """Return who wrote an answer."""
    if answer.model and answer.provider != "extractive":
        return f"Written by {answer.provider}:{answer.model}."
    if answer.abstained:
        return "Nothing that I found supports an answer well enough."
    return "Quoted from the sources, without a language model."


def model(chosen: Chosen) -> str:
    """Return who writes answers."""
    first = next((name.strip() for name in chosen.model.split(",") if name.strip() not in {"", "extractive"}), "")
    if not first:
        return "I quote my sources; no language model writes here."
    return f"My answers here are written by {first}, in at most {chosen.max_tokens:,} tokens. `/twin model reset` goes back."


def opinion(opinion: Opinion) -> str:
    """Return what was noted."""
    names = {1: "good", -1: "bad"}
    if opinion.value:
        return f"Thank you, noted: that answer was {names[opinion.value]}. The same button once more takes it back."
    return "Taken back: you have said nothing about that answer."


def figures(figures: Figures, days: int) -> str:
    """Return what was asked in the last days."""
    since = "In the last day" if days == 1 else f"In the last {days} days"
    asked = f"{counted(figures.questions, 'question')} and {counted(figures.answers, 'answer')}"
    return f"{since}: {asked}, {figures.abstained} of them “I don't know”."


def digest_lines(told: Digest) -> tuple[str, list[tuple[str, str]]]:
    """Return a digest, and which of its lines say something of which document, or of which message that asked something."""
    named = [(one.id, _learned(one)) for one in told.learned]
    asked = [(origin, _open(one)) for one, origin in zip(told.open, told.origins, strict=True) if origin]
    said = digest(told)
    return said, [(of, one) for of, one in (*named, *asked) if f"- {one}" in said.splitlines()]


def digest(digest: Digest) -> str:
    """Return what was learned in a place, by whom, and what nobody could answer there."""
    began = day(digest.since)
    if not (digest.learned or digest.messages or digest.asked):
        return f"Nothing was learned or asked here since {began}."
    learned = counted(len(digest.learned), "document") + (
        f" and {counted(digest.messages, 'message')}" if digest.messages else ""
    )
    asked = (
        f"{counted(digest.asked, 'question')} asked, {digest.answered:,} of them answered" if digest.asked else "nothing asked"
    )
    parts = [f"**Since {began}**: {learned} learned; {asked}."]
    if digest.learned:
        parts.append(_list("**Learned**", [_learned(one) for one in digest.learned]))
    if digest.teachers:
        people = (f"{line(one.name) or 'somebody'} ({one.documents:,})" for one in digest.teachers[:_LISTED])
        parts.append(f"**Taught by** {', '.join(people)}")
    if digest.open:
        parts.append(_list("**Nobody could answer** (teach me what would)", [_open(one) for one in digest.open]))
    return "\n\n".join(parts)


def weekly(on: bool) -> str:
    """Return whether a digest is posted each week."""
    if on:
        return "I post a digest here every Monday morning, when there is something to tell. `/twin digest off` ends it."
    return "I post no digest here. `/twin digest on` has me post one every Monday."


def _learned(document: Document) -> str:
    return f"{line(document.title)} ({size(document)})"


def _open(question: str) -> str:
    return shorten(line(question), 300)


def _list(heading: str, items: Sequence[str]) -> str:
    more = [f"… and {len(items) - _LISTED:,} more"] if len(items) > _LISTED else []
    return "\n".join([heading, *(f"- {item}" for item in [*items[:_LISTED], *more])])


def day(moment: datetime) -> str:
    """Return the day of a moment."""
    return f"{moment:%d %B %Y}".removeprefix("0")


def remembered(receipt: Receipt) -> str:
    """Return what became of a note."""
    match receipt.outcome:
        case "learned" | "updated":
            return "I will remember that, and tell nobody but you. `/twin notes` lists your notes."
        case "duplicate":
            return "I remember that already."
    return f"I could not remember that: {receipt.error}"


def notes(notes: Sequence[Document]) -> str:
    """Return one line for each note, with the beginning of its id."""
    lines = [f"- `{one.id[:8]}` {line(one.title.removeprefix('Your note: '))}" for one in notes]
    return "\n".join(lines) or "None yet. `/twin remember TEXT` keeps one for you."


def forgotten_person(documents: int, questions: int) -> str:
    """Return what went with a person."""
    went = f"{counted(documents, 'note or message')}, {counted(questions, 'question')} with what I answered"
    return f"Forgotten: {went}, and what you thought of answers. Files that you taught to channels stay."


def counted(count: int, what: str) -> str:
    """Return how many there are of something."""
    if count == 1:
        return f"1 {what}"
    return f"{count:,} {' or '.join(f'{word}s' for word in what.split(' or '))}"
