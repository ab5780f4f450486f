"""What is kept follows the place, or the person, that goes by another id now."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.chat import Moved, Person, Place, PlaceKind
from bot.record import moving
from bot.record.history import thread_id
from knowledge import fault
from tests.bot.delivery.opened import ADA, BOB, CLOSED, DIRECT, HOURS, OPEN, Opened, opened
from tests.simulators.platform import said

QUESTION = "When does the canteen open?"
FOUND = "half past twelve"
NEW = "sim:T1:P2"


@pytest.fixture
async def twin(tmp_path: Path) -> AsyncIterator[Opened]:
    async with opened(tmp_path / "data") as made:
        made.platform.files["hours.md"] = HOURS
        yield made
    fault.arm("")


async def moved(twin: Opened) -> None:
    await twin.desk.move(Moved("moved", CLOSED, NEW))
    await twin.quiet()


# --- a place


async def test_a_thread_goes_on_under_the_new_id_of_its_place(twin: Opened) -> None:
    await twin.said(said("", 1, place=CLOSED, files=("hours.md",)))
    await twin.said(said(QUESTION, 2, place=CLOSED, thread="2"))
    await moved(twin)
    assert FOUND in await twin.said(said(QUESTION, 3, place=NEW, thread="2"))
    held = thread_id(Place(NEW), "2")
    assert await twin.rows("SELECT id, place FROM conversations WHERE thread = '2'") == [(held, NEW)]
    questions = "SELECT origin FROM messages WHERE role = 'user' AND conversation_id = '{}' ORDER BY n"
    assert await twin.rows(questions.format(held)) == [(f"{NEW}/2",), (f"{NEW}/3",)]


async def test_a_thread_that_went_on_before_the_move_was_told_of_is_in_order(twin: Opened) -> None:
    await twin.house.people.placed(NEW, tenant="sim:T1", kind=PlaceKind.PRIVATE)
    await twin.house.people.members(NEW, [ADA])
    for n, place in ((1, CLOSED), (2, CLOSED), (3, NEW), (4, NEW)):
        await twin.said(said(QUESTION, n, place=place, thread="1"))
    await moved(twin)
    rows = await twin.rows("SELECT origin FROM messages WHERE role = 'user' ORDER BY n")
    assert rows == [(f"{NEW}/{n}",) for n in (1, 2, 3, 4)]
    assert await twin.rows("SELECT place FROM conversations") == [(NEW,)]


async def test_what_was_answered_before_a_move_is_taken_back_with_its_question(twin: Opened) -> None:
    question = said(QUESTION, 1, place=CLOSED)
    await twin.said(question)
    await moved(twin)
    await twin.desk.receive(said("", 1, place=NEW, deleted=True, at=5))
    await twin.quiet()
    assert twin.platform.visible("1") == []
    assert await twin.rows("SELECT id FROM messages") == []


async def test_what_is_under_way_when_a_place_moves_is_done_once(twin: Opened) -> None:
    await twin.said(said("", 1, place=CLOSED, files=("hours.md",)))
    twin.platform.files["library.md"] = b"# Library\n\nThe library lends books for eleven days.\n"
    fault.arm("answer.before:sleep:0.3,learn.download.after:sleep:0.3")
    await twin.desk.receive(said(QUESTION, 2, place=CLOSED))
    await twin.desk.receive(said("", 3, place=CLOSED, files=("library.md",)))
    await twin.platform.until(lambda: twin.platform.calls["fetch"] == 2 and twin.platform.visible("2"))
    await moved(twin)
    [answer], [receipt] = twin.platform.visible("2"), twin.platform.visible("3")
    assert (FOUND in answer.text, answer.final) == (True, True)
    assert receipt.text.startswith("✅ Learned “Library”")
    assert await twin.rows("SELECT count(*) FROM messages WHERE role = 'assistant'") == [(1,)]
    assert await twin.rows(f"SELECT source FROM documents WHERE source LIKE '{CLOSED}/%'") == []  # noqa: S608
    assert await twin.rows(f"SELECT scope FROM document_scopes WHERE scope = '{CLOSED}'") == []  # noqa: S608


async def test_after_a_kill_a_place_is_moved_to_the_end(twin: Opened) -> None:
    await twin.said(said("", 1, place=CLOSED, files=("hours.md",)))
    await twin.house.people.learning(CLOSED, True)
    alone = f"{CLOSED}~U1"
    await twin.house.people.placed(alone, tenant="sim:T1", kind=PlaceKind.DIRECT)
    await twin.house.people.members(alone, [ADA])
    await twin.said(said("", 2, place=alone, files=("hours.md",)))
    fault.arm("move.rows:raise:RuntimeError")
    await moved(twin)
    assert FOUND in await twin.said(said(QUESTION, 3, place=NEW))
    sources = {source for (source,) in await twin.rows("SELECT source FROM documents")} - {"twin:guide"}
    assert sources == {f"{NEW}/1#hours.md", f"{NEW}~U1/2#hours.md"}
    assert await twin.rows(f"SELECT id FROM places WHERE id LIKE '{CLOSED}%'") == []  # noqa: S608
    assert await twin.rows(f"SELECT learns FROM places WHERE id = '{NEW}'") == [(1,)]  # noqa: S608


async def test_what_a_place_learned_while_it_had_two_ids_goes_on_being_learned(twin: Opened) -> None:
    await twin.house.people.learning(CLOSED, True)
    await twin.house.people.placed(NEW, tenant="sim:T1", kind=PlaceKind.PRIVATE)
    await twin.house.people.members(NEW, [ADA])
    await moved(twin)
    await twin.desk.receive(said("The canteen opens at half past twelve.", 1, place=NEW, addressed=False))
    await twin.quiet()
    assert FOUND in await twin.said(said(QUESTION, 2, place=NEW))


# --- a person


async def test_everything_follows_a_person_to_the_account_they_are_known_by(twin: Opened) -> None:
    house, ada, bob = twin.house, Person(ADA), Person(BOB)
    await twin.said(said("", 1, place=DIRECT, files=("hours.md",)))
    await twin.said(said(QUESTION, 2, place=DIRECT))
    await house.parts.memory.remember("The wolpertinger is due in May.", ada)
    await house.parts.models.use(OPEN, ada, persona="Speak plainly.")
    await house.people.linked(ADA, bob)
    fault.arm("move.rows:raise:RuntimeError")
    with pytest.raises(RuntimeError):
        await moving.person(house.database, house.parts.knowledge, ADA, BOB)
    await moving.person(house.database, house.parts.knowledge, ADA, BOB)
    notes = await house.parts.memory.notes(bob)
    assert {(one.kind, one.added_by) for one in notes} == {("note", BOB), ("markdown", BOB)}
    assert [place for _, place, _ in await house.twin.conversations(person=bob)] == [DIRECT]
    assert await twin.rows("SELECT changed_by FROM llm_configs") == [(BOB,)]
    [found, *_] = await house.twin.search("wolpertinger", place=Place(f"person:{BOB}"), person=bob)
    assert "due in May" in found.passage.text
    assert await house.twin.forget_me(person=bob) == (2, 1)


@pytest.mark.parametrize(("first", "second"), [(ADA, BOB), (BOB, ADA)])
async def test_of_two_opinions_about_an_answer_the_later_one_stays(twin: Opened, first: str, second: str) -> None:
    await twin.said(said("", 1, files=("hours.md",)))
    await twin.said(said(QUESTION, 2))
    [(answer,)] = await twin.rows("SELECT message_id FROM outbox WHERE key LIKE 'reply/%/2'")
    await twin.house.parts.feedback.give(str(answer), Person(first), 1)
    await twin.house.parts.feedback.give(str(answer), Person(second), -1)
    for _ in range(2):
        await moving.person(twin.house.database, twin.house.parts.knowledge, ADA, BOB)
    assert await twin.rows("SELECT person, value FROM feedback") == [(BOB, -1)]
