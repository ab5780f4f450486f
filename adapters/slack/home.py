"""The home of the app: what the twin knows that somebody may see, and what they can do about it (pure)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.common import orders, texts
from adapters.slack.modals import section
from adapters.slack.outgoing import Block, mrkdwn

FORGET = "home_forget"  # value: the document
FORGET_ME = "home_forget_me"
DIGEST = "home_digest"
_NEWEST = 10


@dataclass(frozen=True, slots=True)
class Home:
    """What stands in it: documents newest first, those of them that are the person's own, and who writes answers."""

    documents: Sequence[texts.Document]
    own: frozenset[str]
    notes: int
    model: str
    figures: str


def view(home: Home) -> Block:
    """Return the view."""
    living = [one for one in home.documents if one.state == "ready"]
    blocks: list[Block] = [
        _header("What I know that you may see"),
        section(f"*{len(living):,}* documents. {mrkdwn(home.figures)}"),
        *(_document(one, own=one.id in home.own) for one in living[:_NEWEST]),
    ]
    if len(living) > _NEWEST:
        blocks.append(
            section(f"… and {len(living) - _NEWEST:,} more. `/twin docs` lists them, `/twin search` looks into them.")
        )
    digest = _button("What was learned this week", DIGEST, "week")
    blocks += [{"type": "actions", "elements": [digest]}, {"type": "divider"}]
    blocks += [
        _header("How to teach me"),
        section(mrkdwn(orders.TEACH)),
        _header("Who writes my answers"),
        section(mrkdwn(home.model)),
    ]
    blocks += [_header("You"), section(_notes(home.notes)), {"type": "actions", "elements": [_forget_me()]}]
    blocks += [{"type": "divider"}, _header("What I can do"), section(orders.HELP)]
    return {"type": "home", "blocks": blocks}


def _document(one: texts.Document, *, own: bool) -> Block:
    block = section(f"*{mrkdwn(texts.line(one.title))}* · {texts.size(one)}")
    return block | {"accessory": _forget(one)} if own else block


def _notes(count: int) -> str:
    notes = {0: "I keep no notes of yours", 1: "I keep one note of yours"}.get(count, f"I keep {count:,} notes of yours")
    return (
        f"{notes}. I infer nothing about you. What you delete in Slack I forget, with the answers that rested on it; "
        "chat is learned only in channels where an owner switched that on."
    )


def _forget(one: texts.Document) -> Block:
    asked = _confirm("Forget this document?", f"“{one.title[:200]}” is no longer found.", "Forget it")
    return _button("Forget", FORGET, one.id) | {"confirm": asked}


def _forget_me() -> Block:
    asked = _confirm(
        "Forget you?", "Your notes, your questions with their answers, and your opinions go for good.", "Forget me"
    )
    return _button("Forget me", FORGET_ME, "me") | {"style": "danger", "confirm": asked}


def _confirm(title: str, text: str, yes: str) -> Mapping[str, Any]:
    return {"title": _plain(title), "text": _plain(text), "confirm": _plain(yes), "deny": _plain("Cancel"), "style": "danger"}


def _button(text: str, action: str, value: str) -> Block:
    return {"type": "button", "text": _plain(text), "action_id": action, "value": value}


def _header(text: str) -> Block:
    return {"type": "header", "text": _plain(text)}


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}
