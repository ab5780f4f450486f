"""What was said is kept, and what rested on a forgotten document is not."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.chat import Answer, Person, Place, Source
from bot.db import open_database
from bot.errors import UnknownConversation
from bot.record.history import History
from bot.record.said import ABSTAINED, FORGOTTEN
from bot.tables import CITATIONS, GAPS, MESSAGES

HERE, ADA = Place("local"), Person("ada")


def answer(text: str, *documents: str) -> Answer:
    sources = tuple(
        Source(n, document, "Plan", None, None, text, "file:///plan", 0.9) for n, document in enumerate(documents, 1)
    )
    return Answer(text, sources, abstained=not documents, provider="extractive", model="extractive")


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    async with open_database(f"sqlite+aiosqlite:///{tmp_path / 'twin.db'}") as opened:
        yield opened


async def texts(engine: AsyncEngine) -> list[str]:
    async with engine.connect() as connection:
        return list((await connection.execute(select(MESSAGES.c.text))).scalars())


async def test_a_conversation_goes_on_under_its_id(engine: AsyncEngine) -> None:
    history = History(engine)
    first = await history.add("when?", answer("friday", "d1"), place=HERE, person=ADA, conversation=None)
    second = await history.add("and who?", answer("ada", "d1"), place=HERE, person=ADA, conversation=first.conversation_id)
    assert second.conversation_id == first.conversation_id
    assert second.message_id != first.message_id
    assert await texts(engine) == ["when?", "friday", "and who?", "ada"]


async def test_nobody_continues_the_conversation_of_another(engine: AsyncEngine) -> None:
    history = History(engine)
    first = await history.add("when?", answer("friday", "d1"), place=HERE, person=ADA, conversation=None)
    for place, person in ((HERE, Person("eve")), (Place("slack:T1:C9"), ADA)):
        with pytest.raises(UnknownConversation):
            await history.add("so?", answer("x"), place=place, person=person, conversation=first.conversation_id)


async def test_a_question_without_an_answer_is_noted_as_a_gap(engine: AsyncEngine) -> None:
    await History(engine).add("why?", answer("I don't know."), place=HERE, person=ADA, conversation=None)
    async with engine.connect() as connection:
        asked = select(MESSAGES.c.text).join(GAPS, GAPS.c.message_id == MESSAGES.c.id)
        assert list((await connection.execute(asked)).scalars()) == ["why?"]


async def test_the_titles_that_an_abstention_names_are_not_kept(engine: AsyncEngine) -> None:
    said = answer("I don't know. The nearest I have is the merger plan.")
    assert (await History(engine).add("why?", said, place=HERE, person=ADA, conversation=None)).text == said.text
    assert await texts(engine) == ["why?", ABSTAINED]


async def test_answers_that_quoted_a_forgotten_document_lose_their_words(engine: AsyncEngine) -> None:
    history = History(engine)
    await history.add("when?", answer("friday", "d1", "d2"), place=HERE, person=ADA, conversation=None)
    await history.add("who?", answer("ada", "d2"), place=HERE, person=ADA, conversation=None)
    await history.forget(["d1"])
    assert await texts(engine) == ["when?", FORGOTTEN, "who?", "ada"]
    async with engine.connect() as connection:
        assert list((await connection.execute(select(CITATIONS.c.quote))).scalars()) == ["ada"]
