"""One process, two platforms, one person."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.discord.conftest import GENERAL, GRACE
from tests.discord.people import UNKNOWN, asked, taught
from tests.discord.running import Twin, running
from tests.discord.test_clicking import told
from tests.simulators.discord import Discord
from tests.simulators.slack import Slack
from tests.slack import people as in_slack

SECRET = b"# Badge\n\nThe badge of the laboratory opens with the number 4711."
ASKED = "which number opens the badge of the laboratory?"


@pytest.fixture
async def slack() -> AsyncIterator[Slack]:
    async with Slack.open() as opened:
        opened.user("U1", name="Grace")
        opened.channel("C1", name="general", members=["U1"])
        yield opened


@pytest.fixture
async def both(discord: Discord, slack: Slack, tmp_path: Path) -> AsyncIterator[Twin]:
    tokens = {"SLACK_API_URL": slack.api_url, "SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1"}
    async with running(tmp_path, discord, tokens) as twin:
        await slack.until(lambda: len(slack.sockets) >= 2)
        yield twin


async def test_what_somebody_taught_alone_on_one_platform_they_may_ask_on_the_other_once_linked(
    discord: Discord, slack: Slack, both: Twin
) -> None:
    own = slack.direct("U1")
    await in_slack.taught(slack, own, "U1", "badge.md", SECRET, "")
    alone = discord.direct(GRACE).id
    await asked(discord, alone, GRACE, UNKNOWN, ASKED)
    code = re.findall(r"/twin link (\S+)`", await slack_told(slack, own, "link"))[0]
    confirm = await discord.command(GENERAL, GRACE, "link", code)
    await told(discord, confirm, "Is the account of Grace yours too?")
    assert confirm.reply
    await told(discord, await discord.click(confirm.reply, "Yes, do it", GRACE), "Both accounts are yours now")
    await asked(discord, alone, GRACE, "4711", f"{ASKED} Now?")
    await asked(discord, GENERAL, GRACE, UNKNOWN, f"<@900> {ASKED}")
    await told(discord, await discord.command(GENERAL, GRACE, "unlink"), "somebody of their own")
    unlink = await discord.command(GENERAL, GRACE, "unlink")
    await told(discord, unlink, "again?")
    assert unlink.reply
    await told(discord, await discord.click(unlink.reply, "Yes, do it", GRACE), "of their own again")
    await asked(discord, alone, GRACE, UNKNOWN, f"{ASKED} And now?")


async def slack_told(slack: Slack, channel: str, words: str) -> str:
    """Give a command in Slack; return what is said in return."""
    before = len(slack.responses)
    await slack.command("U1", channel, "/twin", words)
    await slack.until(lambda: len(slack.responses) > before)
    return str(slack.responses[-1])


async def test_what_is_taught_on_one_platform_in_public_stays_there(discord: Discord, slack: Slack, both: Twin) -> None:
    await taught(discord, GENERAL, GRACE)
    await in_slack.asked(slack, "C1", "U1", UNKNOWN)
    await asked(discord, GENERAL, GRACE)
