"""What a person can order in the terminal beside asking and teaching: each order gets a text in return."""

import asyncio
import re
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, Protocol, TypedDict

from adapters.terminal import incoming, keyboard, outgoing, reports
from bot.chat import Person, Place

Format = Literal["md", "json"]
NOTHING_SAID = "I have not answered anything yet in this conversation. Ask me something first."


class Here(TypedDict):
    """Where something is said, and by whom."""

    place: Place
    person: Person


class Changes(TypedDict, total=False):
    """What can be changed about how answers are written."""

    model: str | None
    temperature: float | None
    max_tokens: int | None
    system_prompt: str | None
    persona: str | None


class Shelf(Protocol):
    """Keeps documents."""

    async def documents(self, *, place: Place, person: Person) -> Sequence[outgoing.Document]:
        """Return all documents that may be seen, newest first."""

    async def document(self, document_id: str, *, place: Place, person: Person) -> outgoing.Document:
        """Return one document by its id or the unambiguous beginning of it."""

    async def forget(self, document_id: str, *, place: Place, person: Person) -> outgoing.Document:
        """Forget a document for good."""


class Searching(Protocol):
    """Searches documents."""

    async def search(self, query: str, *, place: Place, person: Person) -> Sequence[outgoing.Found]:
        """Return the passages nearest to a query."""


class Judging(Protocol):
    """Tells of its answers, and is told what they are worth."""

    async def why(self, message_id: str, *, place: Place, person: Person) -> reports.Why:
        """Tell how an answer came about."""

    async def give_feedback(
        self, message_id: str, value: int, reason: str = "", *, place: Place, person: Person
    ) -> reports.Opinion:
        """Keep what a person thinks of an answer: 1, -1, or 0 to take it back."""

    async def export(self, conversation: str, format: Format, *, place: Place, person: Person) -> str:
        """Return a conversation as Markdown or JSON."""


class Remembering(Protocol):
    """Remembers what people ask it to."""

    async def remember(self, text: str, *, place: Place, person: Person) -> outgoing.Receipt:
        """Keep a note for a person, who alone is told of it."""

    async def notes(self, *, person: Person) -> Sequence[outgoing.Document]:
        """Return the notes of a person."""

    async def forget_me(self, *, person: Person) -> tuple[int, int]:
        """Forget a person; return how many documents and questions went."""


class Written(Protocol):
    """Writes as it is told to."""

    async def models(self, *, place: Place) -> reports.Chosen:
        """Return how answers are written in a place."""

    async def use_model(self, changes: Changes, *, place: Place, person: Person) -> reports.Chosen:
        """Change how answers are written in a place."""

    async def reset_model(self, *, place: Place, person: Person) -> reports.Chosen:
        """Undo what was changed in a place; return how it was."""


class Counting(Protocol):
    """Keeps figures."""

    async def stats(self, *, place: Place, person: Person, days: int = 7) -> reports.Figures:
        """Sum up what was asked in the last days."""


class Commanded(Shelf, Searching, Judging, Remembering, Written, Counting, Protocol):
    """What does what is ordered."""


@dataclass(slots=True)
class Seat:
    """Who sits at the terminal, and which conversation and answer they have before them."""

    place: Place
    person: Person
    conversation: str | None = None
    answer: str | None = None

    @property
    def here(self) -> Here:
        return {"place": self.place, "person": self.person}


async def obey(twin: Commanded, seat: Seat, order: incoming.Command, style: outgoing.Style = outgoing.PLAIN) -> str:
    """Do what is ordered and return what to show."""
    if obeys := _ORDERS.get(order.name):
        return await obeys(twin, seat, order.rest, style)
    return outgoing.HELP


async def _docs(twin: Shelf, seat: Seat, _rest: str, style: outgoing.Style) -> str:
    return outgoing.documents(await twin.documents(**seat.here), style)


async def _search(twin: Searching, seat: Seat, words: str, style: outgoing.Style) -> str:
    if not words:
        return "Which words? `/search WORDS` shows the passages nearest to them."
    return outgoing.passages(await twin.search(words, **seat.here), style)


async def _forget(twin: Commanded, seat: Seat, rest: str, _style: outgoing.Style) -> str:
    match rest.split():
        case ["me", *yes] if yes in ([], ["yes"]):
            return await _forget_me(twin, seat, asked=bool(yes))
        case [document_id]:
            document = await twin.document(document_id, **seat.here)
            if not sys.stdin.isatty():
                return f"Forgetting “{document.title}” cannot be undone. `/forget {document_id} yes` does it."
            if not await keyboard.confirmed(f"Forget “{document.title}” for good?"):
                return "Nothing was forgotten."
        case [document_id, "yes"]:
            pass
        case _:
            return "Which document? `/forget ID` takes one id; /docs shows them. `/forget me` forgets what I know of you."
    forgotten = await twin.forget(document_id, **seat.here)
    return f"Forgotten: “{forgotten.title}”. Nothing of it is left."


async def _forget_me(twin: Remembering, seat: Seat, *, asked: bool) -> str:
    if not asked and not sys.stdin.isatty():
        return "Forgetting you cannot be undone. `/forget me yes` does it."
    if not asked and not await keyboard.confirmed("Forget your notes, your questions with their answers, and your opinions?"):
        return "Nothing was forgotten."
    gone = await twin.forget_me(person=seat.person)
    seat.conversation = seat.answer = None
    return reports.forgotten_person(*gone)


async def _why(twin: Judging, seat: Seat, _rest: str, style: outgoing.Style) -> str:
    if seat.answer is None:
        return NOTHING_SAID
    return reports.why(await twin.why(seat.answer, **seat.here), style)


async def _judge(value: int, twin: Judging, seat: Seat, reason: str, _style: outgoing.Style) -> str:
    if seat.answer is None:
        return NOTHING_SAID
    return reports.opinion(await twin.give_feedback(seat.answer, value, reason if value else "", **seat.here))


async def _export(twin: Judging, seat: Seat, rest: str, _style: outgoing.Style) -> str:
    if seat.conversation is None:
        return NOTHING_SAID
    first, _, name = rest.partition(" ")
    if first in {"md", "json"}:
        file = incoming.file_named(name) if name.strip() else None
    elif not rest or rest.strip("'\"").endswith((".md", ".json")):
        file = incoming.file_named(rest) if rest else None
    else:
        return "`/export md FILE` or `/export json FILE`; without FILE it is shown here."
    format: Format = "json" if first == "json" or (file and file.suffix == ".json" and first != "md") else "md"
    if file is not None and (reason := await _unwritable(file)):
        return reason
    text = await twin.export(seat.conversation, format, **seat.here)
    if file is None:
        return text.rstrip("\n")
    try:
        await asyncio.to_thread(file.write_text, text, "utf-8")
    except OSError as error:
        return f"{file} cannot be written: {error.strerror}."
    return f"This conversation is in {file}."


async def _unwritable(file: Path) -> str:
    """Say why a file is not to be written, if it is not."""
    try:
        there, folder = await asyncio.to_thread(file.exists), await asyncio.to_thread(file.is_dir)
    except OSError as error:
        return f"{file} cannot be written: {error.strerror}."
    if folder:
        return f"{file} is a folder. Name a file in it: `/export md {file / 'conversation.md'}`."
    if not there:
        return ""
    if not sys.stdin.isatty():
        return f"There is a file {file} already. Name another one."
    return "" if await keyboard.confirmed(f"There is a file {file} already. Overwrite it?") else "Nothing was written."


async def _remember(twin: Remembering, seat: Seat, text: str, _style: outgoing.Style) -> str:
    if not text:
        return "What? `/remember TEXT` keeps a note that only you are told of."
    return reports.remembered(await twin.remember(text, **seat.here))


async def _model(twin: Written, seat: Seat, name: str, _style: outgoing.Style) -> str:
    match name:
        case "":
            return reports.model(await twin.models(place=seat.place))
        case "reset":
            await twin.reset_model(**seat.here)
            return reports.model(await twin.models(place=seat.place))
    return reports.model(await twin.use_model({"model": name}, **seat.here))


async def _stats(twin: Counting, seat: Seat, rest: str, _style: outgoing.Style) -> str:
    days = rest or "7"
    if not re.fullmatch(r"[1-9][0-9]{0,2}", days):
        return "How many days? `/stats 30` sums up the last 30; 999 is the most."
    return reports.figures(await twin.stats(**seat.here, days=int(days)), int(days))


async def _notes(twin: Remembering, seat: Seat, _rest: str, style: outgoing.Style) -> str:
    return reports.notes(await twin.notes(person=seat.person), style)


_ORDERS: Mapping[str, Callable[[Commanded, Seat, str, outgoing.Style], Awaitable[str]]] = {
    "docs": _docs,
    "search": _search,
    "forget": _forget,
    "why": _why,
    "good": partial(_judge, 1),
    "bad": partial(_judge, -1),
    "undo": partial(_judge, 0),
    "export": _export,
    "remember": _remember,
    "notes": _notes,
    "model": _model,
    "stats": _stats,
}
