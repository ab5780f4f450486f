"""Draws what people see in Slack: `python -m docs.pictures.slack` makes the pictures of docs/slack.md.

It runs the real process against the simulated Slack of the tests, has people talk to it, and has Chromium draw the result.
"""

import asyncio
import html
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

from tests.knowledge.extract.samples import pdf
from tests.simulators.slack import Slack
from tests.slack.running import running

HERE = Path(__file__).parent
EMOJI = {"eyes": "👀", "white_check_mark": "✅", "warning": "⚠️"}
COLOURS = {"Twin": "#4a154b", "Ada": "#1264a3", "Grace": "#2bac76"}

STYLE = (HERE / "slack.css").read_text("utf-8")

_MARKDOWN = MarkdownIt("commonmark", {"breaks": True, "html": False}).enable("table")


def markdown(text: str) -> str:
    """Return Markdown, as Slack's `markdown` block takes it, as HTML."""
    return str(_MARKDOWN.render(text))


def mrkdwn(text: str, names: Mapping[str, str]) -> str:
    """Return Slack's own markup as HTML."""
    said = html.escape(html.unescape(text), quote=False)
    said = re.sub(r"&lt;@(\w+)&gt;", lambda found: f'<span class="mention">@{names.get(found[1], found[1])}</span>', said)
    said = re.sub(r"&lt;((?:https?|mailto)[^|&]*(?:&amp;[^|&]*)*)\|(.*?)&gt;", r'<a href="\1">\2</a>', said)
    said = re.sub(r"&lt;(https?[^|]*?)&gt;", r'<a href="\1">\1</a>', said)
    said = re.sub(r"(?<![\w*])\*(\S(?:.*?\S)?)\*(?![\w*])", r"<b>\1</b>", said)
    said = re.sub(r"(?<![\w_])_(\S(?:.*?\S)?)_(?![\w_])", r"<i>\1</i>", said)
    said = re.sub(r"`([^`\n]+)`", r"<code>\1</code>", said)
    said = re.sub(r"^&gt; ?(.*)$", r"<blockquote>\1</blockquote>", said, flags=re.MULTILINE)
    return said.replace("\n", "<br>").replace("</blockquote><br>", "</blockquote>")


def text_of(text: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Return a text object as HTML."""
    return mrkdwn(text["text"], names) if text["type"] == "mrkdwn" else html.escape(str(text["text"]))


def block(one: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Return a block as HTML."""
    draw = _BLOCKS.get(one["type"])
    return draw(one, names) if draw else ""


def _section(one: Mapping[str, Any], names: Mapping[str, str]) -> str:
    fields = "".join(f"<div>{text_of(field, names)}</div>" for field in one.get("fields", ()))
    said = text_of(one["text"], names) if "text" in one else ""
    beside = element(one["accessory"], names) if "accessory" in one else ""
    return f'<div class="section row"><div>{said}{fields}</div><div>{beside}</div></div>'


def _context(one: Mapping[str, Any], names: Mapping[str, str]) -> str:
    return f'<div class="context">{" ".join(text_of(each, names) for each in one["elements"] if "text" in each)}</div>'


def _actions(one: Mapping[str, Any], names: Mapping[str, str]) -> str:
    return f"<div>{''.join(element(each, names) for each in one['elements'])}</div>"


def _task(one: Mapping[str, Any], _names: Mapping[str, str]) -> str:
    return f'<div class="task">{"✓" if one.get("status") == "complete" else "…"} {html.escape(one["title"])}</div>'


_BLOCKS: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, str]], str]] = {
    "markdown": lambda one, _: markdown(one["text"]),
    "section": _section,
    "context": _context,
    "header": lambda one, names: f'<h1 class="header">{text_of(one["text"], names)}</h1>',
    "divider": lambda _one, _names: "<hr>",
    "actions": _actions,
    "context_actions": _actions,
    "task_card": _task,
}


def element(one: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Return an element of a block as HTML."""
    match one["type"]:
        case "feedback_buttons":
            return '<span class="button feedback">👍</span><span class="button feedback">👎</span>'
        case "button":
            return f'<span class="button {one.get("style", "")}">{html.escape(one["text"]["text"])}</span>'
        case "static_select":
            chosen = one.get("initial_option") or {"text": one.get("placeholder", {"text": "…"})}
            return f'<span class="button">{html.escape(chosen["text"]["text"])} ▾</span>'
    return ""


def post(message: Any, names: Mapping[str, str], *, reply: bool, alone: bool = False) -> str:
    """Return a message as HTML."""
    who = names.get(message.user, message.user)
    app = ' <span class="app">APP</span>' if who == "Twin" else ""
    when = datetime.fromtimestamp(float(message.ts), UTC).strftime("%H:%M")
    inside = "".join(block(one, names) for one in message.blocks or ()) or mrkdwn(message.text or "", names)
    files = "".join(f'<div class="file">📄 <b>{html.escape(file["name"])}</b></div>' for file in message.files or ())
    marks = "".join(f'<span class="reaction">{EMOJI.get(mark, mark)} 1</span> ' for mark in message.reactions or ())
    only = '<div class="alone">👁 Only visible to you</div>' if alone else ""
    face = f'<div class="face" style="background:{COLOURS.get(who, "#888")}">{who[0]}</div>'
    head = f'<span class="who">{html.escape(who)}</span>{app}<span class="when">{when}</span>'
    body = f'<div class="body">{only}{head}<div>{inside}</div>{files}{marks}</div>'
    return f'<div class="post{" reply" if reply else ""}">{face}{body}</div>'


def thread(messages: Sequence[Any], names: Mapping[str, str]) -> str:
    """Return a thread as HTML, its first message first."""
    return "".join(post(message, names, reply=n > 0) for n, message in enumerate(messages))


def view(one: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Return a modal or App Home as HTML."""
    title = f"<h2>{html.escape(one['title']['text'])}</h2>" if "title" in one else ""
    return f'<div class="view">{title}{"".join(block(each, names) for each in one["blocks"])}</div>'


async def draw(parts: Iterable[str], to: Path, height: int, style: str = STYLE) -> None:
    """Have Chromium draw parts below each other."""
    page = f'<!doctype html><meta charset="utf-8"><style>{style}</style><main>{"".join(parts)}</main>'
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "page.html")
        await asyncio.to_thread(source.write_text, page, "utf-8")
        arguments = ("--headless", "--no-sandbox", "--hide-scrollbars", "--force-device-scale-factor=2")
        window, picture = f"--window-size=760,{height}", f"--screenshot={to}"
        quiet = asyncio.subprocess.DEVNULL
        chromium = await asyncio.create_subprocess_exec(
            "chromium", *arguments, window, picture, source.as_uri(), stdout=quiet, stderr=quiet
        )
        await chromium.wait()


QUESTION = "<@U0TWIN> does the company pay for the train, and which class?"


async def main() -> None:
    """Have people talk to the twin, and draw what they see."""
    async with Slack.open() as slack:
        slack.user("U1", name="Ada")
        slack.user("U2", name="Grace")
        slack.channel("C1", name="travel", members=["U1", "U2"])
        names = {"U1": "Ada", "U2": "Grace", "U0TWIN": "Twin"}
        with tempfile.TemporaryDirectory() as folder:
            async with running(Path(folder), slack):
                await _talk(slack, names)
            await _examined(slack, Path(folder))


async def _talk(slack: Slack, names: Mapping[str, str]) -> None:
    def said(ts: str) -> list[Any]:
        return [one for one in slack.thread("C1", ts) if one.user == "U0TWIN" and not one.streaming]

    policy = slack.file("travel-policy.pdf", travel_policy(), user="U1")
    scan = slack.file("receipts.zip", b"PK\x03\x04 not really", user="U1")
    lesson = await slack.say("C1", "U1", "<@U0TWIN> here is the new travel policy", files=[policy, scan])
    await slack.until(lambda: any("✅" in slack.shown(one) for one in said(lesson)))
    await draw([thread(slack.thread("C1", lesson), names)], HERE / "slack-teaching.png", 330)
    question = await slack.say("C1", "U2", QUESTION)
    await slack.until(lambda: said(question))
    answer = said(question)[0]
    await slack.click("U2", answer, "sources")
    await slack.until(lambda: "One moment" not in str(slack.views.modals) and slack.views.modals)
    modal = view(next(iter(slack.views.modals.values())), names)
    await draw([thread(slack.thread("C1", question), names), modal], HERE / "slack-answer.png", 460)
    await slack.home("U1")
    await slack.until(lambda: "U1" in slack.views.home)
    await draw([view(slack.views.home["U1"], names)], HERE / "slack-home.png", 920)


async def _examined(slack: Slack, folder: Path) -> None:
    """Draw what `twin doctor` says of Slack."""
    tokens = {"SLACK_API_URL": slack.api_url, "SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1"}
    environment = {**os.environ, **tokens, "TWIN_DATA_DIR": str(folder / "data"), "PYTHONPATH": str(HERE.parents[1])}
    arguments = (sys.executable, "-m", "bot", "doctor")
    doctor = await asyncio.create_subprocess_exec(*arguments, cwd=folder, env=environment, stdout=asyncio.subprocess.PIPE)
    said, _ = await doctor.communicate()
    lines = [line for line in said.decode().splitlines() if "slack" in line.casefold()]
    command = '<span class="prompt">$</span> twin doctor'
    shown = html.escape("\n".join(lines))
    await draw([f'<pre class="terminal">{command}\n…\n{shown}</pre>'], HERE / "slack-doctor.png", 60 + 22 * len(lines))


def travel_policy() -> bytes:
    """Return a document of two pages."""
    first = ["Ask your manager before you travel, and book at least two weeks ahead.", "Flights need a reason."]
    second = ["The company pays for the train, second class, and for hotels up to 120 euros a night."]
    return pdf([first, second], info="/Title (Travel policy)")


if __name__ == "__main__":
    asyncio.run(main())
