"""A card that says how far a lesson is, for those that take longer than a moment."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from bot.answering import inert
from bot.chat import Attachment, Reply
from bot.delivery.outbox import Outbox, Showing

log = structlog.get_logger()

MOMENT = 1.0
"""Seconds; what is learned sooner has its receipt at once."""


class Card:
    """What is shown of the files of a message while they are learned: a line for each, as far as it is."""

    def __init__(self, attachments: tuple[Attachment, ...]) -> None:
        self._lines = {one.id: f"… {inert.line(one.name)}" for one in attachments}
        self._showing: Showing | None = None

    def far(self, one: Attachment, what: str, done: int, total: int) -> None:
        """Note how far a file is."""
        self._lines[one.id] = f"Reading “{inert.line(one.name)}”: {done:,} of {total:,} {what}"
        self._tell()

    def ended(self, one: Attachment, line: str) -> None:
        """Note what became of a file."""
        self._lines[one.id] = line
        self._tell()

    def _tell(self) -> None:
        if self._showing:
            self._showing.replace("\n\n".join(self._lines.values()))

    async def _show(self, outbox: Outbox, reply: Reply) -> None:
        await asyncio.sleep(MOMENT)
        try:
            shown = await outbox.open(reply)
            async with outbox.showing(reply, shown) as self._showing:
                self._tell()
                await asyncio.Event().wait()
        except Exception as error:
            log.warning("a card could not be shown", key=reply.key, reason=type(error).__name__)
        finally:
            self._showing = None


@asynccontextmanager
async def card(outbox: Outbox, reply: Reply, attachments: tuple[Attachment, ...]) -> AsyncIterator[Card]:
    """Show a card while its files are learned; the receipt takes its place."""
    shown = Card(attachments)
    task = asyncio.create_task(shown._show(outbox, reply), name=f"card {reply.key}")
    try:
        yield shown
    finally:
        task.cancel()
        await asyncio.wait([task])
