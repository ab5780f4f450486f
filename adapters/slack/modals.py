"""What people see in Slack beside messages: modals (pure). Slack takes its `markdown` block in messages only."""

import json
from collections.abc import Mapping
from typing import Any

from adapters.common import texts
from adapters.common.parts import parts
from adapters.slack.outgoing import Block, link, mrkdwn
from bot.chat import Answer

REASON = "feedback_reason"  # the callback of the modal that asks what was wrong
QUESTION = "asked"  # the callback of the modal that asks for a question
_MOST = 2_900  # characters in a block; Slack takes 3,000
_READ = 1_200  # characters of Markdown in a block, some of which become entities
_QUOTED = 500
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
        quote = "\n".join(f"> {mrkdwn(line)}" for line in source.quote[:_QUOTED].splitlines())
        blocks.append(section(f"*[{source.n}]* {link(source.url, source.title or 'Untitled')}{mrkdwn(at)}\n{quote}"))
    return modal("Sources", *(blocks or [section("This answer rests on nothing that you may see.")]))


def why(told: texts.Why) -> Block:
    """Return how an answer came about."""
    return modal("Why this answer", *told_in(texts.why(told)))


def reason(message_id: str, place: str) -> Block:
    """Return what asks for what was wrong with an answer."""
    about = {"message": message_id, "place": place}
    asked = _field("reason", "What was wrong?", 500, optional=True)
    return modal("Thank you", section("Noted: that answer was bad."), asked, submit="Send", callback=REASON, about=about)


def question() -> Block:
    """Return what asks for a question."""
    told = section("The answer comes in your private chat with me, from all that you may see.")
    return modal("Ask Twin", _field("question", "Your question", 3_000), told, submit="Ask", callback=QUESTION)


def written(view: Mapping[str, Any], field: str) -> str:
    """Return what somebody wrote in a modal that they sent off."""
    return str(view["state"]["values"][field][field].get("value") or "").strip()


def failed(title: str, text: str) -> Block:
    """Return why there is nothing to show."""
    return modal(title, section(mrkdwn(text)))


def told_in(markdown: str) -> list[Block]:
    """Return the twin's own Markdown in Slack's markup: of Markdown's forms it has bold words, code and lists alone."""
    return [section(mrkdwn(part).replace("**", "*")) for part in parts(markdown, _READ)]


def section(text: str) -> Block:
    """Return a block with a text in Slack's own markup."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:_MOST], "verbatim": True}}


def _field(name: str, label: str, most: int, *, optional: bool = False) -> Block:
    field: Block = {"type": "plain_text_input", "action_id": name, "multiline": True, "max_length": most}
    return {"type": "input", "block_id": name, "optional": optional, "label": _plain(label), "element": field}


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}
