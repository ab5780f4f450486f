"""What people see in Slack beside messages: modals (pure)."""

import json
from collections.abc import Mapping
from typing import Any

from adapters.common import texts
from adapters.slack.outgoing import Block, escaped, link, mrkdwn
from bot.chat import Answer

REASON = "feedback_reason"  # the callback of the modal that asks what was wrong
_MOST = 2_900
_SOURCES = 20


def modal(title: str, *blocks: Block, submit: str = "", callback: str = "", about: Mapping[str, str] | None = None) -> Block:
    """Return a modal; with `submit` it can be sent off, and tells what it is about."""
    view: Block = {"type": "modal", "title": _plain(title[:24]), "close": _plain("Close"), "blocks": list(blocks)}
    if submit:
        view |= {"submit": _plain(submit), "callback_id": callback, "private_metadata": json.dumps(about or {})}
    return view


def waiting(title: str) -> Block:
    """Return what is shown until there is something to show."""
    return modal(title, section("One moment…"))


def sources(answer: Answer) -> Block:
    """Return the sources of an answer with what is quoted of each."""
    blocks: list[Block] = []
    for source in answer.sources[:_SOURCES]:
        at = texts.where(source.page, source.heading)
        quote = "\n".join(f"> {mrkdwn(line)}" for line in source.quote[:1_500].splitlines())
        blocks.append(section(f"*[{source.n}]* {link(source.url, source.title)}{mrkdwn(at)}\n{quote}"))
    return modal("Sources", *(blocks or [section("This answer rests on nothing that you may see.")]))


def why(told: texts.Why) -> Block:
    """Return how an answer came about."""
    return modal("Why this answer", {"type": "markdown", "text": escaped(texts.why(told))[:11_000]})


def reason(message_id: str, place: str) -> Block:
    """Return what asks for what was wrong with an answer."""
    field: Block = {"type": "plain_text_input", "action_id": "reason", "multiline": True, "max_length": 500}
    said: Block = {
        "type": "input",
        "block_id": "reason",
        "optional": True,
        "label": _plain("What was wrong?"),
        "element": field,
    }
    about = {"message": message_id, "place": place}
    return modal("Thank you", section("Noted: that answer was bad."), said, submit="Send", callback=REASON, about=about)


def failed(title: str, text: str) -> Block:
    """Return why there is nothing to show."""
    return modal(title, section(mrkdwn(text)))


def section(text: str) -> Block:
    """Return a block with a text in Slack's own markup."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:_MOST], "verbatim": True}}


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}
