"""Who does something in Slack beside talking, and what they are told when it fails."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import aiohttp
import structlog

from adapters.common import orders
from adapters.common.handed import Twin
from adapters.slack import modals, names, outgoing
from adapters.slack.workspace import Failed, Unsure, Workspace
from adapters.slack.workspaces import NotInstalled, Workspaces
from bot.chat import Person, Place, TryLater

log = structlog.get_logger()

Body = Mapping[str, Any]
Ack = Callable[..., Awaitable[Any]]
Respond = Callable[..., Awaitable[Any]]

SOON = 2.5  # seconds for what is done before Slack is told that a click was received; it waits for three


class Sorry(Exception):
    """Something that cannot be done; its text tells people why."""


class Members(Protocol):
    """Knows who is where."""

    async def confirm(self, workspace: Workspace, place: str, account: str) -> None:
        """Bring what is known of a place and of somebody in it up to date."""

    def name(self, account: str) -> str:
        """Return what somebody is called, as far as it is known."""


@dataclass(frozen=True, slots=True)
class Someone:
    """Who does something, and where; `alone` is where they alone read what is said."""

    workspace: Workspace
    account: str
    person: Person
    place: Place
    alone: Place

    @property
    def here(self) -> orders.Here:
        return {"place": self.place, "person": self.person}

    @property
    def in_private(self) -> orders.Here:
        return {"place": self.alone, "person": self.person}


class Actors:
    """Finds out who acts, and tells them, and nobody else, what became of it."""

    def __init__(self, twin: Twin, workspaces: Workspaces, members: Members, explain: Callable[[BaseException], str]) -> None:
        self._twin = twin
        self._workspaces = workspaces
        self._members = members
        self._explain = explain

    async def workspace(self, body: Body) -> Workspace:
        """Return the workspace that something is done in."""
        team = body.get("team_id") or (body.get("team") or {}).get("id") or (body.get("user") or {}).get("team_id")
        return await self._workspaces.get(str(team))

    def name(self, account: str) -> str:
        """Return what somebody is called, as far as it is known."""
        return self._members.name(account)

    async def who(self, body: Body, *, channel: str = "", ephemeral: bool = False) -> Someone:
        """Return who acts, once Slack was asked about them; outside of channels they are alone with the app."""
        workspace = await self.workspace(body)
        user = str(body.get("user_id") or body["user"]["id"])
        account = names.account(workspace.team, user)
        here = channel or str(body.get("channel_id") or (body.get("channel") or {}).get("id") or user)
        alone = names.place(workspace.team, here, alone=user)
        place = alone if ephemeral or here == user else names.place(workspace.team, here)
        for one in dict.fromkeys((alone, place)):
            await self._members.confirm(workspace, one, account)
        return Someone(workspace, account, await self._twin.person(account), Place(place), Place(alone))

    async def clicker(self, body: Body) -> Someone:
        """Return who clicks below a message; what only they see stands in a place of its own."""
        return await self.who(body, ephemeral=bool((body.get("container") or {}).get("is_ephemeral")))

    def sentence(self, error: Exception) -> str:
        """Return what to tell people of an error."""
        match error:
            case Sorry() | NotInstalled():
                return str(error)
            case TimeoutError():
                return "That took too long. Please try again."
            case Failed() | TryLater() | Unsure():
                return f"{error} Please try again in a moment."
        return self._explain(error)

    async def tell(self, respond: Respond, text: str) -> None:
        """Tell whoever clicked something."""
        try:
            await respond(text=outgoing.mrkdwn(text), response_type="ephemeral", replace_original=False)
        except (aiohttp.ClientError, TimeoutError) as error:
            log.warning("somebody could not be told", reason=type(error).__name__)

    @asynccontextmanager
    async def telling(self, respond: Respond) -> AsyncIterator[None]:
        """Tell whoever clicked why something failed."""
        try:
            yield
        except Exception as error:
            await self.tell(respond, self.sentence(error))

    async def show(self, body: Body, title: str, view: Callable[[], Awaitable[outgoing.Block]]) -> None:
        """Open a modal at once, since a click is good for three seconds only, and show in it what there is to see."""
        workspace = await self.workspace(body)
        opened = await workspace.call("views.open", trigger_id=body["trigger_id"], view=modals.waiting(title))
        try:
            shown = await view()
        except Exception as error:
            shown = modals.failed(title, self.sentence(error))
        await workspace.call("views.update", view_id=opened["view"]["id"], view=shown)
