"""What was learned in a place lately, and what nobody could answer there."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.answering import inert
from bot.chat import Place
from bot.tables import CONVERSATIONS, GAPS, MESSAGES
from knowledge import Audience, Document, Knowledge

_LISTED = 10


@dataclass(frozen=True, slots=True)
class Digest:
    """What happened in a place since then: documents, how many questions were asked, and those without an answer."""

    since: datetime
    learned: tuple[Document, ...]
    asked: int
    open: tuple[str, ...]


class Digests:
    """Sums up places."""

    def __init__(self, engine: AsyncEngine, knowledge: Knowledge) -> None:
        self._engine = engine.execution_options(reading=True)
        self._knowledge = knowledge

    async def of(self, place: Place, since: datetime, audience: Audience) -> Digest:
        """Sum up a place; what is named is what its readers may see."""
        documents = await self._knowledge.catalogue.documents(audience)
        newest = {one.id: one for one in documents if one.state == "ready" and one.added_at >= since and one.kind != "message"}
        here = MESSAGES.join(CONVERSATIONS, CONVERSATIONS.c.id == MESSAGES.c.conversation_id)
        mine = (CONVERSATIONS.c.place == place.id, MESSAGES.c.role == "user", MESSAGES.c.said_at >= since)
        count = select(func.count()).select_from(here).where(*mine)
        gaps = select(MESSAGES.c.text).select_from(here.join(GAPS, GAPS.c.message_id == MESSAGES.c.id)).where(*mine)
        async with self._engine.connect() as connection:
            asked = (await connection.execute(count)).scalar_one()
            unanswered = (await connection.execute(gaps.order_by(MESSAGES.c.said_at.desc()))).scalars().all()
        return Digest(since, tuple(newest.values()), asked, tuple(dict.fromkeys(unanswered)))


def rendered(digest: Digest) -> str:
    """Return a digest as Markdown (pure)."""
    began = f"{digest.since:%d %B %Y}".lstrip("0")
    if not (digest.learned or digest.asked):
        return f"Nothing was learned or asked here since {began}."
    learned = [f"- {inert.line(one.title)}" for one in digest.learned[:_LISTED]]
    gaps = [f"- {inert.line(question)}" for question in digest.open[:_LISTED]]
    parts = [f"**Since {began}**: {len(digest.learned)} documents learned, {digest.asked} questions asked."]
    if learned:
        parts.append("\n".join(["**Learned**", *learned, *_more(len(digest.learned))]))
    if gaps:
        parts.append("\n".join(["**Nobody could answer**: teach me what would.", *gaps, *_more(len(digest.open))]))
    return "\n\n".join(parts)


def _more(count: int) -> list[str]:
    return [f"- … and {count - _LISTED} more"] if count > _LISTED else []
