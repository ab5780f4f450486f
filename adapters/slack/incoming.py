"""What Slack tells, in the twin's own words (pure)."""

import html
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from adapters.slack import names
from adapters.slack.workspace import Workspace
from bot.chat import Attachment, Message

Event = Mapping[str, Any]
Name = Callable[[str], str]
"""Returns what an account is called, as far as it is known."""

_SAID = frozenset({None, "", "file_share", "thread_broadcast", "me_message", "bot_message"})
_GONE_FILES = frozenset({"tombstone", "hidden_by_limit"})
_SPECIAL = re.compile(r"<(?P<to>[^<>|\n]*)(?:\|(?P<label>[^<>\n]*))?>")
_HERE = {"here", "channel", "everyone"}


def message(workspace: Workspace, body: Event, name: Name) -> Message | None:
    """Return the message that an event is about, as it is now; none when it is about nothing that anybody said."""
    event = body["event"]
    match event.get("subtype"):
        case "message_changed":
            return _changed(workspace, body, event, name)
        case "message_deleted":
            return _deleted(workspace, body, str(event["deleted_ts"]), event.get("previous_message") or {})
        case subtype if subtype in _SAID and event.get("ts"):
            return _said(workspace, body, event, event["ts"], name)
    return None


def spoken_to(message: Message) -> Message:
    """Return a message as one that is meant for the twin."""
    return replace(message, addressed=True)


def taught(message: Message, by: str) -> Message:
    """Return a message as one that somebody had learned as it is."""
    return replace(message, taught_by=by, addressed=False)


def now() -> datetime:
    """Return the present moment."""
    return datetime.now(UTC)


def mentions(workspace: Workspace, event: Event) -> bool:
    """Say whether the twin is mentioned."""
    return event.get("type") == "app_mention" or f"<@{workspace.bot_user}" in str(event.get("text") or "")


def mentions_others(workspace: Workspace, event: Event) -> bool:
    """Say whether somebody else is spoken to."""
    return any(one != workspace.bot_user for one in re.findall(r"<@([UW]\w+)", str(event.get("text") or "")))


def overheard(workspace: Workspace, said: Event, name: Name) -> str:
    """Return what somebody said to somebody else than the twin; nothing when it was no such thing."""
    own = said.get("user") == workspace.bot_user or said.get("bot_id") or said.get("subtype") not in _SAID
    return "" if own or mentions(workspace, said) else plain(workspace, str(said.get("text") or ""), name)


def _said(workspace: Workspace, body: Event, event: Event, changed: str, name: Name) -> Message | None:
    if _is_own(workspace, event):
        return None
    ts, channel = str(event["ts"]), str(event.get("channel") or body["event"]["channel"])
    user = str(event.get("user") or event.get("bot_id") or "")
    where = names.account(workspace.team, user)
    direct = body["event"].get("channel_type") == "im" or event.get("channel_type") == "im"
    return Message(
        event=str(body["event_id"]),
        place=names.place(workspace.team, channel),
        id=ts,
        account=where,
        text=plain(workspace, str(event.get("text") or ""), name),
        changed_at=moment(changed),
        thread=str(event.get("thread_ts") or ts),
        addressed=direct or mentions(workspace, event),
        from_bot=bool(event.get("bot_id")) or event.get("subtype") == "bot_message",
        attachments=tuple(_attached(event.get("files") or ())),
        link=permalink(workspace, channel, ts, event.get("thread_ts")),
        author=name(where),
    )


def _changed(workspace: Workspace, body: Event, event: Event, name: Name) -> Message | None:
    now, before = event.get("message") or {}, event.get("previous_message") or {}
    if now.get("subtype") in {"tombstone", "ekm_access_denied"} or now.get("user") == "UREVOKEDU":
        return _deleted(workspace, body, str(now["ts"]), before)
    if now.get("subtype") not in _SAID or _substance(now) == _substance(before):
        return None  # an unfurled link, a reaction, a reply
    edited = (now.get("edited") or {}).get("ts") or event.get("event_ts") or event["ts"]
    return _said(workspace, body, now, str(edited), name)


def _deleted(workspace: Workspace, body: Event, ts: str, before: Event) -> Message | None:
    if _is_own(workspace, before):
        return None
    event = body["event"]
    return Message(
        event=str(body["event_id"]),
        place=names.place(workspace.team, str(event["channel"])),
        id=ts,
        account=names.account(workspace.team, str(before.get("user") or "")),
        text="",
        changed_at=moment(str(event.get("event_ts") or event["ts"])),
        thread=str(before.get("thread_ts") or ts),
        deleted=True,
    )


def _is_own(workspace: Workspace, event: Event) -> bool:
    return event.get("user") == workspace.bot_user or event.get("bot_id") == workspace.bot_id


def _substance(said: Event) -> tuple[str, tuple[str, ...]]:
    return str(said.get("text") or ""), tuple(one.id for one in _attached(said.get("files") or ()))


def _attached(files: Sequence[Event]) -> list[Attachment]:
    return [
        Attachment(str(file["id"]), str(file.get("name") or file.get("title") or "file"), file.get("size"))
        for file in files
        if file.get("mode") not in _GONE_FILES
    ]


def moment(ts: str) -> datetime:
    """Return when something was, by its ts."""
    return datetime.fromtimestamp(float(ts), UTC)


def permalink(workspace: Workspace, channel: str, ts: str, thread: str | None = None) -> str:
    """Return the address that opens a message; empty when the address of the workspace is not known."""
    if not workspace.url:
        return ""
    link = f"{workspace.url}archives/{channel}/p{ts.replace('.', '')}"
    return f"{link}?thread_ts={thread}&cid={channel}" if thread and thread != ts else link


def plain(workspace: Workspace, text: str, name: Name) -> str:
    """Return what somebody wrote as they meant it: Slack's own forms become words, links and Markdown."""
    at_twin = re.compile(rf"\s*<@{workspace.bot_user}(?:\|[^>]*)?>[,:]?\s*")
    said = at_twin.sub(" ", text, count=1).strip()

    def replaced(found: re.Match[str]) -> str:
        return _form(workspace, found["to"], found["label"] or "", name)

    return html.unescape(_SPECIAL.sub(replaced, said)).strip()


def _form(workspace: Workspace, to: str, label: str, name: Name) -> str:
    match to[:1]:
        case "@":
            known = label or name(names.account(workspace.team, to[1:]))
            return f"@{known or 'somebody'}"
        case "#":
            return f"#{label or 'channel'}"
        case "!":
            first = to[1:].partition("^")[0]
            return f"@{first}" if first in _HERE else label or first
    address = to.removeprefix("mailto:")
    return f"[{label}]({to})" if label and label not in {to, address} else address
