"""An answer in Slack is one post with the whole text, whatever fails or dies while it is shown."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from adapters.common.pace import Budget, Pace
from adapters.slack import beside, names, stream
from adapters.slack.alone import Responses
from adapters.slack.stream import Shows
from adapters.slack.workspace import Workspace
from bot.chat import Answer, Mark, Notice, Refused, Reply, Source, TryLater
from tests.adapters.slack.worlds import workspace_of
from tests.simulators.slack import Message, Slack

FIRST, SECOND = "The audit is in March [1].", "The audit is in March [1]. It takes a week [1]."
SOURCE = Source(1, "d1", "Handbook", 3, "Audit", "The audit is in March.", "https://acme.slack.com/x", 0.9)
WHOLE = Answer(SECOND, (SOURCE,), False, "openai", "stub", "c1", "m1")


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "_APPENDS", 0.0)
    monkeypatch.setattr(stream, "_UPDATES", 0.0)


@pytest.fixture
async def slack() -> AsyncIterator[Slack]:
    async with Slack.open() as opened:
        opened.user("U1", name="Ada")
        opened.user("U2", name="Grace")
        opened.channel("C1", name="general", members=["U1", "U2"])
        yield opened


class Setting:
    """A question in Slack, and a process that shows the answer to it; `restarted` is another process."""

    def __init__(self, slack: Slack, session: aiohttp.ClientSession, workspace: Workspace, ts: str, channel: str) -> None:
        self.slack = slack
        self.session = session
        self.workspace = workspace
        self.reply = Reply(f"reply/slack:T1:{channel}/{ts}", f"slack:T1:{channel}", ts, ts, "slack:T1:U1", fresh=True)
        self.restarted()

    def restarted(self) -> None:
        self.shows = Shows(Responses(self.session))

    async def tried(self, step: Any) -> Any:
        """Do a step until it is done, as the outbox does; each try after the first is not fresh any more."""
        for _ in range(6):
            try:
                return await step()
            except TryLater as later:
                await asyncio.sleep(min(later.seconds or 0, 0.05))
            except Refused:
                raise
            except ConnectionError:
                pass
            self.reply = replace(self.reply, fresh=False)
        raise AssertionError("never done")

    async def open(self) -> str:
        shown = await self.tried(lambda: self.shows.open(self.workspace, self.reply))
        assert isinstance(shown, str)
        return shown

    async def write(self, shown: str, text: str) -> None:
        with suppress(TryLater, ConnectionError):  # the final text puts it right
            await self.shows.write(self.workspace, self.reply, shown, text)

    async def finish(self, shown: str, content: Answer | Notice = WHOLE) -> None:
        await self.tried(lambda: self.shows.finish(self.workspace, self.reply, shown, content))

    def posts(self) -> list[Message]:
        channel = names.where(self.reply.place).channel
        return [one for one in self.slack.thread(channel, self.reply.to) if one.user == "U0TWIN"]

    def said(self) -> str:
        [post] = self.posts()
        assert not post.streaming
        return self.slack.shown(post)


@pytest.fixture
async def asked(slack: Slack) -> AsyncIterator[Setting]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=1)) as session:
        ts = await slack.say("C1", "U1", "<@U0TWIN> when is the audit?")
        yield Setting(slack, session, workspace_of(slack, session), ts, "C1")


async def test_an_answer_is_streamed_and_ends_with_its_sources_and_buttons(asked: Setting) -> None:
    shown = await asked.open()
    [post] = asked.posts()
    assert post.streaming
    assert post.recipient == "U1"
    await asked.write(shown, FIRST)
    assert asked.slack.shown(post) == FIRST
    await asked.write(shown, SECOND)
    await asked.finish(shown)
    assert asked.said().startswith(SECOND)
    assert "<https://acme.slack.com/x|Handbook, p. 3 › Audit>" in asked.said()
    assert [block["type"] for block in post.blocks] == ["task_card", "markdown", "context", "context_actions", "actions"]
    assert post.blocks[0]["status"] == "complete"
    assert asked.slack.calls["chat.update"] == 0


FAULTS = [429, 500, "timeout after", "reset", "internal_error"]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("method", ["chat.startStream", "chat.appendStream", "chat.stopStream"])
async def test_whatever_fails_there_is_one_post_with_the_whole(asked: Setting, method: str, fault: int | str) -> None:
    asked.slack.fault(method, fault)
    shown = await asked.open()
    await asked.write(shown, FIRST)
    await asked.write(shown, SECOND)
    await asked.finish(shown)
    assert asked.said().startswith(SECOND)
    assert asked.said().count("It takes a week") == 1


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("method", ["chat.postMessage", "chat.update"])
async def test_without_streams_it_is_posted_once_and_updated(asked: Setting, method: str, fault: int | str) -> None:
    asked.slack.fault("chat.startStream", "channel_type_not_supported")
    asked.slack.fault(method, fault)
    shown = await asked.open()
    await asked.write(shown, FIRST)
    await asked.write(shown, SECOND)
    await asked.finish(shown)
    assert asked.said().startswith(SECOND)


@pytest.mark.parametrize("after", ["open", "write", "finish"])
@pytest.mark.parametrize("streams", [True, False])
async def test_another_process_completes_the_same_post(asked: Setting, after: str, streams: bool) -> None:
    if not streams:
        asked.slack.fault("chat.startStream", "channel_type_not_supported")
    shown = await asked.open()
    if after != "open":
        await asked.write(shown, FIRST)
    if after == "finish":
        await asked.finish(shown)
    asked.restarted()
    asked.reply = replace(asked.reply, fresh=False)
    again = await asked.open()
    assert again == shown
    await asked.write(again, SECOND)
    await asked.finish(again)
    assert asked.said().startswith(SECOND)


async def test_another_process_finds_what_was_posted_when_nobody_was_told_its_id(asked: Setting) -> None:
    asked.slack.fault("chat.startStream", "timeout after")
    with pytest.raises(ConnectionError):
        await asked.shows.open(asked.workspace, asked.reply)
    asked.restarted()
    asked.reply = replace(asked.reply, fresh=False)
    shown = await asked.open()
    await asked.finish(shown)
    assert asked.said().startswith(SECOND)


@pytest.mark.parametrize("code", ["message_not_in_streaming_state", "stopped_by_user", "msg_too_long"])
async def test_a_stream_that_ends_by_itself_is_completed_by_an_update(asked: Setting, code: str) -> None:
    shown = await asked.open()
    await asked.write(shown, FIRST)
    [post] = asked.posts()
    post.streaming = code == "msg_too_long"
    post.stopped = code == "stopped_by_user"
    asked.slack.fault("chat.appendStream", code)
    await asked.write(shown, SECOND)
    await asked.finish(shown)
    assert asked.said().startswith(SECOND)


async def test_a_stream_is_ended_before_slack_ends_it(asked: Setting) -> None:
    now = 0.0
    asked.shows = Shows(Responses(asked.session), clock=lambda: now)
    shown = await asked.open()
    await asked.write(shown, FIRST)
    now = stream.LONGEST + 1
    await asked.write(shown, SECOND)
    [post] = asked.posts()
    assert not post.streaming
    assert asked.slack.shown(post) == SECOND
    await asked.finish(shown)
    assert asked.said().startswith(SECOND)


async def test_a_write_that_is_cut_off_leaves_nothing_twice_and_nothing_out(asked: Setting) -> None:
    shown = await asked.open()
    await asked.write(shown, FIRST)
    asked.slack.fault("chat.appendStream", "timeout after")
    writing = asyncio.create_task(asked.shows.write(asked.workspace, asked.reply, shown, SECOND))
    [post] = asked.posts()
    await asked.slack.until(lambda: asked.slack.shown(post) == SECOND)
    writing.cancel()
    await asyncio.wait([writing])
    await asked.finish(shown)
    assert asked.said().count("It takes a week") == 1


async def test_blanks_at_the_end_are_no_reason_to_show_everything_anew(asked: Setting) -> None:
    shown = await asked.open()
    await asked.write(shown, f"{SECOND}\n\n")
    await asked.finish(shown)
    assert asked.slack.calls["chat.update"] == 0


async def test_what_begins_anew_is_not_appended_to_what_was_void(asked: Setting) -> None:
    shown = await asked.open()
    await asked.write(shown, "It is in June.")
    await asked.write(shown, FIRST)
    await asked.finish(shown)
    assert "June" not in asked.said()


async def test_a_long_answer_goes_on_in_further_posts_and_shrinks_again(asked: Setting) -> None:
    long = "\n\n".join(f"Paragraph {n} says what is to be said about hall {n} and its lamps." for n in range(500))
    shown = await asked.open()
    await asked.write(shown, long[:9_000])
    await asked.write(shown, long[:20_000])
    await asked.finish(shown, replace(WHOLE, text=long))
    texts = [asked.slack.shown(post) for post in asked.posts()]
    assert len(texts) >= 3
    assert all(len(text) <= stream.MOST + 200 for text in texts)
    assert all(f"Paragraph {n} says" in "\n".join(texts) for n in range(500))
    asked.restarted()
    await asked.finish(shown, replace(WHOLE, text="Forgotten."))
    assert asked.said().startswith("Forgotten.")


LONG = "\n\n".join(f"Paragraph {n} says what is to be said about hall {n} and its lamps." for n in range(300))


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("growing", [True, False])
@pytest.mark.parametrize("restarted", [True, False])
async def test_what_follows_in_a_further_post_is_there_once(
    asked: Setting, fault: int | str, growing: bool, restarted: bool
) -> None:
    shown = await asked.open()
    asked.slack.fault("chat.postMessage", fault)
    if growing:
        await asked.write(shown, LONG)
    else:
        with suppress(TryLater, ConnectionError):
            await asked.shows.finish(asked.workspace, asked.reply, shown, replace(WHOLE, text=LONG))
    if restarted:
        asked.restarted()
    await asked.write(shown, LONG)
    await asked.finish(shown, replace(WHOLE, text=LONG))
    texts = [asked.slack.shown(post) for post in asked.posts()]
    assert len(texts) == 2
    assert all("\n".join(texts).count(f"Paragraph {n} says") == 1 for n in range(300))


@pytest.mark.parametrize("restarted", [False, True])
async def test_what_is_withdrawn_leaves_nothing(asked: Setting, restarted: bool) -> None:
    shown = await asked.open()
    await asked.finish(shown, replace(WHOLE, text="word " * 5_000))
    if restarted:
        asked.restarted()
    await asked.shows.withdraw(asked.workspace, asked.reply, shown)
    assert asked.posts() == []
    await asked.shows.withdraw(asked.workspace, asked.reply, shown)


async def test_a_spent_budget_of_streams_is_no_reason_to_wait(asked: Setting) -> None:
    asked.workspace = replace(asked.workspace, pace=Pace(start=Budget(0, 1)))
    await asked.open()
    assert asked.slack.calls["chat.startStream"] == 0
    [post] = asked.posts()
    assert not post.streaming


async def test_a_stream_that_slack_asks_to_wait_for_is_posted_at_once(asked: Setting) -> None:
    asked.slack.fault("chat.startStream", 429)
    await asked.shows.open(asked.workspace, asked.reply)
    [post] = asked.posts()
    assert not post.streaming


async def test_after_a_stop_nothing_is_said_until_the_end_and_the_thread_is_at_rest(asked: Setting) -> None:
    shown = await asked.open()
    await asked.write(shown, FIRST)
    [post] = asked.posts()
    post.stopped, post.streaming = True, False
    await asked.write(shown, SECOND)
    await asked.write(shown, f"{SECOND} And more.")
    assert asked.slack.shown(post) == FIRST
    assert [one["status"] for one in asked.slack.statuses] == ["active"]
    await asked.finish(shown, replace(WHOLE, text=FIRST))
    assert "week" not in asked.said()


async def test_a_receipt_is_no_stream_and_marks_replace_each_other(asked: Setting) -> None:
    asked.reply = replace(asked.reply, key=asked.reply.key.replace("reply/", "receipt/"))
    shown = await asked.open()
    for mark in (Mark.RECEIVED, Mark.RECEIVED, Mark.LEARNED):
        await beside.mark(asked.workspace, asked.reply, mark)
    await asked.finish(shown, Notice("✅ Learned “Handbook”."))
    assert asked.slack.calls["chat.startStream"] == 0
    assert asked.said() == "✅ Learned “Handbook”."
    assert list(asked.slack.channels["C1"].messages[asked.reply.to].reactions) == ["white_check_mark"]


async def test_what_is_told_to_one_alone_is_seen_by_nobody_else(asked: Setting) -> None:
    asked.reply = replace(asked.reply, key="reply/slack:T1:C1~U1/tr1", place="slack:T1:C1~U1", to="tr1", thread=None)
    shown = await asked.open()
    await asked.write(shown, FIRST)
    await asked.finish(shown)
    assert asked.posts() == []
    [told] = asked.slack.ephemerals
    assert (told["channel"], told["user"]) == ("C1", "U1")
    assert "again" not in str(told["blocks"])


async def test_what_is_told_to_one_alone_is_told_whole_and_once(asked: Setting) -> None:
    asked.reply = replace(asked.reply, key="reply/slack:T1:C1~U1/tr1", place="slack:T1:C1~U1", to="tr1", thread=None)
    shown = await asked.open()
    await asked.finish(shown, replace(WHOLE, text=LONG))
    await asked.finish(shown, replace(WHOLE, text=LONG))
    told = "\n".join(str(one["blocks"]) for one in asked.slack.ephemerals)
    assert all(told.count(f"Paragraph {n} says") == 1 for n in range(300))
    assert told.count("feedback_buttons") == 1


async def test_an_aside_to_somebody_who_left_comes_as_a_private_message(asked: Setting) -> None:
    asked.slack.channels["C1"].members.remove("U1")
    await beside.whisper(asked.workspace, asked.reply, "There is more.")
    [message] = asked.slack.channel_messages(asked.slack.direct("U1"))
    assert asked.slack.shown(message) == "There is more."


async def test_a_private_thread_gets_its_title_from_the_question(slack: Slack) -> None:
    async with aiohttp.ClientSession() as session:
        direct = slack.direct("U1")
        ts = await slack.say(direct, "U1", "when is the audit?")
        setting = Setting(slack, session, workspace_of(slack, session), ts, direct)
        setting.reply = replace(setting.reply, about="when is the audit?")
        await setting.open()
        assert [one["title"] for one in slack.titles] == ["when is the audit?"]


async def test_what_is_not_final_leaves_the_budget_to_what_is(asked: Setting) -> None:
    asked.slack.fault("chat.startStream", "channel_type_not_supported")
    asked.workspace = replace(asked.workspace, pace=Pace(update=Budget(2, 60)))
    shown = await asked.open()
    for n in range(50):
        await asked.write(shown, "word " * (n + 1))
    assert asked.slack.calls["chat.update"] <= 4
    await asyncio.wait_for(asked.finish(shown), 5)
    assert asked.said().startswith(SECOND)


# --- what is in answer to nothing


@pytest.mark.parametrize("dies", [False, True])
async def test_a_digest_stands_by_itself_and_once(asked: Setting, dies: bool) -> None:
    reply, notice = (
        replace(asked.reply, key="digest/slack:T1:C1/2026-W48", to="", thread=None),
        Notice("**Since Monday**: much."),
    )
    asked.reply = reply
    await asked.open()
    if dies:
        asked.restarted()
        asked.reply = replace(reply, fresh=False)
    await asked.finish(await asked.open(), notice)
    posted = [one for one in asked.slack.channels["C1"].messages.values() if one.user == asked.workspace.bot_user]
    assert [one.thread_ts for one in posted] == [None]
    assert "much" in asked.slack.shown(posted[0])


async def test_where_nothing_can_be_deleted_the_words_of_what_is_withdrawn_go(asked: Setting) -> None:
    shown = await asked.open()
    await asked.finish(shown)
    asked.slack.fault("chat.delete", "compliance_exports_prevent_deletion")
    await asked.shows.withdraw(asked.workspace, asked.reply, shown)
    assert asked.said() == "Taken back."
