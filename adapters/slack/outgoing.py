"""What the twin says, as Slack shows it: Markdown that can do no harm, and blocks (pure)."""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from adapters.common.markdown import stretches
from bot.chat import Answer, Notice, Source, Taught

FEEDBACK = "feedback"  # value: "1:<message>" or "-1:<message>"
SOURCES = "sources"  # value: the message, as of the next two
AGAIN = "again"
WHY = "why"
UNDO = "undo"  # value: the document

Block = dict[str, Any]

QUIET = {"unfurl_links": False, "unfurl_media": False, "link_names": False}
"""No link is followed and nobody is called by what a message says: either could carry something out."""

_FALLBACK = 3_900  # bytes; Slack refuses an update with a text of more than 4,000
_LISTED = 10  # sources in a block
_LABEL, _LINK, _TEXT = 150, 1_000, 2_900  # characters; Slack takes 3,000 in a text
_TITLE, _CONFIRM = 200, 300
_DOCUMENTS = 25

_AUTOLINK = re.compile(r"<(https?://[^\s<>|]+)>", re.IGNORECASE)
_ENTITY = re.compile(r"&(?=#?\w{1,31};)")
_POINTS = re.compile(r"<(?=[@#!]|[a-z][a-z0-9+.-]*://|https?|mailto:|tel:)", re.IGNORECASE)
_HALF = re.compile(r"&\w{0,4}\Z")
_LOOKS = re.compile(r"[*`]+|^#{1,6} ", re.MULTILINE)
_QUOTED = {ord(character): f"%{ord(character):02X}" for character in "()[]<>|`\\\"' "}


def escaped(text: str) -> str:
    """Return Markdown in which nothing is a mention, a broadcast or a link in Slack's own form.

    Slack gives `<@U1>`, `<!here>`, `<#C1>` and `<url|label>` their meaning in Markdown too, and perhaps in code. Outside code
    every `<` becomes an entity, and an address in `<>` a link as Markdown has it. In code an entity would be seen as such, so
    there a blank comes after a `<` that points somewhere: it is plain to see, survives copying, and no program takes it out.
    """
    return "".join(_POINTS.sub("< ", one) if is_code else _prose(one) for is_code, one in stretches(text))


def _prose(text: str) -> str:
    made, at = [], 0
    for link in _AUTOLINK.finditer(text):
        to = link[1].translate(_QUOTED)
        made += [_inert(text[at : link.start()]), f"[{to}]({to})"]
        at = link.end()
    return "".join([*made, _inert(text[at:])])


def _inert(text: str) -> str:
    return _ENTITY.sub("&amp;", text).replace("<", "&lt;")


def mrkdwn(text: str) -> str:
    """Return plain text as it is written in Slack's own markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def fallback(text: str) -> str:
    """Return the text of a message for where blocks are not shown, such as in notifications."""
    said = mrkdwn(_LOOKS.sub("", text).strip()) or "…"
    if len(said.encode()) <= _FALLBACK:
        return said
    begun = said.encode()[:_FALLBACK].decode(errors="ignore")
    return f"{re.sub(_HALF, '', begun)}…"


def body(text: str) -> list[Block]:
    """Return the block for escaped Markdown."""
    return [{"type": "markdown", "text": text}] if text.strip() else []


def beneath(content: Answer | Notice, *, alone: bool = False) -> list[Block]:
    """Return what stands below the text; what is told to somebody alone cannot be shown anew, so that nothing offers it."""
    if isinstance(content, Notice):
        return _undo(content.taught[:_DOCUMENTS])
    return [*_noted(content.notice), *_listed(content.sources), *_buttons(content, alone=alone)]


def _noted(notice: str) -> list[Block]:
    return [{"type": "context", "elements": [_plain(notice, _TEXT)]}] if notice.strip() else []


def _listed(sources: Sequence[Source]) -> list[Block]:
    blocks: list[Block] = []
    lines: list[str] = []
    for source in sources:
        line = _source(source)
        if len(lines) == _LISTED or sum(map(len, lines)) + len(line) > _TEXT - 100:
            blocks.append(_sources(lines, first=not blocks))
            lines = []
        lines.append(line)
    return [*blocks, _sources(lines, first=not blocks)] if lines else blocks


def _sources(lines: Sequence[str], *, first: bool) -> Block:
    text = "\n".join(["*Sources*", *lines] if first else lines)
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text, "verbatim": True}]}


def _source(source: Source) -> str:
    where = source.title or "Untitled"
    if source.page is not None:
        where += f", p. {source.page}"
    if source.heading:
        where += f" › {source.heading}"
    return f"[{source.n}] {link(source.url, where)}"


def link(url: str, label: str) -> str:
    """Return a link in Slack's own markup, or the label alone where the address is none that opens in a browser."""
    label = mrkdwn(_short(label.replace("|", "¦"), _LABEL))
    address = url.strip()
    if len(address) > _LINK or re.search(r"[\s\x00-\x1f\x7f]", address):
        return label
    try:
        parts = urlsplit(address)
    except ValueError:
        return label
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return label
    return f"<{address.translate(_QUOTED).replace('&', '&amp;')}|{label}>"


def _buttons(answer: Answer, *, alone: bool) -> list[Block]:
    if not answer.message_id:
        return []
    about = answer.message_id
    buttons = [_button("Why", WHY, about)]
    if not answer.abstained:
        again = [] if alone else [_button("Regenerate", AGAIN, about)]
        sources = [_button("Sources", SOURCES, about)] if answer.sources else []
        buttons = [*sources, *again, *buttons]
    return [
        {
            "type": "context_actions",
            "elements": [
                {
                    "type": "feedback_buttons",
                    "action_id": FEEDBACK,
                    "positive_button": _opinion("Good answer", f"1:{about}"),
                    "negative_button": _opinion("Bad answer", f"-1:{about}"),
                }
            ],
        },
        {"type": "actions", "elements": buttons},
    ]


def _opinion(text: str, value: str) -> Block:
    return {"text": _plain(text), "value": value, "accessibility_label": text}


def _button(text: str, action: str, value: str) -> Block:
    return {"type": "button", "text": _plain(text), "action_id": action, "value": value}


def _undo(taught: Sequence[Taught]) -> list[Block]:
    """Offer to forget what was taught; each button is in a block of its own, because an action is named once in a block."""
    if len(taught) == 1:
        return [{"type": "actions", "elements": [_forget(taught[0])]}]
    return [{"type": "section", "text": _plain(one.title or "Untitled", _TITLE), "accessory": _forget(one)} for one in taught]


def _forget(document: Taught) -> Block:
    return {
        **_button("Forget this", UNDO, document.document_id),
        "confirm": {
            "title": _plain("Forget this document?"),
            "text": _plain(
                f"“{_short(document.title, _TITLE)}” is no longer found, and answers that rest on it are taken back.", _CONFIRM
            ),
            "confirm": _plain("Forget it"),
            "deny": _plain("Keep it"),
            "style": "danger",
        },
    }


def _plain(text: str, most: int = 75) -> Block:
    return {"type": "plain_text", "text": _short(text, most), "emoji": False}


def _short(text: str, most: int) -> str:
    said = " ".join(text.split())
    return said if len(said) <= most else f"{said[: most - 1].rstrip()}…"
