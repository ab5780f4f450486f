"""Where a message becomes an answer."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from time import perf_counter

from bot import access, grounding
from bot.chat import Answer, Delta, Person, Place, Timings, printable
from bot.errors import BadQuestion
from bot.history import History
from bot.llm.extractive import Extractive, pieces
from knowledge import Knowledge

MAX_QUESTION = 4_000  # characters


class Engine:
    """Answers questions from what the audience of the reply may see."""

    def __init__(self, knowledge: Knowledge, history: History) -> None:
        self._knowledge = knowledge
        self._history = history
        self._extractive = Extractive(knowledge.embedder.sentences)

    async def answer(
        self, question: str, *, place: Place, person: Person, conversation: str | None
    ) -> AsyncGenerator[Delta | Answer]:
        """Yield the answer as it is written, and last the whole of it with its sources, kept in the history."""
        asked = perf_counter()
        question = _checked(question)
        audience = access.audience(place, person)
        results = await self._knowledge.retrieval.search(question, audience=audience)
        retrieved = perf_counter()
        answer = grounding.checked(await self._extractive.answer(question, results.found), results.found)
        first = perf_counter()
        for piece in pieces(answer.text):
            yield Delta(piece)
        timings = Timings(_ms(retrieved - asked), _ms(first - asked), _ms(perf_counter() - asked))
        answer = replace(answer, timings_ms=timings)
        yield await self._history.add(question, answer, place=place, person=person, conversation=conversation)


def _checked(question: str) -> str:
    question = printable(question).strip()
    if not question:
        raise BadQuestion("Ask me something: the question is empty.")
    if len(question) > MAX_QUESTION:
        raise BadQuestion(f"That question has {len(question):,} characters; please keep it under {MAX_QUESTION:,}.")
    return question


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 2)
