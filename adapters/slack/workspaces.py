"""The workspaces that the app is installed in: the one of the token that is set, and those that installed it by OAuth."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from slack_bolt.authorization import AuthorizeResult

from adapters.slack import names
from adapters.slack.workspace import Workspace
from bot.chat import Refused

log = structlog.get_logger()

Token = Callable[[str], Awaitable[str | None]]
"""Returns the bot token of a workspace, if the app is installed there."""


class NotInstalled(Refused):
    """The app is not in a workspace (any more)."""

    def __init__(self) -> None:
        super().__init__("The app is not installed in this workspace.")


class Workspaces:
    """Knows each workspace once Slack has told who the app is there."""

    def __init__(self, connect: Callable[[str], Awaitable[Workspace]], token: Token) -> None:
        self._connect = connect
        self._token = token
        self._known: dict[str, Workspace] = {}
        self._lock = asyncio.Lock()

    @property
    def known(self) -> tuple[Workspace, ...]:
        return tuple(self._known.values())

    async def add(self, token: str) -> Workspace:
        """Get to know the workspace of a token."""
        workspace = await self._connect(token)
        self._known[workspace.team] = workspace
        return workspace

    async def get(self, team: str) -> Workspace:
        """Return a workspace; raises `NotInstalled`."""
        if team in self._known:
            return self._known[team]
        async with self._lock:
            if team not in self._known:
                token = await self._token(team)
                if token is None:
                    raise NotInstalled()
                await self.add(token)
            return self._known[team]

    async def of(self, place: str) -> Workspace:
        """Return the workspace of a place."""
        return await self.get(names.team(place))

    def forget(self, team: str) -> None:
        """Let go of a workspace that the app was removed from."""
        self._known.pop(team, None)

    async def authorize(self, team_id: str | None, enterprise_id: str | None = None) -> AuthorizeResult | None:
        """Tell Bolt who the app is in a workspace."""
        try:
            workspace = await self.get(team_id or enterprise_id or "")
        except NotInstalled:
            return None
        return AuthorizeResult(
            enterprise_id=enterprise_id,
            team_id=workspace.team,
            bot_token=workspace.client.token,
            bot_id=workspace.bot_id,
            bot_user_id=workspace.bot_user,
        )
