"""Where each event of Slack goes: to the desk, or to those who know who is where. No call of the Web API stands in its way."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

import structlog

from adapters.common.handed import Desk
from adapters.slack import incoming, names
from adapters.slack.incoming import Event
from adapters.slack.workspace import Workspace
from bot.chat import Gone, Moved, Place, Removal

log = structlog.get_logger()

_LEFT = frozenset({"channel_left", "group_left", "channel_deleted", "group_deleted"})
_UNINSTALLED = frozenset({"app_uninstalled", "team_access_revoked"})
_CONVERTED = frozenset({"channel_convert_to_private", "channel_convert_to_public"})
_WHO_IS_WHERE = frozenset(
    {
        *("member_joined_channel", "member_left_channel", "user_change", "team_join", "im_created"),
        *("channel_created", "channel_rename", "channel_archive", "channel_unarchive", "channel_shared", "channel_unshared"),
        *("group_rename", "group_archive", "group_unarchive"),
    }
)


Uninstalled = Callable[[str], Awaitable[None]]


async def _nothing(_team: str) -> None:
    """Do nothing."""


class Members(Protocol):
    """Knows who is where, and what they are called."""

    async def heard(self, workspace: Workspace, event: Event) -> None:
        """Take in an event."""

    def left(self, place: str) -> None:
        """Ask no more about a place that the twin is not in."""

    def name(self, account: str) -> str:
        """Return what an account is called, as far as it is known."""


class Intake:
    """Takes events in. When `take` returns, a kill loses nothing of them; when it raises, Slack must deliver again."""

    def __init__(self, desk: Desk, members: Members, uninstalled: Uninstalled = _nothing) -> None:
        """`uninstalled` is told the workspaces that the app was removed from."""
        self._desk = desk
        self._members = members
        self._uninstalled = uninstalled

    async def take(self, workspace: Workspace, body: Mapping[str, Any]) -> None:
        """Take in an event."""
        event = body["event"]
        match event["type"]:
            case "message" | "app_mention":
                await self._message(workspace, body)
            case "channel_id_changed":
                old, new = (names.place(workspace.team, str(event[f"{age}_channel_id"])) for age in ("old", "new"))
                await self._desk.move(Moved(str(body["event_id"]), old, new))
            case "agent_session_stopped":
                place = Place(names.place(workspace.team, str(event["channel"])))
                account = names.account(workspace.team, str(event["user"]))
                await self._desk.stop(str(body["event_id"]), place, str(event["thread_ts"]), account)
            case _:
                await self._removal(workspace, body)
                if event["type"] in _WHO_IS_WHERE:
                    await self._members.heard(workspace, event)

    async def _message(self, workspace: Workspace, body: Mapping[str, Any]) -> None:
        event = body["event"]
        if event.get("subtype") in _CONVERTED:
            await self._members.heard(workspace, event)
            return
        message = incoming.message(workspace, body, self._members.name)
        if message is None:
            return
        if not message.addressed and await self._goes_on(workspace, event, message.place, message.thread, message.account):
            message = incoming.spoken_to(message)
        await self._desk.receive(message)

    async def _goes_on(self, workspace: Workspace, event: Event, place: str, thread: str | None, account: str) -> bool:
        """Say whether a message in a thread goes on with what its author was saying to the twin."""
        said = event.get("message") or event
        in_thread = said.get("thread_ts") not in {None, said.get("ts")}
        if not in_thread or said.get("bot_id") or event.get("subtype") == "message_deleted":
            return False
        if incoming.mentions_others(workspace, said):
            return False
        return await self._desk.engaged(Place(place), str(thread), account)

    async def _removal(self, workspace: Workspace, body: Mapping[str, Any]) -> None:
        if (gone := removal(workspace, body)) is not None:
            await self._desk.remove(gone)
            if gone.what is Gone.PLACE:
                self._members.left(gone.id)
            if gone.what is Gone.TENANT:
                await self._uninstalled(workspace.team)


def removal(workspace: Workspace, body: Mapping[str, Any]) -> Removal | None:
    """Return what an event says is gone (pure)."""
    event, id, tenant = body["event"], str(body["event_id"]), workspace.tenant
    match event["type"]:
        case "file_deleted":
            return Removal(id, Gone.FILE, str(event["file_id"]), tenant)
        case "file_unshared":
            place = names.place(workspace.team, str(event["channel_id"]))
            return Removal(id, Gone.FILE, str(event["file_id"]), tenant, place)
        case left if left in _LEFT or (left == "member_left_channel" and event.get("user") == workspace.bot_user):
            return Removal(id, Gone.PLACE, names.place(workspace.team, str(event["channel"])), tenant)
        case "user_change" if event["user"].get("deleted"):
            return Removal(id, Gone.ACCOUNT, names.account(workspace.team, str(event["user"]["id"])), tenant)
        case revoked if revoked in _UNINSTALLED or (revoked == "tokens_revoked" and (event.get("tokens") or {}).get("bot")):
            return Removal(id, Gone.TENANT, tenant, tenant)
    return None
