"""What is kept under an id that is another one now: that of a place, or of a person whose accounts were found to be one's."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Column, ColumnElement, Row, Table, delete, func, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.chat import Place, What
from bot.people.sight import OWN
from bot.record.history import thread_id
from bot.tables import (
    CANDIDATES,
    CONVERSATIONS,
    FEEDBACK,
    INBOX,
    MEMBERSHIPS,
    MESSAGES,
    MODELS,
    OUTBOX,
    PLACES,
    POSTS,
    USAGE,
)
from knowledge import Knowledge, fault

# --- a place


async def place(engine: AsyncEngine, knowledge: Knowledge, old: str, new: str) -> list[tuple[str, str]]:
    """Have everything of a place belong to its new id, with what is told in it to people alone; return which is which now.

    Done again, it changes nothing more.
    """
    async with engine.begin() as connection:
        alone = await _alone(connection, old) | await _alone(connection, new)  # the latter when it is done again
        pairs = [(old + one, new + one) for one in ("", *sorted(alone))]
        for before, after in pairs:
            await _moved(connection, before, after)
    await fault.apoint("move.rows")
    for before, after in pairs:
        await knowledge.library.move(before, after)
    return pairs


async def _alone(connection: AsyncConnection, place: str) -> set[str]:
    """Return how the ids go on of the places where somebody is told something alone within a place."""
    query = select(PLACES.c.id).where(PLACES.c.id.startswith(f"{place}~", autoescape=True))
    return {id.removeprefix(place) for id in (await connection.execute(query)).scalars()}


async def _moved(connection: AsyncConnection, old: str, new: str) -> None:
    await _renamed(connection, old, new)
    there = select(POSTS.c.message).where(POSTS.c.place == new)
    await connection.execute(delete(POSTS).where(POSTS.c.place == old, POSTS.c.message.in_(there)))
    for table in (INBOX, POSTS, USAGE, OUTBOX):
        await connection.execute(update(table).where(table.c.place == old).values(place=new))
    for what in What:
        await _replies_named(connection, f"{what}/{old}/", f"{what}/{new}/")
    held = select(CONVERSATIONS).where(CONVERSATIONS.c.place == old)
    for row in (await connection.execute(held)).all():
        await _held(connection, row, old, new)
    for column in (MESSAGES.c.origin, CANDIDATES.c.document_id):  # the latter where a message was heard
        begins, renamed = _prefixed(column, f"{old}/", f"{new}/")
        await connection.execute(update(column.table).where(begins).values({column.name: renamed}))
    chosen = select(MODELS.c.place).where(MODELS.c.place == new).exists()
    await connection.execute(update(MODELS).where(MODELS.c.place == old, ~chosen).values(place=new))
    await connection.execute(delete(MODELS).where(MODELS.c.place == old))


async def _renamed(connection: AsyncConnection, old: str, new: str) -> None:
    """Give a place its new id, with those who are in it; of one that is there under it already more is known."""
    rows = (await connection.execute(select(PLACES).where(PLACES.c.id.in_([old, new])))).mappings().all()
    known = {row["id"]: row for row in rows}
    if old not in known:
        return
    if new not in known:
        await connection.execute(insert(PLACES).values({**known[old], "id": new}))
        await connection.execute(update(MEMBERSHIPS).where(MEMBERSHIPS.c.place_id == old).values(place_id=new))
    elif wanted := {name: known[old][name] for name in ("learns", "digest_by") if known[old][name]}:  # an owner did
        await connection.execute(update(PLACES).where(PLACES.c.id == new).values(wanted))
    await connection.execute(delete(PLACES).where(PLACES.c.id == old))


async def _replies_named(connection: AsyncConnection, old: str, new: str) -> None:
    """Name the replies to messages anew, but for those that have a reply under their new name."""
    begins, renamed = _prefixed(OUTBOX.c.key, old, new)
    there = OUTBOX.alias()
    await connection.execute(delete(OUTBOX).where(begins, select(there.c.key).where(there.c.key == renamed).exists()))
    await connection.execute(update(OUTBOX).where(begins).values(key=renamed))


async def _held(connection: AsyncConnection, row: Row[Any], old: str, new: str) -> None:
    """Have a conversation be held in a place; that of a thread has an id that is made of both."""
    of_thread = row.id == thread_id(Place(old), row.thread)
    id = thread_id(Place(new), row.thread) if of_thread else row.id
    this = CONVERSATIONS.c.id == row.id
    if id == row.id:
        await connection.execute(update(CONVERSATIONS).where(this).values(place=new))
        return
    if (await connection.execute(select(CONVERSATIONS.c.id).where(CONVERSATIONS.c.id == id))).first():
        before = select(func.max(MESSAGES.c.n)).where(MESSAGES.c.conversation_id == row.id)
        length = 1 + ((await connection.execute(before)).scalar() or 0)
        later = update(MESSAGES).where(MESSAGES.c.conversation_id == id)
        await connection.execute(later.values(n=MESSAGES.c.n + length))  # what was said there came after
        summed_up = {"summary": row.summary, "summarised": row.summarised, "started_at": row.started_at}
        await connection.execute(update(CONVERSATIONS).where(CONVERSATIONS.c.id == id).values(summed_up))
    else:
        await connection.execute(insert(CONVERSATIONS).values({**row._mapping, "id": id, "place": new}))
    await connection.execute(update(MESSAGES).where(MESSAGES.c.conversation_id == row.id).values(conversation_id=id))
    await connection.execute(delete(CONVERSATIONS).where(this))


def _prefixed(column: Column[str], old: str, new: str) -> tuple[ColumnElement[bool], ColumnElement[str]]:
    """Return that a column begins in one way, and what it is when it begins in the other."""
    return func.substr(column, 1, len(old)) == old, literal(new) + func.substr(column, len(old) + 1)


# --- a person


async def person(engine: AsyncEngine, knowledge: Knowledge, old: str, new: str) -> None:
    """Have everything of a person belong to the one that they were found to be; done again, it changes nothing more."""
    held: Iterable[tuple[Table, Column[str]]] = (
        (CONVERSATIONS, CONVERSATIONS.c.person),
        (MESSAGES, MESSAGES.c.person),
        (USAGE, USAGE.c.person),
        (MODELS, MODELS.c.changed_by),
        (PLACES, PLACES.c.digest_by),
    )
    async with engine.begin() as connection:
        for table, column in held:
            await connection.execute(update(table).where(column == old).values({column.name: new}))
        await _thought(connection, old, new)
    await fault.apoint("move.rows")
    await knowledge.library.move(f"{OWN}{old}", f"{OWN}{new}")
    await knowledge.library.hand_over(old, new)


async def _thought(connection: AsyncConnection, old: str, new: str) -> None:
    """Have opinions be another person's; of two about one answer the later one is what they think."""
    for earlier, later in ((old, new), (new, old)):
        other = FEEDBACK.alias()
        since = select(other.c.message_id).where(
            other.c.message_id == FEEDBACK.c.message_id, other.c.person == later, other.c.at >= FEEDBACK.c.at
        )
        await connection.execute(delete(FEEDBACK).where(FEEDBACK.c.person == earlier, since.exists()))
    await connection.execute(update(FEEDBACK).where(FEEDBACK.c.person == old).values(person=new))
