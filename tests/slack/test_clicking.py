"""What people click and order beside talking, in the real process: each is told what concerns them, and nobody else."""

import sqlite3
from typing import Any

from tests.simulators.slack import Slack
from tests.slack.people import ANSWER, QUESTION, UNKNOWN, answered, asked, finals, taught
from tests.slack.running import Twin

ASK = "ask when does the audit of the warehouse take place?"


def told(slack: Slack) -> str:
    """Return everything that was told to somebody alone."""
    return str(slack.responses) + str(slack.ephemerals)


async def modal(slack: Slack, word: str) -> dict[str, Any]:
    """Return the newest modal, once a word stands in it."""
    await slack.until(lambda: word in str(list(slack.views.modals.values())[-1:]))
    return list(slack.views.modals.values())[-1]


def owner(twin: Twin, account: str) -> None:
    """Make somebody an owner, as whoever runs the twin does with `twin people grant`."""
    with sqlite3.connect(twin.data / "twin.db") as database:
        database.execute("INSERT INTO roles (person_id, tenant, role) VALUES (?, 'slack:T1', 'owner')", (account,))
    database.close()


async def test_feedback_is_kept_taken_back_and_given_a_reason(slack: Slack, twin: Twin) -> None:
    await taught(slack, "C1", "U1")
    answer = await asked(slack, "C1", "U2")
    [feedback] = [one for block in answer.blocks for one in block.get("elements", ()) if one["type"] == "feedback_buttons"]
    good, bad = (feedback[f"{which}_button"]["value"] for which in ("positive", "negative"))
    await slack.click("U2", answer, "feedback", value=good)
    await slack.until(lambda: "that answer was good" in told(slack))
    await slack.click("U2", answer, "feedback", value=good)
    await slack.until(lambda: "Taken back" in told(slack))
    await slack.click("U2", answer, "feedback", value=bad)
    asks = await modal(slack, "What was wrong?")
    await slack.submit("U2", asks, {"reason": {"reason": {"type": "plain_text_input", "value": "it is in April"}}})
    database = sqlite3.connect(twin.data / "twin.db")
    await slack.until(
        lambda: (
            database.execute("SELECT person, value, reason FROM feedback").fetchall() == [("slack:T1:U2", -1, "it is in April")]
        )
    )
    database.close()


async def test_sources_and_reasons_are_shown_to_whoever_may_see_them(slack: Slack, twin: Twin) -> None:
    await taught(slack, "C1", "U1")
    answer = await asked(slack, "C1", "U2")
    await slack.click("U3", answer, "sources")
    assert ANSWER in str(await modal(slack, "Handbook"))
    await slack.click("U3", answer, "why")
    assert "Searched for" in str(await modal(slack, "Quoted from the sources"))
    slack.user("U9", name="Stranger", team_id="T9", is_stranger=True)
    await slack.click("U9", answer, "sources")
    assert ANSWER not in str(await modal(slack, "Sources"))


async def test_an_answer_is_given_anew_in_its_place(slack: Slack, twin: Twin) -> None:
    await taught(slack, "C1", "U1")
    answer = await asked(slack, "C1", "U2")
    before = str(answer.blocks)
    await slack.click("U2", answer, "again")
    await slack.until(lambda: str(answer.blocks) != before and ANSWER in slack.shown(answer))
    assert len(finals(slack, "C1", str(answer.thread_ts))) == 1


async def test_what_was_taught_is_undone_by_whoever_taught_it(slack: Slack, twin: Twin) -> None:
    lesson = await taught(slack, "C1", "U1")
    [receipt] = finals(slack, "C1", lesson)
    await slack.click("U2", receipt, "undo")
    await slack.until(lambda: "teachers" in told(slack))
    await slack.click("U1", receipt, "undo")
    await answered(slack, "C1", lesson, "Forgotten")
    await asked(slack, "C1", "U2", UNKNOWN)


async def test_a_command_is_answered_to_whoever_gave_it_alone(slack: Slack, twin: Twin) -> None:
    await taught(slack, "P1", "U1")
    await slack.command("U1", "C1", "/twin", ASK)
    await slack.until(lambda: ANSWER in told(slack))
    slack.responses.clear()
    await slack.command("U2", "C1", "/twin", ASK)
    await slack.until(lambda: UNKNOWN in told(slack))
    assert ANSWER not in told(slack)
    assert all(ANSWER not in slack.shown(one) for one in slack.channel_messages("C1"))


async def test_orders_show_search_and_forget(slack: Slack, twin: Twin) -> None:
    await taught(slack, "C1", "U1")
    for order, word in (
        ("help", "/twin search"),
        ("dance", "I do not know"),
        ("docs", "Handbook"),
        ("search form for leave", "L-7"),
        ("stats", "question"),
        ("model", "quote my sources"),
        ("teach", "Post a file"),
        ("remember the key is under the mat", "tell nobody but you"),
        ("notes", "under the mat"),
        ("digest", "1 document learned"),
        ("learn on", "Only owners"),
        ("forget nothing", "no document"),
    ):
        slack.responses.clear()
        await slack.command("U1", "C1", "/twin", order)
        try:
            await slack.until(lambda word=word: word in told(slack), 5)  # type: ignore[misc]
        except TimeoutError as error:
            raise AssertionError(f"{order}: {told(slack)}") from error
    slack.responses.clear()
    await slack.command("U1", "C1", "/twin", "forget me")
    await slack.until(lambda: "cannot be undone" in told(slack))
    assert "confirm_order" in told(slack)
    await slack.command("U1", "C1", "/twin", "forget me yes")
    await slack.until(lambda: "Forgotten: 1 note" in told(slack))


async def test_where_an_owner_wants_it_chat_and_files_are_learned_without_being_asked(slack: Slack, twin: Twin) -> None:
    await asked(slack, "C1", "U1", UNKNOWN)
    owner(twin, "slack:T1:U1")
    await slack.command("U1", "C1", "/twin", "learn on")
    await slack.until(lambda: "I learn what is said" in told(slack))
    said = await slack.say("C1", "U2", "The audit of the warehouse takes place on the third of March.")
    database = sqlite3.connect(twin.data / "twin.db")
    learned = "SELECT count(*) FROM document_versions WHERE state = 'ready' AND kind = 'message'"
    await slack.until(lambda: database.execute(learned).fetchone() == (1,))
    await asked(slack, "C1", "U1")
    await slack.delete("C1", said)
    await slack.until(lambda: database.execute(learned).fetchone() == (0,))
    database.close()
    await asked(slack, "C1", "U1", UNKNOWN)


async def test_a_message_is_taught_by_its_menu(slack: Slack, twin: Twin) -> None:
    said = await slack.say("C1", "U2", "The audit of the warehouse takes place on the third of March.")
    await slack.shortcut("U3", "C1", said, "teach_message")
    await slack.until(lambda: "only full members can teach me" in told(slack))
    await slack.shortcut("U1", "C1", said, "teach_message")
    await answered(slack, "C1", said, "Learned this message")
    await slack.until(lambda: "white_check_mark" in slack.channels["C1"].messages[said].reactions)
    await asked(slack, "C1", "U3")


async def test_home_shows_what_its_owner_may_see_and_forgets_it(slack: Slack, twin: Twin) -> None:
    await taught(slack, "P1", "U1")
    for user in ("U1", "U2"):
        await slack.home(user)
        await slack.until(lambda user=user: user in slack.views.home)  # type: ignore[misc]
    assert "Handbook" in str(slack.views.home["U1"])
    assert "Handbook" not in str(slack.views.home["U2"])
    await slack.click("U1", slack.views.home["U1"], "home_digest")
    await modal(slack, "Handbook")
    await slack.click("U1", slack.views.home["U1"], "home_forget")
    await slack.until(lambda: "Nothing of it is left" in str(slack.views.home["U1"]))


async def test_questions_are_suggested_where_the_private_chat_is_opened(slack: Slack, twin: Twin) -> None:
    await slack.open_dm("U1")
    await slack.until(lambda: slack.prompts)
    assert 0 < len(slack.prompts[0]["prompts"]) <= 4


async def test_of_what_is_deleted_left_or_uninstalled_nothing_is_said_any_more(slack: Slack, twin: Twin) -> None:
    slack.channel("C2", name="plans", members=["U1", "U2"])
    for channel in ("C1", "C2", "P1"):
        await taught(slack, channel, "U1", f"{channel}.md", f"The code word of {channel} is swan{channel}.".encode())
    for channel in ("C1", "C2", "P1"):
        await asked(slack, channel, "U1", f"swan{channel}", f"<@U0TWIN> what is the code word of {channel}?")
    await slack.remove("C2")
    await slack.kick_bot("P1")
    database = sqlite3.connect(twin.data / "twin.db")
    scopes = "SELECT DISTINCT scope FROM document_scopes WHERE scope LIKE 'slack:%' ORDER BY scope"
    await slack.until(lambda: database.execute(scopes).fetchall() == [("slack:T1:C1",)])
    await slack.uninstall()
    await slack.until(lambda: database.execute(scopes).fetchall() == [])
    await slack.until(lambda: not twin.holds("swanC"), 20)
    database.close()


async def test_a_thread_that_is_stopped_says_so(slack: Slack, twin: Twin) -> None:
    await taught(slack, "C1", "U1")
    await twin.stop()
    await twin.start("answer.midstream:hang")
    ts = await slack.say("C1", "U2", QUESTION)
    await slack.until(lambda: any(one.streaming and slack.shown(one) for one in slack.thread("C1", ts)))
    [message] = [one for one in slack.thread("C1", ts) if one.streaming]
    await slack.stop_stream("U2", message)
    await answered(slack, "C1", ts, "Stopped")
    assert [one["status"] for one in slack.statuses] == ["active"]
