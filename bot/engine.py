"""Where a message becomes an answer."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial
from time import perf_counter
from typing import Any, Protocol

from bot.access import Access
from bot.answering.looking import Look, Sight
from bot.answering.quoting import courtesy
from bot.answering.writing import Draft, Writing, Written
from bot.chat import Answer, Delta, Person, Pieces, Place, Spoken, Timings
from bot.errors import BadQuestion
from bot.limits import QUESTION, Turns, bounded
from bot.record.history import History, thread_id
from bot.record.recall import Recall
from bot.record.said import Candidate, Fate, Recent, Visible
from knowledge import Audience, Knowledge

MORE = "There is more about this that I may only tell you alone. Ask me again in a private message."
_SUMMARISED = 16  # messages that a conversation has beyond its summary before it is summed up
_KEPT = 6  # of these, the latest stay as they were said


@dataclass(frozen=True, slots=True)
class Asked:
    """A question: who asks what, where, within which conversation.

    `conversation` goes on with one of the history, without one a new one begins. A question from a platform has a
    `question_id`, which gets one answer however often it is asked, and the message it came in as its `origin`. `again` has
    the question of that id answered anew. `heard` is what others said in the thread before, oldest first.
    """

    text: str
    place: Place
    person: Person
    conversation: str | None = None
    thread: str | None = None
    question_id: str | None = None
    origin: str | None = None
    again: bool = False
    heard: tuple[Spoken, ...] = ()


class Writes(Protocol):
    """Writes what the engine needs written."""

    def write(self, draft: Draft) -> Writing:
        """Yield an answer as it is written, and last the whole."""

    async def standalone(self, draft: Draft) -> str:
        """Return what is to be searched for a question that may lean on what was said before."""

    async def summary(self, draft: Draft) -> str:
        """Return a summary of a conversation so far; empty when none can be made."""


class Engine:
    """Answers questions from what everyone may see who reads the answer."""

    def __init__(
        self,
        *,
        knowledge: Knowledge,
        access: Access,
        history: History,
        recall: Recall,
        look: Look,
        writer: Writes,
        turns: Turns,
        later: Callable[[str, Coroutine[Any, Any, None]], None],
    ) -> None:
        self._knowledge = knowledge
        self._access = access
        self._history = history
        self._recall = recall
        self._look = look
        self._writer = writer
        self._turns = turns
        self._later = later

    async def answer(self, asked: Asked) -> Pieces:
        """Yield the answer as it is written, and last the whole of it with its sources, kept in the history."""
        asked = replace(asked, text=checked(asked.text))
        if small_talk := courtesy.reply(asked.text):
            yield Delta(small_talk)
            yield await self._kept(asked, _draft(asked), Written(Answer(small_talk, (), False, "twin", "courtesy")))
            return
        async with self._turns.turn(asked.person.id):
            watch = Stopwatch()
            draft = await self._drafted(asked)
            watch.retrieved()
            async with aclosing(self._writer.write(draft)) as writing:
                async for piece in writing:
                    if isinstance(piece, Written):
                        more = MORE if draft.findings.more else ""
                        answer = replace(piece.answer, timings_ms=watch.timings(), aside=more)
                        yield await self._kept(asked, draft, replace(piece, answer=answer))
                        return
                    watch.wrote()
                    yield piece
        raise RuntimeError("an answer was not written to its end")

    async def stored(self, message_id: str, *, place: Place, person: Person) -> Answer:
        """Return an answer of the history as it may be shown in a place now."""
        audience = await self._access.audience(place, person)
        return await self._recall.answer(message_id, visible=self.visible(audience))

    def visible(self, audience: Audience) -> Visible:
        """Return what tells which documents an audience may see now."""
        return partial(self._knowledge.catalogue.visible, audience=audience)

    async def _drafted(self, asked: Asked) -> Draft:
        """Gather what an answer is written from: what was said before, what is to be searched for, and what is found."""
        draft = _draft(asked)
        if asked.conversation is not None:
            draft = replace(draft, recent=await self._recent(asked, asked.conversation, self._sight(asked)))
            draft = replace(draft, query=await self._writer.standalone(draft))
        sight = self._sight(asked)
        looking = self._look.at(draft.query, sight)
        if asked.conversation is None or not draft.recent.said:
            return replace(draft, findings=await looking)
        # A model may have taken its time over the query: what was said is looked at once more, as it may be shown now.
        findings, recent = await asyncio.gather(looking, self._recent(asked, asked.conversation, sight))
        query = draft.query if draft.recent.is_within(recent) else asked.text
        return replace(draft, findings=findings, recent=recent, query=query)

    def _sight(self, asked: Asked) -> asyncio.Future[Sight]:
        """Begin to find out what all readers of the reply, and the asker alone, may see at this moment."""
        return asyncio.ensure_future(self._access.both(asked.place, asked.person))

    async def _recent(self, asked: Asked, conversation: str, sight: Awaitable[Sight]) -> Recent:
        """Return what was said before, as it may be shown at this moment."""

        async def visible(documents: Iterable[str]) -> set[str]:
            audience, _ = await sight
            return await self._knowledge.catalogue.visible(documents, audience)

        return _before(await self._recall.recent(conversation, visible=visible, held_by=_holder(asked)), asked)

    async def _kept(self, asked: Asked, draft: Draft, written: Written) -> Answer:
        before = (_leant_on(document, Fate.SAID) for document in sorted(written.before))
        heard = (_leant_on(f"{asked.place.id}/{one.id}", Fate.HEARD) for one in draft.heard)
        candidates = (*draft.findings.candidates(written.fates), *before, *heard)
        if asked.again and asked.question_id:
            return await self._history.again(
                asked.question_id, written.answer, query=draft.query, candidates=candidates, recent=draft.recent
            )
        answer = await self._history.add(
            asked.text,
            written.answer,
            place=asked.place,
            person=asked.person,
            conversation=asked.conversation,
            query=draft.query,
            candidates=candidates,
            recent=draft.recent,
            question_id=asked.question_id,
            origin=asked.origin,
            thread=asked.thread,
        )
        if len(draft.recent.said) >= _SUMMARISED:
            self._later("summarise", self._summarise(answer.conversation_id, draft))
        return answer

    async def _summarise(self, conversation: str, draft: Draft) -> None:
        """Sum up all but the latest of what was said, so that the next question has room."""
        recent = replace(draft.recent, said=draft.recent.said[:-_KEPT])
        if summary := await self._writer.summary(replace(draft, recent=recent)):
            await self._history.summarised(conversation, summary, recent)


def checked(question: str) -> str:
    """Return a question fit to be asked; raises `BadQuestion` and `TooLong`."""
    question = bounded(question, QUESTION)
    if not question:
        raise BadQuestion("Ask me something: the question is empty.")
    return question


def _draft(asked: Asked) -> Draft:
    return Draft(asked.text, asked.place, asked.person, query=asked.text, again=asked.again, heard=asked.heard)


def _leant_on(what: str, fate: Fate) -> Candidate:
    """Return what stood in the prompt beside the passages."""
    return Candidate("", what, 0.0, 0.0, 0.0, 0.0, fate)


def _holder(asked: Asked) -> tuple[Place, Person] | None:
    """Return who alone may go on with a conversation; the threads of a place are for whoever reads it."""
    of_place = asked.again or asked.conversation == thread_id(asked.place, asked.thread)
    return None if of_place else (asked.place, asked.person)


def _before(recent: Recent, asked: Asked) -> Recent:
    """Leave out the question itself and what came after it, when it is answered anew."""
    ids = [one.id for one in recent.said]
    return replace(recent, said=recent.said[: ids.index(asked.question_id)]) if asked.question_id in ids else recent


class Stopwatch:
    """Measures an answer from when its turn came."""

    def __init__(self) -> None:
        self._began = perf_counter()
        self._retrieved = self._first = 0.0

    def retrieved(self) -> None:
        """Note that everything was found."""
        self._retrieved = perf_counter()

    def wrote(self) -> None:
        """Note that a piece was written."""
        self._first = self._first or perf_counter()

    def timings(self) -> Timings:
        """Return what was measured until now."""
        now = perf_counter()
        ended = (self._retrieved or now, self._first or now, now)
        return Timings(*(round((moment - self._began) * 1000, 2) for moment in ended))
