"""Draws what people see in Discord: `python -m docs.pictures.discord` makes the pictures of docs/discord.md.

It runs the real process against the simulated Discord of the tests, has people talk to it, and has Chromium draw the result.
"""

import asyncio
import html
import re
import tempfile
from pathlib import Path

from markdown_it import MarkdownIt

from docs.pictures.slack import draw, travel_policy
from tests.discord.running import running
from tests.simulators.discord import Discord, Message

HERE = Path(__file__).parent
STYLE = (HERE / "discord.css").read_text("utf-8")
COLOURS = {"Twin": "#5865f2", "Ada": "#3ba55c", "Grace": "#faa61a"}

_MARKDOWN = MarkdownIt("commonmark", {"breaks": True, "html": False})


def markdown(text: str) -> str:
    """Return Discord's Markdown as HTML."""
    mention = re.sub(r"<@900>", "MENTION", text)
    mention = re.sub(r"^-# (.*)$", r"SMALL\1END", mention, flags=re.MULTILINE)
    said = str(_MARKDOWN.render(mention)).replace("MENTION", '<span class="mention">@Twin</span>')
    return re.sub(r"SMALL(.*?)END", r'<span class="small">\1</span>', said)


def post(message: Message, *, alone: bool = False) -> str:
    """Return a message as HTML."""
    who = message.author.name
    app = '<span class="app">APP</span>' if message.author.bot else ""
    before = message.channel.messages.get(message.reference or 0)
    to = (
        f'<div class="to">↱ <b>@{before.author.name}</b> {html.escape(before.content.replace("<@900>", "@Twin"))[:70]}</div>'
        if before
        else ""
    )
    files = "".join(f'<div class="file">📄 {html.escape(file["filename"])}</div>' for file in message.attachments)
    inside = "".join(button(one) for row in message.components for one in row["components"])
    marks = "".join(f'<span class="reaction">{mark} 1</span> ' for mark in message.reactions)
    only = '<div class="alone">👁 Only you can see this</div>' if alone else ""
    face = f'<div class="face" style="background:{COLOURS.get(who, "#888")}">{who[0]}</div>'
    head = f'<span class="who">{html.escape(who)}</span>{app}<span class="when">Today at 09:41</span>'
    said = markdown(message.content)
    body = f'<div class="body">{to}{head}{said}{files}<div>{inside}</div>{marks}{only}</div>'
    return f'<div class="post{" ephemeral" if alone else ""}">{face}{body}</div>'


def button(one: dict[str, object]) -> str:
    """Return a button as HTML."""
    emoji = one.get("emoji")
    label = html.escape(str(one.get("label") or ""))
    shown = f"{emoji['name']} {label}".strip() if isinstance(emoji, dict) else label
    return f'<span class="button{" danger" if one["style"] == 4 else ""}">{shown}</span>'


async def main() -> None:
    """Have people talk to the twin, and draw what they see."""
    async with Discord.open() as discord:
        ada, grace = discord.user(101, "Ada"), discord.user(102, "Grace")
        discord.guild(10, members=[ada.id, grace.id])
        discord.channel(20, "travel", guild=10)
        with tempfile.TemporaryDirectory() as folder:
            async with running(Path(folder), discord):
                await _talk(discord, ada.id, grace.id)


async def _talk(discord: Discord, ada: int, grace: int) -> None:
    files = [("travel-policy.pdf", travel_policy()), ("receipts.zip", b"PK\x03\x04 not really")]
    lesson = await discord.say(20, ada, "<@900> here is the new travel policy", files=files)
    await discord.until(
        lambda: any(one.is_whole for one in discord.answers(lesson)) and list(lesson.reactions) not in ([], ["👀"])
    )
    await draw([post(lesson), *map(post, discord.answers(lesson))], HERE / "discord-teaching.png", 330, STYLE)
    question = await discord.say(20, grace, "<@900> does the company pay for the train, and which class?")
    await discord.until(lambda: any(one.is_whole for one in discord.answers(question)))
    [answer] = discord.answers(question)
    click = await discord.click(answer, "Sources", grace)
    await discord.until(lambda: click.answered)
    told = [post(click.reply, alone=True)] if click.reply else []
    await draw([post(question), post(answer), *told], HERE / "discord-answer.png", 390, STYLE)


if __name__ == "__main__":
    asyncio.run(main())
