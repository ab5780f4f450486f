"""The errand of the weekly digest: what was learned in a place and what nobody could answer there, posted once a week."""

from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog

from bot.chat import Person, Place, Reply, What
from bot.delivery.contents import Contents
from bot.delivery.tools import Tools
from bot.people.register import People
from bot.record.digest import Digest
from bot.record.quotes import Quote

log = structlog.get_logger()

Lines = Callable[[Digest], tuple[str, list[tuple[str, str]]]]
"""Returns a digest in words, and which of its lines say something of which document or question."""


class SumsUp(Protocol):
    """Sums up what happened in a place in the last week, as somebody may see it there."""

    def __call__(self, *, place: Place, person: Person) -> Awaitable[Digest]:
        """Sum it up."""


class Weekly:
    """Posts digests. What is forgotten afterwards goes from them as from receipts."""

    def __init__(self, tools: Tools, contents: Contents, people: People, sum_up: SumsUp, lines: Lines) -> None:
        self._outbox, self._adapter = tools.outbox, tools.adapter
        self._contents, self._people = contents, people
        self._sum_up, self._lines = sum_up, lines

    async def post(self, argument: str) -> None:
        """Post the digest of a place for a week, unless nothing happened or nobody wants it any more."""
        place, week = argument.split("\n")
        if (wanted := await self._people.wants_digest(place)) is None:
            return
        person, account = wanted
        reply = Reply(f"{What.DIGEST}/{place}/{week}", place, None, "", account)
        sent = await self._outbox.sent(reply.key)
        if sent is None or sent.text is None:
            await self._adapter(place).confirm(place, account)
            digest = await self._sum_up(place=Place(place), person=Person(person))
            if not (digest.learned or digest.messages or digest.asked):
                log.info("nothing happened that a digest could tell", place=place)
                return
            text, lines = self._lines(digest)
            await self._outbox.whole(reply, text=text, quoting=[Quote(of, line) for of, line in lines])
        await self._outbox.deliver(reply.key, self._contents)


def digest_argument(place: str, week: str) -> str:
    """Return what an errand is told of a digest."""
    return f"{place}\n{week}"
