"""How long what the app shows may be, and what may stand where; lengths beyond the shapes that schemas tell (pure)."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

MOST = 12_000
"""Characters of Markdown in one call or message."""
MOST_STREAMED = 13_790
"""Characters of one streamed message, its task cards among them."""
MOST_UPDATED = 4_000
"""Bytes of text that a message can be given anew."""

_IN_MESSAGES_ONLY = {"markdown", "context_actions", "task_card", "plan"}
_ELEMENTS = {"actions": 25, "context": 10, "context_actions": 5}
_TEXTS = {"section": 3_000, "header": 150}
_OF_AN_ELEMENT = {"action_id": 255, "value": 2_000, "url": 3_000, "alt_text": 2_000}
_OF_A_VIEW = {"callback_id": 255, "private_metadata": 3_000}


def wrong_message(given: Mapping[str, Any]) -> str:
    """Return the error that Slack answers with to a message; nothing when it takes it."""
    if given.get("markdown_text") and (given.get("text") or given.get("blocks")):
        return "markdown_text_conflict"
    if len(given.get("markdown_text") or "") > MOST:
        return "msg_too_long"
    blocks = given.get("blocks") or []
    if sum(len(block["text"]) for block in blocks if block["type"] == "markdown") > MOST:
        return "msg_blocks_too_long"
    return "" if len(blocks) <= 50 and fits(blocks) else "invalid_blocks"


def wrong_view(view: Mapping[str, Any]) -> str:
    """Return the error that Slack answers with to a modal or an App Home: some blocks stand in messages only."""
    if len(json.dumps(view)) > 250_000:
        return "view_too_large"
    short = all(_size(view[name]) <= 24 for name in ("title", "submit", "close") if name in view)
    own = all(len(view.get(name) or "") <= most for name, most in _OF_A_VIEW.items())
    belongs = all(block["type"] not in _IN_MESSAGES_ONLY for block in view["blocks"])
    return "" if short and own and belongs and len(view["blocks"]) <= 100 and fits(view["blocks"]) else "invalid_arguments"


def fits(blocks: Sequence[Mapping[str, Any]]) -> bool:
    """Say whether no part of any block is too long or empty, and no two have one name."""
    names = [block["block_id"] for block in blocks if "block_id" in block]
    return len(names) == len(set(names)) and all(_block_fits(block) for block in blocks)


def _block_fits(block: Mapping[str, Any]) -> bool:
    kind, elements = block["type"], list(_elements(block))
    text, fields = block.get("text"), block.get("fields") or ()
    actions = [element["action_id"] for element in elements if "action_id" in element]
    return (
        len(block.get("block_id") or "") <= 255
        and (kind not in _TEXTS or text is None or 0 < _size(text) <= _TEXTS[kind])
        and (kind != "section" or text is not None or bool(fields))
        and len(fields) <= 10
        and all(0 < _size(field) <= 2_000 for field in fields)
        and (kind not in _ELEMENTS or 0 < len(elements) <= _ELEMENTS[kind])
        and len(actions) == len(set(actions))
        and all(_element_fits(element) for element in elements)
    )


def _elements(block: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from block.get("elements") or ()
    yield from (block[name] for name in ("accessory", "element") if name in block)


def _element_fits(element: Mapping[str, Any]) -> bool:
    if element["type"] in {"mrkdwn", "plain_text"}:
        return 0 < _size(element) <= 3_000
    if not all(len(element.get(name) or "") <= most for name, most in _OF_AN_ELEMENT.items()):
        return False
    buttons = [element[name] for name in ("positive_button", "negative_button") if name in element]
    labels = [button["text"] for button in buttons] + ([element["text"]] if element["type"] == "button" else [])
    options, most = element.get("options") or (), 5 if element["type"] == "overflow" else 100
    return (
        all(0 < _size(label) <= 75 for label in labels)
        and all(len(button["value"]) <= 2_000 for button in buttons)
        and ("placeholder" not in element or _size(element["placeholder"]) <= 150)
        and len(options) <= most
        and all(0 < _size(option["text"]) <= 75 and len(option["value"]) <= 150 for option in options)
    )


def _size(text: Mapping[str, Any]) -> int:
    return len(text["text"])
