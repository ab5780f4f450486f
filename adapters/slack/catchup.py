"""What was said while nobody was connected: read from the history, and taken in as if it had been delivered."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import structlog

from adapters.common.handed import Sweep
from adapters.slack.workspace import Failed, Workspace
from bot.chat import TryLater

log = structlog.get_logger()

LONGEST = timedelta(hours=24)  # what is older is not answered any more
OVERLAP = timedelta(minutes=10)  # what Slack delivered late before the gap
_PAUSE = 1.2  # seconds between two calls, of which Slack takes 50 a minute
_PAGE = 200
_KINDS = "public_channel,private_channel,mpim,im"


class Intake(Protocol):
    """Takes events in."""

    async def take(self, workspace: Workspace, body: Mapping[str, Any]) -> None:
        """Keep an event; what is known already is not taken in twice."""


async def catch_up(workspace: Workspace, intake: Intake, record: Sweep, pause: float = _PAUSE) -> int:
    """Take in what was said since the last delivery, a day at most; return how many messages were looked at."""
    last = await record.last_heard(workspace.tenant)
    if last is None:
        return 0  # nobody has spoken to the twin here yet
    oldest = max(last - OVERLAP, datetime.now(UTC) - LONGEST)
    looked = 0
    async for channels in workspace.pages("users.conversations", "channels", types=_KINDS, exclude_archived=True):
        for channel in channels:
            try:
                looked += await _channel(workspace, intake, channel, f"{oldest.timestamp():.6f}", pause)
            except Failed as error:
                log.warning("a channel could not be caught up with", reason=error.code)
    return looked


async def _channel(workspace: Workspace, intake: Intake, channel: Mapping[str, Any], oldest: str, pause: float) -> int:
    said = await _read(workspace, "conversations.history", pause, channel=channel["id"], oldest=oldest)
    threads = [one for one in said if one.get("reply_count")]
    for root in threads:
        replies = await _read(workspace, "conversations.replies", pause, channel=channel["id"], ts=root["ts"], oldest=oldest)
        said += [one for one in replies if one["ts"] != root["ts"]]
    for one in sorted(said, key=lambda one: float(one["ts"])):
        await intake.take(workspace, _delivered(channel, one))
    return len(said)


async def _read(workspace: Workspace, method: str, pause: float, **arguments: Any) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    cursor: str | None = None
    while True:
        try:
            page = await workspace.call(method, limit=_PAGE, cursor=cursor, **arguments)
        except TryLater as later:
            await asyncio.sleep(later.seconds or 1.0)
            continue
        found += page.get("messages") or []
        cursor = (page.get("response_metadata") or {}).get("next_cursor")
        await asyncio.sleep(pause)
        if not cursor:
            return found


def _delivered(channel: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """Return a message of the history as it would have been delivered (pure)."""
    kind = "im" if channel.get("is_im") else "channel"
    event = {**said, "type": "message", "channel": channel["id"], "channel_type": kind, "event_ts": said["ts"]}
    return {"type": "event_callback", "event_id": f"history:{channel['id']}:{said['ts']}", "event": event}
