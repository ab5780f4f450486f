"""Connections that break, deliveries that come twice, calls that fail: one message, one answer, and nothing silent."""

from collections import deque
from pathlib import Path

from tests.discord.conftest import ADA, BOARD, BOARD_ROLE, GENERAL, GRACE, GUILD
from tests.discord.people import ANSWER, HANDBOOK, QUESTION, UNKNOWN, answered, asked, taught
from tests.discord.running import Twin, running
from tests.simulators.discord import Discord


async def test_what_is_told_again_is_answered_once(discord: Discord, twin: Twin) -> None:
    await taught(discord, GENERAL, ADA)
    question = await discord.say(GENERAL, GRACE, QUESTION)
    await discord.gateway.replay()
    await answered(discord, question, ANSWER)
    await discord.gateway.drop()
    await discord.until(lambda: discord.gateway.resumed)
    await discord.gateway.replay()
    await asked(discord, GENERAL, ADA)
    assert len(discord.answers(question)) == 1


async def test_what_no_client_can_read_does_not_silence_the_twin(discord: Discord, twin: Twin) -> None:
    await taught(discord, GENERAL, ADA)
    began = discord.gateway.identified
    await discord.gateway.malformed()
    await discord.until(lambda: discord.gateway.identified > began, 30)
    await discord.until(lambda: twin.log().count('"connected to Discord"') > 1, 30)
    await asked(discord, GENERAL, GRACE)


async def test_what_was_said_and_deleted_while_nobody_was_connected_is_made_up_for(discord: Discord, twin: Twin) -> None:
    lesson = await taught(discord, GENERAL, ADA)
    direct = discord.direct(GRACE).id
    await asked(discord, direct, GRACE, ANSWER, "when does the audit of the warehouse take place?")
    await twin.kill()
    missed = await discord.say(GENERAL, GRACE, "<@900> which form is leave asked for with?")
    alone = await discord.say(direct, GRACE, "which form is leave asked for with?")
    await twin.start()
    await answered(discord, missed, "L-7")
    await answered(discord, alone, "L-7")
    await twin.kill()
    await discord.delete(lesson)
    await twin.start()
    await discord.until(lambda: not twin.holds(ANSWER), 30)
    await asked(discord, GENERAL, GRACE, UNKNOWN)


async def test_a_kill_after_posting_leaves_one_answer(discord: Discord, tmp_path: Path) -> None:
    async with running(tmp_path, discord) as twin:
        await taught(discord, GENERAL, ADA)
        for point in ("outbox.open.after", "answer.midstream", "outbox.finish.after"):
            await twin.stop()
            await twin.start(f"{point}:kill9:1")
            question = await discord.say(GENERAL, GRACE, QUESTION)
            await twin.dead()
            await twin.start()
            await answered(discord, question, ANSWER)
            assert len(discord.answers(question)) == 1


async def test_calls_that_fail_are_made_again_and_nothing_stands_twice(discord: Discord, twin: Twin) -> None:
    await taught(discord, GENERAL, ADA)
    discord.rest.faults = {"post": deque([429, "timeout after", 502]), "edit": deque([500, 429, "reset"])}
    question = await discord.say(GENERAL, GRACE, QUESTION)
    await answered(discord, question, ANSWER, 60)
    assert len(discord.answers(question)) == 1


async def test_without_the_intent_it_answers_where_it_is_spoken_to_and_says_what_it_cannot(
    discord: Discord, tmp_path: Path
) -> None:
    discord.content_allowed = False
    async with running(tmp_path, discord) as twin:
        assert "Message Content" in twin.log()
        await taught(discord, GENERAL, ADA)
        await asked(discord, GENERAL, GRACE)
        direct = discord.direct(GRACE).id
        await asked(discord, direct, GRACE, ANSWER, "when does the audit of the warehouse take place?")


async def test_who_may_not_see_a_channel_any_more_is_told_nothing_of_it(discord: Discord, twin: Twin) -> None:
    await taught(discord, BOARD, ADA)
    direct = discord.direct(ADA).id
    question = "when does the audit of the warehouse take place?"
    await asked(discord, direct, ADA, ANSWER, question)
    only_owner = [{"id": str(GUILD), "type": 0, "allow": "0", "deny": str(1 << 10)}]
    await discord.allow(BOARD, only_owner)
    await asked(discord, direct, ADA, UNKNOWN, f"{question} again?")
    opened = [*only_owner, {"id": str(BOARD_ROLE), "type": 0, "allow": str(1 << 10 | 1 << 16), "deny": "0"}]
    await discord.allow(BOARD, opened)
    await asked(discord, direct, ADA, ANSWER, f"{question} and now?")


async def test_a_thread_goes_on_without_a_mention_and_is_gone_with_what_it_taught(discord: Discord, twin: Twin) -> None:
    thread = await discord.thread(GENERAL, "audit")
    lesson = await discord.say(thread.id, ADA, "<@900>", files=[("handbook.md", HANDBOOK)])
    await answered(discord, lesson, "✅")
    await asked(discord, thread.id, GRACE)
    more = await discord.say(thread.id, GRACE, "Which form is leave asked for with?")
    await answered(discord, more, "L-7")
    aside = await discord.say(thread.id, ADA, "I will ask somebody else about lunch")
    await asked(discord, GENERAL, GRACE)
    assert len(discord.answers(aside)) <= 1  # its author taught something here, and may be meant
    await discord.delete_channel(thread.id)
    await discord.until(lambda: not twin.holds(ANSWER), 20)
    await asked(discord, GENERAL, GRACE, UNKNOWN)


async def test_a_channel_that_is_gone_takes_what_it_taught_with_it(discord: Discord, twin: Twin) -> None:
    await taught(discord, BOARD, ADA)
    await discord.delete_channel(BOARD)
    await discord.until(lambda: not twin.holds(ANSWER), 20)


async def test_a_long_answer_goes_on_in_further_messages(discord: Discord, twin: Twin) -> None:
    shelves = "\n\n".join(f"Shelf {n} holds {'screws and nails and bolts, ' * 12}and label {n}." for n in range(40))
    await taught(discord, GENERAL, ADA, "shelves.md", f"# Shelves\n\n{shelves}".encode())
    asked_ = await discord.command(GENERAL, ADA, "search", "which shelf holds screws nails and bolts?")
    await discord.until(lambda: asked_.answered)
    assert asked_.reply
    assert len(asked_.reply.content) <= 2_000


async def test_a_token_that_is_taken_back_ends_the_process_with_a_sentence(discord: Discord, twin: Twin) -> None:
    discord.token = "another.token.of-the-bot"  # noqa: S105 - it opens nothing
    await discord.gateway.drop(code=4004)
    assert await twin.dead(30) == 3
    assert "Discord" in twin.log().rstrip().rpartition("\n")[2]


async def test_a_command_that_nobody_waits_for_any_more_is_answered_in_a_private_message(discord: Discord, twin: Twin) -> None:
    await taught(discord, GENERAL, ADA)
    discord.rest.faults = {"respond": deque([404])}
    await discord.command(GENERAL, GRACE, "ask", "when does the audit of the warehouse take place?")
    direct = discord.direct(GRACE).id
    await discord.until(lambda: any(ANSWER in one.content for one in discord.said(direct)))
    assert len(discord.said(direct)) == 1


async def test_a_voice_message_is_declined_plainly(discord: Discord, twin: Twin) -> None:
    direct = discord.direct(ADA).id
    voice = await discord.say(direct, ADA, "", files=[("voice-message.ogg", b"OggS not really")], voice=True)
    assert "cannot listen" in (await answered(discord, voice, "⚠️")).content
    await discord.until(lambda: list(voice.reactions) == ["⚠️"])


async def test_a_post_of_a_forum_is_a_thread_of_it(discord: Discord, twin: Twin) -> None:
    discord.channel(25, "help", guild=GUILD, kind=15)
    await discord.gateway.dispatch("CHANNEL_CREATE", discord.channels[25].json())
    post = await discord.thread(25, "Where is the handbook?")
    lesson = await discord.say(post.id, ADA, "<@900>", files=[("handbook.md", HANDBOOK)])
    await answered(discord, lesson, "✅")
    await asked(discord, GENERAL, GRACE)


async def test_as_many_connections_are_made_as_discord_wants(discord: Discord, tmp_path: Path) -> None:
    discord.shards = 2
    async with running(tmp_path, discord):
        await discord.until(lambda: len(discord.gateway.connected) == 2)
        await taught(discord, GENERAL, ADA)
