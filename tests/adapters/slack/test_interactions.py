"""Commands, buttons and shortcuts: the real Bolt against the simulated Slack, with a twin that has its engines."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import text

from adapters.slack import names
from bot.access import NotAllowed
from bot.app import House, open_house
from bot.chat import Place, Taught
from bot.settings import Settings
from tests.adapters.slack.clicking import HANDBOOK, QUESTION, Office, office
from tests.adapters.slack.desks import Desk
from tests.simulators.slack import Message

pytestmark = pytest.mark.asyncio(loop_scope="module")

C1, P1, ALONE = (names.place("T1", "C1"), names.place("T1", "P1"), names.place("T1", "C1", alone="U1"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with open_house(Settings(data_dir=tmp_path_factory.mktemp("house"))) as opened:
        async with office(opened) as place:
            await place.taught(tmp_path_factory.mktemp("files"), "handbook.md", HANDBOOK, "P1")
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def here(house: House) -> AsyncIterator[Office]:
    async with office(house) as opened:
        yield opened


# --- commands


async def test_a_question_is_handed_in_before_it_is_acknowledged_and_is_for_its_asker_alone(here: Office) -> None:
    await here.slack.command("U1", "C1", "/twin", "ask when is the &lt;big&gt; audit, <@U2|grace>?")
    [question] = here.desk.messages
    assert question.place == ALONE
    assert (question.account, question.author, question.addressed) == ("slack:T1:U1", "Ada", True)
    assert question.text == "when is the <big> audit, @grace?"
    assert question.id in here.responses.known


async def test_a_question_that_could_not_be_handed_in_is_not_lost_in_silence(here: Office) -> None:
    here.desk.fails = 1
    answer = await here.slack.command("U1", "C1", "/twin", "ask when is the audit?")
    assert "something went wrong" in answer["text"]


async def test_an_order_is_answered_to_whoever_gave_it_from_what_they_may_see(here: Office) -> None:
    await here.slack.command("U1", "C1", "/twin", "docs")
    assert "Handbook" in await here.told()
    await here.slack.command("U2", "C1", "/twin", "docs")
    assert "Handbook" not in await here.told()


async def test_an_order_that_is_wrong_or_not_allowed_gets_a_sentence(here: Office) -> None:
    await here.slack.command("U1", "C1", "/twin", "dogs")
    assert "Is `docs` meant?" in await here.told()
    await here.slack.command("U1", "C1", "/twin", "forget 123456")
    assert "123456" in await here.told()
    await here.slack.command("U2", "C1", "/twin", "learn on")
    assert await here.told() == "Only owners can do that."


async def test_what_is_written_in_an_order_cannot_call_anybody(here: Office) -> None:
    await here.slack.command("U1", "C1", "/twin", "&lt;!channel&gt;")
    assert "<!channel>" not in await here.told()


async def test_forgetting_asks_first_and_a_button_does_it_or_does_not(here: Office, tmp_path: Path) -> None:
    id = await here.taught(tmp_path, "menu.md", "# Menu\n\nOn Fridays there is fish.\n")
    for button, left in (("cancel_order", True), ("confirm_order", False)):
        await here.slack.command("U1", "C1", "/twin", f"forget {id}")
        await here.slack.until(lambda: here.slack.responses)
        _, asked = here.slack.responses.pop()
        await here.slack.click("U1", Message("1.1", "C1", "U0TWIN", blocks=asked["blocks"]), button, ephemeral=True)
        assert await here.told() == ""  # the question is taken away
        if not left:
            assert await here.told() == "Forgotten: “Menu”. Nothing of it is left."
        documents = await here.house.twin.documents(place=Place(C1), person=await here.person("U1"))
        assert (id in {one.id for one in documents}) is left


# --- opinions


async def test_the_same_opinion_once_more_takes_it_back(here: Office) -> None:
    answer, shown = await here.answered("U1", P1)
    value = f"1:{answer.message_id}"
    await here.slack.click("U1", shown, "feedback", value)
    assert await here.told() == "Thank you, noted: that answer was good. The same button once more takes it back."
    assert await opinions(here, answer.message_id) == [(1, "")]
    await here.slack.click("U1", shown, "feedback", value)
    assert (await here.told()).startswith("Taken back")
    assert await opinions(here, answer.message_id) == []


async def test_a_bad_answer_is_noted_at_once_and_asked_about(here: Office) -> None:
    answer, shown = await here.answered("U1", P1)
    await here.slack.click("U1", shown, "feedback", f"-1:{answer.message_id}")
    assert "What was wrong?" in str((await here.modal(), here.slack.views.modals["V1"]))
    assert await opinions(here, answer.message_id) == [(-1, "")]
    values = {"reason": {"reason": {"type": "plain_text_input", "value": "It is of last year."}}}
    assert not await here.slack.submit("U1", here.slack.views.modals["V1"], values)
    assert await opinions(here, answer.message_id) == [(-1, "It is of last year.")]


async def test_a_reason_that_cannot_be_kept_is_told_where_it_was_written(here: Office) -> None:
    answer, shown = await here.answered("U1", P1)
    await here.slack.click("U1", shown, "feedback", f"-1:{answer.message_id}")
    await here.modal()
    await here.house.twin.forget_me(person=await here.person("U1"))
    values = {"reason": {"reason": {"type": "plain_text_input", "value": "It is of last year."}}}
    said = await here.slack.submit("U1", here.slack.views.modals["V1"], values)
    assert said["errors"] == {"reason": "I have no such message here. It may have been deleted."}


async def test_an_opinion_is_noted_though_slack_opens_no_modal(here: Office) -> None:
    answer, shown = await here.answered("U1", P1)
    here.slack.fault("views.open", "expired_trigger_id")
    await here.slack.click("U1", shown, "feedback", f"-1:{answer.message_id}")
    assert "that answer was bad" in await here.told()
    assert await opinions(here, answer.message_id) == [(-1, "")]


async def opinions(here: Office, message_id: str) -> list[tuple[int, str]]:
    async with here.house.database.connect() as connection:
        rows = await connection.execute(text("SELECT value, reason FROM feedback WHERE message_id = :id"), {"id": message_id})
        return [(row.value, row.reason) for row in rows]


# --- how an answer came about


async def test_sources_show_what_is_quoted_and_why_what_was_considered(here: Office) -> None:
    _, shown = await here.answered("U1", P1)
    await here.slack.click("U1", shown, "sources")
    assert "third of March" in await here.modal(1)
    await here.slack.click("U1", shown, "why")
    told = await here.modal(2)
    assert "Searched for: When does the audit" in told
    assert "cited" in told


async def test_whoever_may_not_read_a_place_is_shown_nothing_of_what_was_answered_there(here: Office) -> None:
    _, shown = await here.answered("U1", P1)
    for number, button in enumerate(("sources", "why"), 1):
        await here.slack.click("U2", shown, button)
        told = await here.modal(number)
        assert "third of March" not in told + str(here.slack.views.modals)
        assert "I have no such message here." in told


async def test_what_was_answered_to_somebody_alone_is_shown_to_them_alone(here: Office) -> None:
    _, shown = await here.answered("U1", ALONE)
    await here.slack.click("U1", shown, "sources", ephemeral=True)
    assert "third of March" in await here.modal(1)
    await here.slack.click("U2", shown, "sources", ephemeral=True)
    assert "third of March" not in await here.modal(2)


async def test_a_modal_that_slack_does_not_open_is_told_of(here: Office) -> None:
    _, shown = await here.answered("U1", P1)
    here.slack.fault("views.open", "expired_trigger_id")
    await here.slack.click("U1", shown, "sources")
    assert "expired_trigger_id" in await here.told()


# --- again, and undone


async def test_another_answer_is_asked_of_the_desk_where_the_answer_stands(here: Office) -> None:
    answer, shown = await here.answered("U1", P1)
    await here.slack.click("U1", shown, "again")
    assert here.desk.anew == [(answer.message_id, P1, "slack:T1:U1")]


async def test_who_may_not_have_it_answered_anew_is_told_so(here: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refused(*_: object, **__: object) -> None:
        raise NotAllowed("Only those who read this may.")

    monkeypatch.setattr(Desk, "again", refused)
    _, shown = await here.answered("U1", P1)
    await here.slack.click("U2", shown, "again")
    assert await here.told() == "Only those who read this may."


async def test_what_was_taught_is_forgotten_by_whoever_may(here: Office, tmp_path: Path) -> None:
    first, second = [Taught(await here.taught(tmp_path, f"{name}.md", f"# {name}\n\nIt is {name}.\n"), name) for name in "AB"]
    receipt = await here.receipt("C1", first, second)
    await here.slack.click("U2", receipt, "undo", second.document_id)  # taught by somebody else
    assert "Only teachers" in await here.told()
    await here.slack.click("U1", receipt, "undo", second.document_id)
    assert await here.told() == "↩️ Forgotten: “B”. Nothing of it is left."
    await here.slack.click("U1", receipt, "undo", first.document_id)
    assert await here.told() == "↩️ Forgotten: “A”. Nothing of it is left."


# --- shortcuts


async def test_a_message_is_learned_as_it_is_by_whoever_chose_it(here: Office) -> None:
    file = here.slack.file("plan.pdf", b"%PDF", user="U2")
    ts = await here.slack.say("C1", "U2", "The plan for <@U1>", files=[file])
    await here.slack.shortcut("U1", "C1", ts, "teach_message")
    assert (await here.told()).startswith("I am learning it")
    [message] = here.desk.messages
    assert (message.place, message.id, message.account, message.taught_by) == (C1, ts, "slack:T1:U2", "slack:T1:U1")
    assert message.text == "The plan for @Ada"
    assert [one.name for one in message.attachments] == ["plan.pdf"]
    assert not message.addressed


@pytest.mark.parametrize(
    ("user", "channel", "said", "told"),
    [
        ("U3", "C1", "A plan", "Guests can ask me, but only full members can teach me."),
        ("U1", "C2", "A plan", "I am not in this channel. Invite me"),
        ("U1", "C1", " ", "There is nothing in this message that I could learn."),
    ],
)
async def test_a_message_that_cannot_be_taught_is_told_of(here: Office, user: str, channel: str, said: str, told: str) -> None:
    ts = await here.slack.say(channel, "U1", said)
    await here.slack.shortcut(user, channel, ts, "teach_message")
    assert (await here.told()).startswith(told)
    assert here.desk.messages == []


async def test_a_question_from_anywhere_stands_in_the_private_chat_and_is_answered_there(here: Office) -> None:
    await here.slack.global_shortcut("U1", "ask_global")
    await here.modal()
    values = {"question": {"question": {"type": "plain_text_input", "value": f"{QUESTION} <!here>"}}}
    assert not await here.slack.submit("U1", here.slack.views.modals["V1"], values)
    direct = here.slack.direct("U1")
    [shown] = here.slack.channel_messages(direct)
    assert "<!here>" not in here.slack.shown(shown)
    [question] = here.desk.messages
    assert (question.place, question.id, question.thread) == (names.place("T1", direct), shown.ts, shown.ts)
    assert (question.account, question.text, question.addressed) == ("slack:T1:U1", f"{QUESTION} <!here>", True)


async def test_a_question_from_anywhere_that_is_not_handed_in_stays_where_it_was_written(here: Office) -> None:
    await here.slack.global_shortcut("U1", "ask_global")
    await here.modal()
    here.desk.fails = 1
    values = {"question": {"question": {"type": "plain_text_input", "value": QUESTION}}}
    said = await here.slack.submit("U1", here.slack.views.modals["V1"], values)
    assert "something went wrong" in said["errors"]["question"]


async def test_whatever_else_is_clicked_is_acknowledged(here: Office) -> None:
    button = {
        "type": "button",
        "action_id": "open_link",
        "url": "https://example.com",
        "text": {"type": "plain_text", "text": "x"},
    }
    shown = await here.posted("C1", [{"type": "actions", "elements": [button]}])
    await here.slack.click("U1", shown, "open_link")
    assert here.slack.unanswered == []
