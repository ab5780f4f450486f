"""Buttons and commands in Discord, with the real process."""

from tests.discord.conftest import ADA, BOARD, GENERAL, GRACE
from tests.discord.people import ANSWER, UNKNOWN, answered, asked, taught
from tests.discord.running import Twin
from tests.simulators.discord import Discord
from tests.simulators.discord.discord import Interaction


async def told(discord: Discord, interaction: Interaction, word: str) -> str:
    """Wait for what somebody alone is told; return it."""
    await discord.until(lambda: interaction.answered, 20)
    assert interaction.reply
    assert word in interaction.reply.content, interaction.reply.content
    return interaction.reply.content


async def test_the_buttons_below_an_answer_tell_whoever_clicks_and_nobody_else(discord: Discord, twin: Twin) -> None:
    await taught(discord, GENERAL, ADA)
    answer = await asked(discord, GENERAL, GRACE)
    before = len(discord.said(GENERAL))
    await told(discord, await discord.click(answer, "Sources", GRACE), "takes place on the third of March")
    await told(discord, await discord.click(answer, "Why", ADA), "Searched for")
    await told(discord, await discord.click(answer, "👍", GRACE), "")
    assert len(discord.said(GENERAL)) == before


async def test_regenerate_answers_in_the_same_place_and_a_receipt_is_undone(discord: Discord, twin: Twin) -> None:
    lesson = await taught(discord, GENERAL, ADA)
    answer = await asked(discord, GENERAL, GRACE)
    edits = len(answer.history)
    await discord.click(answer, "Regenerate", GRACE)
    await discord.until(lambda: len(answer.history) > edits and answer.is_whole and ANSWER in answer.content)
    [receipt] = discord.answers(lesson)
    await told(discord, await discord.click(receipt, "Forget this", ADA), "Forgotten")
    await asked(discord, GENERAL, GRACE, UNKNOWN)


async def test_a_private_answer_to_a_command_knows_what_its_asker_may_see(discord: Discord, twin: Twin) -> None:
    board = await discord.say(BOARD, ADA, "<@900>", files=[("secret.md", b"# Plans\n\nThe merger is planned for October.")])
    await answered(discord, board, "✅")
    question = "when is the merger planned?"
    await told(discord, await discord.command(GENERAL, ADA, "ask", question), "October")
    await told(discord, await discord.command(GENERAL, GRACE, "ask", question), UNKNOWN)
    outside = await asked(discord, GENERAL, ADA, UNKNOWN, f"<@900> {question}")
    assert "October" not in outside.content
    await asked(discord, BOARD, ADA, "October", f"<@900> {question}")


async def test_commands_list_search_and_forget_after_asking(discord: Discord, twin: Twin) -> None:
    await taught(discord, GENERAL, ADA)
    await told(discord, await discord.command(GENERAL, GRACE, "docs"), "Handbook")
    await told(discord, await discord.command(GENERAL, GRACE, "search", "leave form"), "L-7")
    typing = await discord.command(GENERAL, ADA, "forget", "hand", kind=4)
    await discord.until(lambda: typing.choices)
    assert typing.choices
    assert [one["name"] for one in typing.choices] == ["Handbook"]
    confirm = await discord.command(GENERAL, ADA, "forget", typing.choices[0]["value"])
    await told(discord, confirm, "cannot be undone")
    assert confirm.reply
    await told(discord, await discord.click(confirm.reply, "Yes, do it", ADA), "Forgotten")
    await asked(discord, GENERAL, GRACE, UNKNOWN)


async def test_a_message_is_taught_from_its_menu(discord: Discord, twin: Twin) -> None:
    said = await discord.say(GENERAL, GRACE, "The gate code of the depot is changed every Friday.")
    await told(discord, await discord.teach(said, ADA), "learning")
    await discord.until(lambda: list(said.reactions) == ["✅"])
    await asked(discord, GENERAL, GRACE, "Friday", "<@900> when is the gate code of the depot changed?")


async def test_the_commands_are_told_to_discord_once(discord: Discord, twin: Twin) -> None:
    assert discord.rest.calls["sync"] == 1
    await twin.stop()
    await twin.start()
    assert discord.rest.calls["sync"] == 1


async def test_a_command_in_a_private_chat_is_answered_there(discord: Discord, twin: Twin) -> None:
    await taught(discord, GENERAL, ADA)
    direct = discord.direct(GRACE).id
    await told(discord, await discord.command(direct, GRACE, "ask", "when does the audit take place?"), "below")
    await discord.until(lambda: any(ANSWER in one.content and one.is_whole for one in discord.said(direct)))
