"""What was posted for a reply, found again in the thread: one key is one post, whatever was killed or failed when."""

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from time import time
from typing import Any

from adapters.slack import names
from adapters.slack.workspace import Failed, Workspace
from bot.chat import Reply

_EVENT = "twin_reply"
_LATELY = 2 * 86_400.0  # seconds


def part_key(key: str, n: int) -> str:
    """Name the n-th message of a reply, from 0."""
    return f"{key}#{n + 1}" if n else key


def metadata(key: str) -> dict[str, Any]:
    """Return what marks a message as belonging to a reply; people do not see it."""
    return {"event_type": _EVENT, "event_payload": {"key": key}}


def task_id(key: str) -> str:
    """Return the id of the task that a stream begins with: a stream can be marked in no other way."""
    return f"t{hashlib.sha256(key.encode()).hexdigest()[:16]}"


async def found(workspace: Workspace, reply: Reply) -> list[str]:
    """Return the messages of a reply that stand in its thread, in order; of one in answer to nothing those in the channel."""
    wanted, mark = reply.key, task_id(reply.key)
    there: dict[int, str] = {}
    try:
        async for page in _pages(workspace, reply):
            for one in page:
                if one.get("user") == workspace.bot_user and (n := _number(one, wanted, mark)) is not None:
                    there.setdefault(n, str(one["ts"]))
    except Failed as error:
        if error.code != "thread_not_found":
            raise
    return [ts for _, ts in sorted(there.items())]


def _pages(workspace: Workspace, reply: Reply) -> AsyncIterator[Sequence[Any]]:
    """Return what may hold a reply; one that stands by itself is looked for in what was posted of late."""
    about: dict[str, Any] = {"channel": names.where(reply.place).channel, "include_all_metadata": True}
    if thread := reply.thread or reply.to:
        return workspace.pages("conversations.replies", "messages", **about, ts=thread, oldest=reply.to)
    return workspace.pages("conversations.history", "messages", **about, oldest=str(time() - _LATELY))


def _number(message: Mapping[str, Any], key: str, mark: str) -> int | None:
    """Return which part of a reply a message is, if it is one."""
    said = str(((message.get("metadata") or {}).get("event_payload") or {}).get("key") or "")
    if said == key or any(block.get("task_id") == mark for block in message.get("blocks") or ()):
        return 0
    own, _, number = said.rpartition("#")
    return int(number) - 1 if own == key and number.isdigit() else None
