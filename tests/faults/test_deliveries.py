"""Delivered twice, changed and deleted while it is worked on, in any order: what stays is what was said last, once."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from bot.chat import Message
from tests.faults.running import Running, running
from tests.simulators.platform import said

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]

CANTEEN, BICYCLES = "When does the canteen open?", "Where do the bicycles stand?"
TAKEN_BACK = ("quaggaquill", "numbatnook", "okapioboe", "pangopiano", "kakapokite", "dodoledrum", "tapirtempo", "oryxopal")
"""Words that stand in nothing but what was edited away or deleted."""
SLOWLY = "answer.before:sleep:1:*,answer.whole.before:sleep:1:*,library.read:sleep:1:*"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def one(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """Provide a twin that knows two things, and takes its time to learn and to answer."""
    async with running(tmp_path_factory.mktemp("deliveries")) as twin:
        await twin.start(SLOWLY)
        twin.platform.files["hours.md"] = b"# Hours\n\nThe canteen opens at half past twelve.\n"
        twin.platform.files["bicycles.md"] = b"# Bicycles\n\nThe bicycles stand in the north cellar.\n"
        await twin.redeliver([message := said("", "files", files=("hours.md", "bicycles.md"))])
        await twin.said(message)
        yield twin


async def nothing_left(one: Running, word: str) -> None:
    """Hold that a word is in no post, in no row, and in nothing that is found."""
    await one.quiet()
    assert not [post for post in one.platform.visible() if word in post.text]
    assert not [text for text in await one.found(word, place="sim:T1:L1") if word in text]
    for (table,) in await one.rows("SELECT name FROM sqlite_master WHERE type = 'table'"):
        assert word not in str(await one.rows(f'SELECT * FROM "{table}"')), table  # noqa: S608 - its own names


async def begun(one: Running, message: Message) -> None:
    """Wait until a post waits for its answer."""
    await one.platform.until(lambda: bool(one.platform.visible(message.id)))


async def test_an_event_that_is_delivered_again_and_again_is_acknowledged_and_answered_once(one: Running) -> None:
    question = said(CANTEEN, "again", account="sim:T1:M1")
    assert await one.deliver_all([question] * 4) == [True] * 4
    [answer] = await one.said(question)
    await one.quiet()
    assert await one.deliver_all([question] * 4) == [True] * 4  # long after it was answered
    await one.quiet()
    assert "half past twelve" in answer
    assert await one.said(question) == [answer]
    assert one.platform.visible("again")[0].finishes == 1
    assert await one.rows("SELECT count(*) FROM inbox WHERE message = 'again'") == [(1,)]
    assert await one.jobs("answer/sim:T1:C1\nagain\n") == 1


async def test_a_message_that_comes_as_a_mention_too_is_answered_once(one: Running) -> None:
    message = said(CANTEEN, "both", account="sim:T1:M2", addressed=False)
    mention = replace(message, event="mention", addressed=True)
    assert await one.deliver_all([message, mention, mention, message]) == [True] * 4
    [answer] = await one.said(message)
    await one.quiet()
    assert await one.said(message) == [answer]
    assert await one.rows("SELECT count(*), count(DISTINCT event) FROM inbox WHERE message = 'both'") == [(2, 2)]
    assert await one.jobs("answer/sim:T1:C1\nboth\n") == 1


async def test_a_file_that_is_deleted_while_it_is_learned_is_not_learned(one: Running) -> None:
    one.platform.files["secret.md"] = b"# Vault\n\nThe quaggaquill lies in the vault.\n"
    upload, calls = said("", "vault", files=("secret.md",), account="sim:T1:M3"), one.platform.calls["fetch"]
    assert await one.deliver(upload)
    await one.platform.until(lambda: one.platform.calls["fetch"] > calls)
    assert await one.deliver(said("", "vault", at=1, deleted=True))
    await nothing_left(one, "quaggaquill")
    assert one.platform.visible("vault") == []
    assert await one.rows("SELECT count(*) FROM documents WHERE source LIKE '%/vault#%'") == [(0,)]
    assert await one.mended() == 0


async def test_a_question_that_is_deleted_while_it_is_answered_is_not_answered(one: Running) -> None:
    question = said(f"{CANTEEN} numbatnook", "gone", account="sim:T1:M4")
    assert await one.deliver(question)
    await begun(one, question)
    assert await one.deliver(said("", "gone", at=1, deleted=True))
    await nothing_left(one, "numbatnook")
    assert one.platform.visible("gone") == []


async def test_an_answer_that_is_whole_is_not_shown_when_its_question_is_deleted_before(one: Running) -> None:
    question = said(f"{CANTEEN} okapioboe", "late", account="sim:T1:M5")
    assert await one.deliver(question)
    while await one.rows("SELECT count(*) FROM messages WHERE text LIKE '%okapioboe%'") == [(0,)]:
        pass
    assert await one.deliver(said("", "late", at=1, deleted=True))
    await nothing_left(one, "okapioboe")
    assert one.platform.visible("late") == []


async def test_a_question_that_is_edited_while_it_is_answered_is_answered_as_it_is_now(one: Running) -> None:
    question = said(f"{CANTEEN} pangopiano", "edited", account="sim:T1:M6")
    assert await one.deliver(question)
    await begun(one, question)
    assert await one.deliver(said(BICYCLES, "edited", account="sim:T1:M6", at=1))
    [answer] = await one.said(question)
    await nothing_left(one, "pangopiano")
    assert "north cellar" in answer
    [post] = one.platform.visible("edited")
    assert (post.text, post.finishes) == (answer, 1)
    assert await one.rows("SELECT text FROM messages WHERE origin LIKE '%/edited'") == [(BICYCLES,)]


async def test_of_edits_in_the_wrong_order_the_last_one_counts(one: Running) -> None:
    first, second, third = (
        said(text, "shuffled", account="sim:T1:M7", at=at)
        for at, text in enumerate((f"{CANTEEN} kakapokite", "kakapokite?", BICYCLES))
    )
    for version in (first, third, second):
        assert await one.deliver(version)
    [answer] = await one.said(first)
    await nothing_left(one, "kakapokite")
    assert "north cellar" in answer
    assert await one.rows("SELECT text FROM messages WHERE origin LIKE '%/shuffled'") == [(BICYCLES,)]


async def test_what_is_deleted_before_it_comes_never_comes(one: Running) -> None:
    assert await one.deliver(said("", "early", at=1, deleted=True))
    assert await one.deliver(said(f"{CANTEEN} dodoledrum", "early", account="sim:T1:M8"))
    await nothing_left(one, "dodoledrum")
    assert one.platform.visible("early") == []


async def test_an_edit_that_is_refused_leaves_nothing_but_the_refusal(one: Running) -> None:
    questions = [said(CANTEEN, f"many-{n}", account="sim:T1:M9") for n in range(5)]
    assert all(await one.deliver_all(questions))
    await begun(one, questions[0])
    assert await one.deliver(said(BICYCLES, "many-0", account="sim:T1:M9", at=1))
    refusal, *answers = await one.said(*questions)
    await one.quiet()
    assert refusal.startswith("That was a lot of questions at once.")
    assert all("half past twelve" in answer for answer in answers)
    assert len(await one.said(*questions)) == 5


async def test_a_message_that_was_learned_says_what_it_says_now_and_nothing_once_it_is_deleted(one: Running) -> None:
    heard = [
        said(text, "heard", place="sim:T1:L1", addressed=False, at=at)
        for at, text in enumerate(
            ("The tapirtempo gate opens with code 4711.", "Code 4712 tapirtempo.", "The gate opens with code oryxopal.")
        )
    ]
    for version in (heard[0], heard[2], heard[1]):
        assert await one.deliver(version)
    await nothing_left(one, "tapirtempo")
    assert any("oryxopal" in text for text in await one.found("Which code opens the gate?", place="sim:T1:L1"))
    assert await one.deliver(said("", "heard", place="sim:T1:L1", at=9, deleted=True))
    await nothing_left(one, "oryxopal")
    assert await one.mended() == 0


async def test_an_answer_that_rests_on_what_is_deleted_loses_its_words_where_it_stands(one: Running) -> None:
    told = said("The word for opening the gate is wombatwhistle.", "gate", place="sim:T1:L1", addressed=False)
    await one.redeliver([told])
    await one.quiet()
    question = said("What is the word for opening the gate?", "gate?", place="sim:T1:L1", account="sim:T1:M7")
    await one.redeliver([question])
    [answer] = await one.said(question)
    assert "wombatwhistle" in answer
    await one.redeliver([said("", "gate", place="sim:T1:L1", addressed=False, at=9, deleted=True)])
    await one.platform.until(lambda: all("wombatwhistle" not in post.text for post in one.platform.visible("gate?")))
    await nothing_left(one, "wombatwhistle")


async def test_of_what_was_taken_back_no_byte_is_left_in_the_data_folder(one: Running) -> None:
    assert await one.deliver(said("The quaggaquill is blue.", "last", place="sim:T1:L1", addressed=False))
    await one.quiet()
    assert any("quaggaquill" in text for text in await one.found("quaggaquill", place="sim:T1:L1"))
    assert await one.deliver(said("", "last", place="sim:T1:L1", at=1, deleted=True))
    await one.quiet()
    assert await one.stop() == 0, one.log()[-2000:]
    for path in one.data.rglob("*"):
        held = path.read_bytes() if path.is_file() else b""
        assert not [word for word in TAKEN_BACK if word.encode() in held], path
    assert not [word for word in TAKEN_BACK if word in one.log()]
