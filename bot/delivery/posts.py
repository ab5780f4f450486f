"""Messages of platforms as they are kept: each as of its latest change, of a deleted one nothing but that it was deleted."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.chat import Attachment, Message
from bot.tables import POSTS

GONE: Mapping[str, object] = {
    "text": "",
    "author": "",
    "link": "",
    "attachments": [],
    "addressed": False,
    "taught_by": "",
    "deleted": True,
}
"""What is kept of a message that is not there any more."""


_ONE = select(POSTS).where(POSTS.c.place == bindparam("place"), POSTS.c.message == bindparam("message"))


async def post(connection: AsyncConnection, place: str, message: str) -> Message | None:
    """Return a message as it is now."""
    row = (await connection.execute(_ONE, {"place": place, "message": message})).one_or_none()
    return None if row is None else _message(row)


async def posts(connection: AsyncConnection, *where: ColumnElement[bool]) -> list[Message]:
    """Return messages as they are now."""
    return [_message(row) for row in await connection.execute(select(POSTS).where(*where))]


async def keep(connection: AsyncConnection, known: Message | None, message: Message) -> None:
    """Make a post what it is as of its latest change."""
    if known and (known.deleted or (message.changed_at < known.changed_at and not message.deleted)):
        return
    row: dict[str, object] = {
        "place": message.place,
        "message": message.id,
        "thread": message.thread or (known.thread if known else None),
        "account": message.account or (known.account if known else ""),
        "changed_at": message.changed_at,
        "addressed": message.addressed or bool(known and known.addressed),
        "taught_by": message.taught_by or (known.taught_by if known else ""),
        "deleted": False,
        "author": message.author,
        "text": message.text,
        "link": message.link,
        "attachments": [asdict(one) for one in message.attachments],
    }
    row |= GONE if message.deleted else {}
    if known is None:
        await connection.execute(insert(POSTS), row)
    else:
        await connection.execute(update(POSTS).where(*_here(message)).values(row))


async def detach(connection: AsyncConnection, message: Message, attachment: str) -> None:
    """Keep a message without one of its attachments."""
    left = [asdict(one) for one in message.attachments if one.id != attachment]
    await connection.execute(update(POSTS).where(*_here(message)).values(attachments=left))


def _here(message: Message) -> tuple[ColumnElement[bool], ...]:
    return POSTS.c.place == message.place, POSTS.c.message == message.id


def _message(row: Row[Any]) -> Message:
    return Message(
        event="",
        place=row.place,
        id=row.message,
        account=row.account,
        text=row.text,
        changed_at=row.changed_at,
        thread=row.thread,
        addressed=row.addressed,
        deleted=row.deleted,
        attachments=tuple(Attachment(**one) for one in row.attachments),
        link=row.link,
        author=row.author,
        taught_by=row.taught_by,
    )
