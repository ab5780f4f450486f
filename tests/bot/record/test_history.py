"""What was said is kept, and what rested on a forgotten document is not."""

from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.chat import Answer, Person, Place, Source
from bot.db import open_database
from bot.errors import UnknownConversation
from bot.record.history import History
from bot.record.recall import Recall
from bot.record.said import ABSTAINED, FORGOTTEN, Candidate, Fate, Recent
from bot.tables import CITATIONS, CONVERSATIONS, GAPS, MESSAGES

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


async def nothing_lives(_connection: AsyncConnection, _documents: Iterable[str]) -> set[str]:
    return set()


async def everything(documents: Iterable[str]) -> set[str]:
    return set(documents)


async def asked(
    engine: AsyncEngine, text: str, said: Answer, origin: str, conversation: str | None = None, query: str = ""
) -> Recent:
    """Keep a question with its answer; return what was said in its conversation by then."""
    kept = await History(engine).add(
        text, said, place=HERE, person=ADA, conversation=conversation, origin=origin, query=query, question_id=origin
    )
    return await Recall(engine).recent(kept.conversation_id, visible=everything)


async def test_an_answer_is_kept_without_its_words_when_what_it_rests_on_was_forgotten_meanwhile(engine: AsyncEngine) -> None:
    history = History(engine, nothing_lives)
    kept = await history.add("when?", answer("friday", "d1"), place=HERE, person=ADA, conversation=None, question_id="q")
    await history.again("q", answer("on friday", "d1"), query="when?", candidates=())
    assert (kept.text, kept.sources) == (FORGOTTEN, ())
    assert await texts(engine) == ["when?", FORGOTTEN, FORGOTTEN]
    async with engine.connect() as connection:
        assert (await connection.execute(select(CITATIONS))).all() == []


async def test_what_was_searched_for_with_the_words_of_a_question_goes_with_that_question(engine: AsyncEngine) -> None:
    first = await asked(engine, "where does ada live?", answer("x", "d1"), "1")
    [_, said] = first.said
    held = (await Recall(engine).held(said.id))[0]
    await asked(engine, "and since when?", answer("y", "d1"), "2", held, query="and since when? ada live")
    await History(engine).retract("1")
    async with engine.connect() as connection:
        assert set((await connection.execute(select(MESSAGES.c.query))).scalars()) == {None}


async def test_nothing_is_kept_of_what_was_searched_for_with_words_that_were_taken_back_meanwhile(engine: AsyncEngine) -> None:
    recent = await asked(engine, "where does ada live?", answer("x", "d1"), "1")
    history = History(engine)
    await history.retract("1")
    kept = await history.add(
        "and since when?", answer("y"), place=HERE, person=ADA, conversation=None, query="and since when? ada", recent=recent
    )
    async with engine.connect() as connection:
        assert set((await connection.execute(select(MESSAGES.c.query))).scalars()) == {None}
    await history.summarised(kept.conversation_id, "Somebody asked where ada lives.", recent)
    async with engine.connect() as connection:
        assert set((await connection.execute(select(CONVERSATIONS.c.summary))).scalars()) == {""}


async def test_an_answer_rests_on_what_was_said_before_it_too(engine: AsyncEngine) -> None:
    recent = await asked(engine, "where?", answer("in Kyiv", "d1"), "1")
    assert recent.documents == {"d1"}
    before = [Candidate("", document, 0, 0, 0, 0, Fate.SAID) for document in recent.documents]
    history = History(engine)
    await history.add(
        "say it again", answer("in Kyiv", "d2"), place=HERE, person=ADA, conversation=None, candidates=before, recent=recent
    )
    await history.forget(["d1"])
    assert await texts(engine) == ["where?", FORGOTTEN, "say it again", FORGOTTEN]
