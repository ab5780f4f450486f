"""What notices say of documents, line by line: it goes when a document is forgotten."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Update, case, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.tables import MESSAGES, OUTBOX, QUOTES

Living = Callable[[AsyncConnection, Iterable[str]], Awaitable[set[str]]]
"""Tells which of some documents are there, until the end of a transaction."""


async def all_of(_connection: AsyncConnection, documents: Iterable[str]) -> set[str]:
    """Take every document to be there."""
    return set(documents)


@dataclass(frozen=True, slots=True)
class Quote:
    """A line that says something of a document, and what stands there when that is forgotten; without that the line goes.

    Instead of a document it may be a message of a platform that asked something, by its origin: such a name has a `/` in it.
    """

    document_id: str
    line: str
    instead: str = ""


async def keep(connection: AsyncConnection, key: str, text: str, quotes: Sequence[Quote], living: Living) -> str:
    """Keep which lines of a notice are of which documents; return it as it may be shown: some may be forgotten by now."""
    await connection.execute(delete(QUOTES).where(QUOTES.c.key == key))
    if not quotes:
        return text
    named = {one.document_id for one in quotes}
    asked = select(MESSAGES.c.origin).where(MESSAGES.c.origin.in_([one for one in named if "/" in one]))
    there = {*(await connection.execute(asked)).scalars(), *await living(connection, {one for one in named if "/" not in one})}
    gone = {one.line for one in quotes if one.document_id not in there}
    if kept := [one for one in quotes if one.line not in gone]:
        rows = [{"key": key, "document_id": one.document_id, "line": one.line, "instead": one.instead} for one in kept]
        await connection.execute(insert(QUOTES), rows)
    return without(text, [one for one in quotes if one.document_id not in there])


async def forget(connection: AsyncConnection, documents: Sequence[str]) -> None:
    """Take what notices say of documents out of them; what is shown of them is to be shown anew."""
    of_these = QUOTES.c.document_id.in_(documents)
    quoting = select(QUOTES.c.key, QUOTES.c.document_id, QUOTES.c.line, QUOTES.c.instead).where(of_these).order_by(QUOTES.c.id)
    quotes: dict[str, list[Quote]] = {}
    for row in await connection.execute(quoting):
        quotes.setdefault(row.key, []).append(Quote(row.document_id, row.line, row.instead))
    for key, gone in quotes.items():
        this = OUTBOX.c.key == key
        text = (await connection.execute(select(OUTBOX.c.text).where(this))).scalar()
        if text is not None:
            await connection.execute(anew(this).values(text=without(text, gone)))
        lines = [one.line for one in gone]  # of which some say something of other documents too
        await connection.execute(delete(QUOTES).where(QUOTES.c.key == key, QUOTES.c.line.in_(lines)))


def anew(where: ColumnElement[bool]) -> Update:
    """Return how replies are shown anew whose content is another one now, also those that are being delivered just now."""
    state = case((OUTBOX.c.state == "delivered", "whole"), else_=OUTBOX.c.state)
    return update(OUTBOX).where(where).values(state=state, revision=OUTBOX.c.revision + 1)


def without(text: str, quotes: Iterable[Quote]) -> str:
    """Return a notice without what it says of documents (pure)."""
    lines = text.split("\n")
    for quote in quotes:
        n = next((n for n, line in enumerate(lines) if _is(line, quote.line)), None)
        if n is None:
            continue
        if quote.instead:
            lines[n] = f"{_bullet(lines[n])}{quote.instead}"
        else:
            del lines[n]
    return "\n".join(lines)


def _is(line: str, quoted: str) -> bool:
    """Say whether a line is one that was kept; what is too long stands there as its beginning."""
    said = line.removeprefix(_bullet(line))
    return said == quoted or (said.endswith("…") and len(said) > 1 and quoted.startswith(said[:-1]))


def _bullet(line: str) -> str:
    return "- " if line.startswith("- ") else ""
