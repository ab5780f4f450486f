"""What is kept under an id that is another one now: that of a place, or of a person whose accounts were found to be one's."""

from sqlalchemy import Column, Table, delete, func, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.tables import (
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
from knowledge import Knowledge

OWN = "person:"


async def place(engine: AsyncEngine, knowledge: Knowledge, old: str, new: str) -> None:
    """Have everything of a place belong to its new id; done again, it changes nothing more."""
    async with engine.begin() as connection:
        await _renamed(connection, old, new)
        for table in (INBOX, OUTBOX, CONVERSATIONS):
            await connection.execute(update(table).where(table.c.place == old).values(place=new))
        there = select(POSTS.c.message).where(POSTS.c.place == new)
        await connection.execute(delete(POSTS).where(POSTS.c.place == old, POSTS.c.message.in_(there)))
        await connection.execute(update(POSTS).where(POSTS.c.place == old).values(place=new))
        origin = MESSAGES.c.origin
        said = func.substr(origin, 1, len(old) + 1) == f"{old}/"
        await connection.execute(
            update(MESSAGES).where(said).values(origin=literal(f"{new}/") + func.substr(origin, len(old) + 2))
        )
        await _moved_models(connection, old, new)
    await knowledge.library.move(old, new)


async def person(engine: AsyncEngine, knowledge: Knowledge, old: str, new: str) -> None:
    """Have everything of a person belong to the one that they were found to be; done again, it changes nothing more."""
    held: list[tuple[Table, Column[str]]] = [
        (CONVERSATIONS, CONVERSATIONS.c.person),
        (MESSAGES, MESSAGES.c.person),
        (USAGE, USAGE.c.person),
        (MODELS, MODELS.c.changed_by),
    ]
    async with engine.begin() as connection:
        for table, column in held:
            await connection.execute(update(table).where(column == old).values({column.name: new}))
        judged = select(FEEDBACK.c.message_id).where(FEEDBACK.c.person == new)
        await connection.execute(delete(FEEDBACK).where(FEEDBACK.c.person == old, FEEDBACK.c.message_id.in_(judged)))
        await connection.execute(update(FEEDBACK).where(FEEDBACK.c.person == old).values(person=new))
    await knowledge.library.move(f"{OWN}{old}", f"{OWN}{new}")
    await knowledge.library.hand_over(old, new)


async def _renamed(connection: AsyncConnection, old: str, new: str) -> None:
    """Give a place its new id, with those who are in it; one that is there under it already is newer."""
    known = set((await connection.execute(select(PLACES.c.id).where(PLACES.c.id.in_([old, new])))).scalars())
    if old not in known:
        return
    if new not in known:
        columns = [column for column in PLACES.c if column.name != "id"]
        copy = select(literal(new), *columns).where(PLACES.c.id == old)
        await connection.execute(PLACES.insert().from_select(["id", *(column.name for column in columns)], copy))
        await connection.execute(update(MEMBERSHIPS).where(MEMBERSHIPS.c.place_id == old).values(place_id=new))
    await connection.execute(delete(PLACES).where(PLACES.c.id == old))


async def _moved_models(connection: AsyncConnection, old: str, new: str) -> None:
    there = (await connection.execute(select(MODELS.c.place).where(MODELS.c.place == new))).first()
    if there:
        await connection.execute(delete(MODELS).where(MODELS.c.place == old))
    else:
        await connection.execute(update(MODELS).where(MODELS.c.place == old).values(place=new))
