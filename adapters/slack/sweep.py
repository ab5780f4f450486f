"""Reconciliation: what the twin learned from messages and files is compared with what is there still.

No event tells of what a retention policy deletes, nor of what happened while nobody was connected for long.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import structlog

from adapters.common.handed import Desk, Sweep, Taught
from adapters.slack import incoming, names
from adapters.slack.incoming import Name
from adapters.slack.workspace import Failed, Workspace
from bot.chat import Gone, Message, Removal, TryLater

log = structlog.get_logger()

_PAUSE = 3.0  # seconds between two looks
_GONE_MESSAGES = frozenset({"message_not_found", "thread_not_found"})
_GONE_PLACES = frozenset({"channel_not_found", "not_in_channel"})
_GONE_FILES = frozenset({"file_not_found", "file_deleted"})


class Sweeper:
    """Looks at everything learned, slowly. Trouble with the network is never taken for something being gone."""

    def __init__(self, desk: Desk, record: Sweep, name: Name, pause: float = _PAUSE) -> None:
        self._desk = desk
        self._record = record
        self._name = name
        self._pause = pause

    async def sweep(self, workspace: Workspace) -> tuple[int, int]:
        """Compare; return how many messages were looked at, and how many of them are gone or changed."""
        looked = changed = 0
        async for taught in self._record.taught(workspace.tenant):
            await asyncio.sleep(self._pause)
            try:
                changed += await self._looked(workspace, taught)
            except TryLater as later:
                await asyncio.sleep(later.seconds or 1.0)
            except ConnectionError:
                log.warning("a message could not be looked at")
            else:
                looked += 1
        return looked, changed

    async def _looked(self, workspace: Workspace, taught: Taught) -> bool:
        where = names.where(taught.place)
        if where.alone:
            return False
        try:
            now = await _message(workspace, where.channel, taught)
        except Failed as error:
            if error.code in _GONE_PLACES:
                event = f"sweep:{taught.place}:gone"
                await self._desk.remove(Removal(event, Gone.PLACE, taught.place, workspace.tenant))
                return True
            if error.code not in _GONE_MESSAGES:
                raise
            now = None
        if now is None or now.get("subtype") == "tombstone":
            await self._desk.receive(_deleted(taught))
            return True
        return await self._files(workspace, taught, now) or await self._edited(workspace, taught, now)

    async def _files(self, workspace: Workspace, taught: Taught, now: Mapping[str, Any]) -> bool:
        gone = False
        for file in now.get("files") or ():
            try:
                await workspace.call("files.info", file=file["id"])
            except Failed as error:
                if error.code in _GONE_FILES:
                    event = f"sweep:{taught.place}:{file['id']}"
                    await self._desk.remove(Removal(event, Gone.FILE, file["id"], workspace.tenant))
                    gone = True
        return gone

    async def _edited(self, workspace: Workspace, taught: Taught, now: Mapping[str, Any]) -> bool:
        edited = (now.get("edited") or {}).get("ts")
        if edited is None or incoming.moment(edited) <= taught.changed_at:
            return False
        event = {"type": "message", "subtype": "message_changed", "message": now, "previous_message": {}, "event_ts": edited}
        body: dict[str, Any] = {"event_id": f"sweep:{taught.place}:{taught.message}:{edited}"}
        body |= {"event": event | {"channel": names.where(taught.place).channel, "ts": edited}}
        message = incoming.message(workspace, body, self._name)
        if message is not None:
            await self._desk.receive(message)
        return message is not None


async def _message(workspace: Workspace, channel: str, taught: Taught) -> Mapping[str, Any] | None:
    """Return a message as it is now, none when it is not there."""
    only = {"oldest": taught.message, "latest": taught.message, "inclusive": True, "limit": 5}
    found = await workspace.call("conversations.replies", channel=channel, ts=taught.message, **only)
    return next((one for one in found.get("messages") or () if one["ts"] == taught.message), None)


def _deleted(taught: Taught) -> Message:
    return Message(
        event=f"sweep:{taught.place}:{taught.message}:gone",
        place=taught.place,
        id=taught.message,
        account="",
        text="",
        changed_at=_later(taught.changed_at),
        deleted=True,
    )


def _later(moment: datetime) -> datetime:
    return max(moment, datetime.now(moment.tzinfo))
