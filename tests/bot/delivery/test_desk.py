"""What platforms bring beside messages: it is done once, by whoever may, and what is gone is forgotten to the last byte."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from bot.access import NotAllowed
from bot.chat import Gone, Moved, Person, Place, Removal
from bot.delivery.answers import STOPPED
from bot.errors import UnknownMessage
from bot.record import moving
from bot.record.said import FORGOTTEN
from tests.bot.delivery.opened import ADA, BOB, CLOSED, DIRECT, HOURS, OPEN, Opened, opened
from tests.simulators.platform import said

QUESTION = "When does the canteen open?"
FOUND, UNKNOWN = "half past twelve", "don't know"


@pytest.fixture
async def twin(tmp_path: Path) -> AsyncIterator[Opened]:
    async with opened(tmp_path / "data") as made:
        made.platform.files["hours.md"] = HOURS
        made.platform.files["again.md"] = HOURS + b"\nThe library opens at nine.\n"
        yield made


async def taught(twin: Opened, n: int, *, place: str = OPEN, file: str = "hours.md", account: str = ADA) -> None:
    receipt = await twin.said(said("", n, place=place, account=account, files=(file,)))
    assert receipt.startswith("✅ Learned"), receipt


async def asked(twin: Opened, n: int, *, place: str = OPEN, account: str = BOB) -> str:
    return await twin.said(said(QUESTION, n, place=place, account=account))


def removal(what: Gone, id: str, *, event: str = "gone", place: str = "") -> Removal:
    return Removal(event, what, id, "sim:T1", place)


async def gone(twin: Opened, what: Removal) -> None:
    await twin.desk.remove(what)
    await twin.quiet()


def holding(folder: Path, word: bytes) -> list[str]:
    found = []
    for path, _, files in os.walk(folder):
        for name in files:
            with suppress(FileNotFoundError):
                if word in Path(path, name).read_bytes():
                    found.append(name)
    return found


async def test_a_file_that_is_deleted_is_forgotten_with_what_was_said_of_it(twin: Opened) -> None:
    await taught(twin, 1)
    assert FOUND in await asked(twin, 2)
    await gone(twin, removal(Gone.FILE, "hours.md"))
    await twin.platform.until(lambda: twin.platform.visible("2")[0].text == FORGOTTEN)
    assert UNKNOWN in await asked(twin, 3)


async def test_a_file_taken_out_of_one_place_stays_in_the_other(twin: Opened) -> None:
    await taught(twin, 1, place=CLOSED)
    await taught(twin, 2, place=OPEN)
    await gone(twin, removal(Gone.FILE, "hours.md", place=OPEN))
    assert UNKNOWN in await asked(twin, 3, place=OPEN)
    assert FOUND in await asked(twin, 4, place=CLOSED, account=ADA)


async def test_of_a_place_that_is_gone_nothing_is_left(twin: Opened) -> None:
    await taught(twin, 1, place=CLOSED)
    assert FOUND in await asked(twin, 2, place=CLOSED, account=ADA)
    assert FOUND in await asked(twin, 3, place=DIRECT, account=ADA)
    await gone(twin, removal(Gone.PLACE, CLOSED))
    assert await twin.rows(f"SELECT text FROM posts WHERE place = '{CLOSED}' AND text != ''") == []  # noqa: S608
    assert await twin.rows(f"SELECT id FROM conversations WHERE place = '{CLOSED}'") == []  # noqa: S608
    await twin.platform.until(lambda: twin.platform.visible("3")[0].text == FORGOTTEN)
    await twin.platform.until(lambda: holding(twin.folder, b"half past twelve") == [])


async def test_what_is_gone_is_forgotten_once_however_often_it_is_told(twin: Opened) -> None:
    await taught(twin, 1)
    for _ in range(3):
        await twin.desk.remove(removal(Gone.FILE, "hours.md"))
    await twin.quiet()
    assert await twin.rows("SELECT count(*) FROM jobs WHERE key LIKE 'remove/%'") == [(1,)]
    await taught(twin, 2, file="again.md")
    await gone(twin, removal(Gone.FILE, "hours.md"))
    assert FOUND in await asked(twin, 3)


async def test_with_the_last_account_goes_what_is_somebodys_alone(twin: Opened) -> None:
    await taught(twin, 1, place=DIRECT)
    await taught(twin, 2, place=OPEN, file="again.md")
    assert FOUND in await asked(twin, 3, place=DIRECT, account=ADA)
    await gone(twin, removal(Gone.ACCOUNT, ADA))
    assert await twin.rows(f"SELECT id FROM conversations WHERE place = '{DIRECT}'") == []  # noqa: S608
    assert FOUND in await asked(twin, 4)  # what was taught to a channel belongs to it
    documents = await twin.rows(f"SELECT scope FROM document_scopes WHERE scope = 'person:{ADA}'")  # noqa: S608
    assert documents == []


async def test_a_file_that_leaves_a_message_after_its_author_was_forgotten_is_forgotten_too(twin: Opened) -> None:
    await taught(twin, 1)
    await twin.house.twin.forget_me(person=await twin.house.twin.person(ADA))
    assert FOUND in await asked(twin, 2)  # it belongs to the place
    for at, found in ((0.0, FOUND), (50.0, UNKNOWN)):
        await twin.desk.receive(said("", 1, files=("other.md",), at=at, event=f"late {at}"))
        await twin.quiet()
        assert found in await asked(twin, int(3 + at))


async def test_with_a_tenant_goes_everything_of_it(twin: Opened) -> None:
    await taught(twin, 1, place=OPEN)
    await taught(twin, 2, place=DIRECT, file="again.md")
    await gone(twin, removal(Gone.TENANT, "sim:T1"))
    assert await twin.rows("SELECT scope FROM document_scopes WHERE scope LIKE '%sim:%'") == []
    assert await twin.rows("SELECT id FROM accounts WHERE active") == []
    await twin.platform.until(lambda: holding(twin.folder, b"half past twelve") == [])


async def test_a_place_that_has_another_id_keeps_what_is_its_own(twin: Opened) -> None:
    await taught(twin, 1, place=CLOSED)
    assert FOUND in await asked(twin, 2, place=CLOSED, account=ADA)
    new = "sim:T1:P2"
    for _ in range(2):
        await twin.desk.move(Moved("moved", CLOSED, new))
        await twin.quiet()
    await twin.house.people.members(new, [ADA])
    assert FOUND in await asked(twin, 3, place=new, account=ADA)
    await twin.desk.receive(said("", 1, place=new, deleted=True, at=50))
    await twin.quiet()
    assert UNKNOWN in await asked(twin, 4, place=new, account=ADA)


async def test_what_is_somebodys_follows_them_to_the_account_they_are_known_by(twin: Opened) -> None:
    await taught(twin, 1, place=DIRECT)
    assert FOUND in await asked(twin, 2, place=DIRECT, account=ADA)
    old = await twin.house.people.linked(ADA, Person(BOB))
    assert old == Person(ADA)
    for _ in range(2):
        await moving.person(twin.house.database, twin.house.parts.knowledge, ADA, BOB)
    found = await twin.house.twin.search(QUESTION, place=Place(f"person:{BOB}"), person=Person(BOB))
    assert FOUND in found[0].passage.text
    assert await twin.rows(f"SELECT id FROM messages WHERE person = '{ADA}'") == []  # noqa: S608
    documents, questions = await twin.house.twin.forget_me(person=Person(BOB))
    assert (documents, questions) == (1, 1)


async def test_a_mention_that_comes_as_a_message_too_costs_one_question(twin: Opened) -> None:
    await taught(twin, 1)
    for n in range(2, 7):  # as many as may be asked at once
        question = said(QUESTION, n, account=BOB, event=f"message-{n}")
        await asyncio.gather(*(twin.desk.receive(replace(question, event=f"{kind}-{n}")) for kind in ("message", "mention")))
        assert FOUND in await twin.reply(question)


# --- again, and not any more


async def answer_id(twin: Opened, n: int) -> str:
    [(id,)] = await twin.rows(f"SELECT message_id FROM outbox WHERE key LIKE 'reply/%/{n}'")  # noqa: S608
    return str(id)


async def test_an_answer_is_given_anew_where_it_stands_once_a_click(twin: Opened) -> None:
    await taught(twin, 1)
    assert FOUND in await asked(twin, 2)
    before = await answer_id(twin, 2)
    for _ in range(2):
        await twin.desk.again("click", before, place=Place(OPEN), account=ADA)
        await twin.quiet()
    assert await answer_id(twin, 2) != before
    [post] = twin.platform.visible("2")
    assert FOUND in post.text
    assert await twin.rows("SELECT count(*) FROM messages WHERE role = 'assistant' AND NOT superseded") == [(1,)]
    assert await twin.rows("SELECT count(*) FROM messages WHERE role = 'assistant'") == [(2,)]


async def test_only_whoever_reads_a_place_has_its_answers_given_anew(twin: Opened) -> None:
    await taught(twin, 1, place=CLOSED)
    await asked(twin, 2, place=CLOSED, account=ADA)
    with pytest.raises(NotAllowed):
        await twin.desk.again("click", await answer_id(twin, 2), place=Place(CLOSED), account=BOB)
    for place, message in ((CLOSED, "nothing"), (OPEN, await answer_id(twin, 2))):
        with pytest.raises(UnknownMessage):
            await twin.desk.again("click", message, place=Place(place), account=ADA)


async def test_an_answer_that_is_given_anew_is_given_once_when_a_kill_comes(tmp_path: Path) -> None:
    async with opened(tmp_path / "data", "outbox.finish.before:raise:RuntimeError:3") as twin:
        twin.platform.files["hours.md"] = HOURS
        await taught(twin, 1)
        assert FOUND in await asked(twin, 2)
        await twin.desk.again("click", await answer_id(twin, 2), place=Place(OPEN), account=BOB)
        await twin.quiet()
        [post] = twin.platform.visible("2")
        assert (FOUND in post.text, post.finishes) == (True, 2)
        assert await twin.rows("SELECT count(*) FROM messages WHERE role = 'assistant'") == [(2,)]


async def test_a_click_below_an_answer_that_was_taken_back_does_nothing(twin: Opened) -> None:
    await taught(twin, 1)
    question = said(QUESTION, 2, account=BOB)
    await twin.said(question)
    before = await answer_id(twin, 2)
    await twin.desk.receive(replace(question, event="deleted", deleted=True))
    await twin.quiet()
    with pytest.raises(UnknownMessage):
        await twin.desk.again("click", before, place=Place(OPEN), account=BOB)
    assert twin.platform.visible("2") == []


async def test_whoever_stops_an_answer_reads_that_it_was_stopped(tmp_path: Path) -> None:
    async with opened(tmp_path / "data", "answer.midstream:hang") as twin:
        twin.platform.files["hours.md"] = HOURS
        await taught(twin, 1)
        await twin.desk.receive(said(QUESTION, 2, account=BOB, thread="2"))
        await twin.platform.until(lambda: any(post.text for post in twin.platform.visible("2")))
        assert await twin.desk.engaged(Place(OPEN), "2", BOB)
        assert not await twin.desk.engaged(Place(OPEN), "2", ADA)
        for _ in range(2):
            await twin.desk.stop("stopped", Place(OPEN), "2", BOB)
        await twin.quiet()
        [post] = twin.platform.visible("2")
        assert (post.text, post.final) == (STOPPED, True)
        assert await twin.rows("SELECT count(*) FROM messages") == [(0,)]


# --- teaching a message


async def test_a_message_that_somebody_has_learned_is_found_and_goes_with_the_message(twin: Opened) -> None:
    message = said("The canteen opens at half past twelve.", 1, account=BOB, addressed=False)
    await twin.desk.receive(message)
    await twin.quiet()
    assert twin.platform.visible("1") == []
    receipt = await twin.said(replace(message, event="taught", taught_by=ADA))
    assert receipt == "✅ Learned this message."
    assert FOUND in await asked(twin, 2)
    await twin.desk.receive(replace(message, event="deleted", deleted=True))
    await twin.quiet()
    assert twin.platform.visible("1") == []
    assert UNKNOWN in await asked(twin, 3)
