"""People talk to the twin in Slack: the real process, over real sockets, from the mention to the byte that is gone."""

import asyncio
from pathlib import Path

import pytest

from tests.knowledge.extract.samples import pdf
from tests.simulators.slack import Slack
from tests.slack.people import UNKNOWN, answered, asked, finals, taught
from tests.slack.running import Twin, running


async def test_a_file_is_taught_asked_about_and_gone_when_its_message_is_deleted(slack: Slack, twin: Twin) -> None:
    lesson = await taught(slack, "C1", "U1")
    [message] = [one for one in slack.channel_messages("C1") if one.ts == lesson]
    await slack.until(lambda: list(message.reactions) == ["white_check_mark"])
    question = await slack.say("C1", "U2", "<@U0TWIN> when does the audit of the warehouse take place?")
    answer = await answered(slack, "C1", question, "third of March")
    assert answer.thread_ts == question
    assert "handbook" in slack.shown(answer).lower()
    await slack.delete("C1", lesson)
    await slack.until(lambda: "third of March" not in slack.shown(answer), 10)
    again = await slack.say("C1", "U2", "<@U0TWIN> when does the audit of the warehouse take place?")
    await answered(slack, "C1", again, "don't know")
    for _ in range(50):
        if not twin.holds("third of March"):
            break
        await asyncio.sleep(0.2)
    assert twin.holds("third of March") == []


async def test_a_thread_goes_on_without_a_mention_for_whoever_spoke_to_the_twin_in_it(slack: Slack, twin: Twin) -> None:
    await taught(slack, "C1", "U1")
    root = await slack.say("C1", "U2", "<@U0TWIN> when does the audit of the warehouse take place?")
    await answered(slack, "C1", root, "third of March")
    await slack.say("C1", "U1", "I did not know that", thread_ts=root)  # not to the twin
    await slack.say("C1", "U2", "Which form is leave asked for with?", thread_ts=root)
    await slack.until(lambda: len(finals(slack, "C1", root)) == 2)
    assert "L-7" in slack.shown(finals(slack, "C1", root)[1])


async def test_a_pdf_dropped_into_a_private_message_is_answered_from_with_its_page(slack: Slack, twin: Twin) -> None:
    direct = slack.direct("U1")
    pages = [["The attic is locked."], ["The safe stands in the cellar behind the boiler."]]
    await taught(slack, direct, "U1", "house.pdf", pdf(pages), "")
    answer = await asked(slack, direct, "U1", "behind the boiler", "where does the safe stand?")
    assert "house.pdf, p. 2" in slack.shown(answer)
    outside = await asked(slack, "C1", "U2", UNKNOWN, "<@U0TWIN> where does the safe stand?")
    assert "boiler" not in slack.shown(outside)


async def test_an_edit_is_another_question(slack: Slack, twin: Twin) -> None:
    await taught(slack, "C1", "U1")
    answer = await asked(slack, "C1", "U2")
    ts = str(answer.thread_ts)
    await slack.edit("C1", ts, "<@U0TWIN> which form is leave asked for with?")
    await answered(slack, "C1", ts, "L-7")


async def test_what_is_said_in_a_private_channel_is_for_those_in_it(slack: Slack, twin: Twin) -> None:
    await taught(slack, "P1", "U1")
    outside = await slack.say("C1", "U2", "<@U0TWIN> when does the audit of the warehouse take place?")
    await answered(slack, "C1", outside, "don't know")
    direct = slack.direct("U1")
    inside = await slack.say(direct, "U1", "when does the audit of the warehouse take place?")
    await answered(slack, direct, inside, "third of March")
    stranger = slack.direct("U3")
    guest = await slack.say(stranger, "U3", "when does the audit of the warehouse take place?")
    await answered(slack, stranger, guest, "don't know")


async def test_one_mention_delivered_in_every_way_has_one_answer(slack: Slack, twin: Twin) -> None:
    await taught(slack, "C1", "U1")
    slack.delivery.duplicates = 4
    slack.delivery.reorder = True
    question = await slack.say("C1", "U2", "<@U0TWIN> when does the audit of the warehouse take place?")
    await answered(slack, "C1", question, "third of March")
    await asyncio.sleep(1)
    assert len(finals(slack, "C1", question)) == 1


@pytest.mark.parametrize(
    "fault",
    [
        "outbox.open.after",
        "answer.before",
        "answer.midstream",
        "answer.whole.before",
        "outbox.finish.before",
        "outbox.finish.after",
    ],
)
async def test_killed_at_any_moment_it_gives_one_answer(slack: Slack, tmp_path: Path, fault: str) -> None:
    async with running(tmp_path, slack) as twin:
        await taught(slack, "C1", "U1")
        await twin.stop()
        await twin.start(f"{fault}:kill9")
        question = await slack.say("C1", "U2", "<@U0TWIN> when does the audit of the warehouse take place?")
        assert await twin.dead() == -9
        await twin.start()
        await answered(slack, "C1", question, "third of March")
        await asyncio.sleep(1)
        assert len(finals(slack, "C1", question)) == 1


async def test_a_mention_missed_while_away_is_answered_after_coming_back(slack: Slack, twin: Twin) -> None:
    await taught(slack, "C1", "U1")
    await twin.stop()
    slack.delivery.lost = True
    question = await slack.say("C1", "U2", "<@U0TWIN> when does the audit of the warehouse take place?")
    slack.delivery.lost = False
    await twin.start()
    await answered(slack, "C1", question, "third of March")


async def test_sockets_that_drop_are_made_anew_and_nothing_is_lost(slack: Slack, twin: Twin) -> None:
    await taught(slack, "C1", "U1")
    await slack.drop_sockets()
    question = await slack.say("C1", "U2", "<@U0TWIN> when does the audit of the warehouse take place?")
    await answered(slack, "C1", question, "third of March")


async def test_sockets_that_drop_in_the_middle_of_an_answer_are_none_of_its_business(slack: Slack, tmp_path: Path) -> None:
    async with running(tmp_path, slack) as twin:
        await taught(slack, "C1", "U1")
        await twin.stop()
        await twin.start("answer.midstream:sleep:1")
        slack.delivery.duplicates = 3
        ts = await slack.say("C1", "U2", "<@U0TWIN> when does the audit of the warehouse take place?")
        await slack.until(lambda: any(one.streaming for one in slack.thread("C1", ts)))
        await slack.drop_sockets()
        await answered(slack, "C1", ts, "third of March")
        await slack.until(lambda: len(slack.sockets) >= 1)
        assert len(finals(slack, "C1", ts)) == 1


async def test_the_twin_leaves_cleanly_when_asked(slack: Slack, twin: Twin) -> None:
    assert await twin.stop() == 0, twin.log()[-2000:]
    assert "Traceback" not in twin.log()
