"""Slack with all its parts, wired: what the composition root opens."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

import aiohttp
import structlog
from aiohttp import web
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from adapters.common.handed import Desk, People, Sweep, Twin, Vault
from adapters.slack import connection, installs, manifest, names
from adapters.slack.adapter import SlackAdapter
from adapters.slack.alone import Responses
from adapters.slack.catchup import catch_up
from adapters.slack.files import Files
from adapters.slack.intake import Intake
from adapters.slack.interactions import Interactions
from adapters.slack.members import Members
from adapters.slack.mode import Mode
from adapters.slack.stream import Shows, pace
from adapters.slack.sweep import Sweeper
from adapters.slack.workspace import Failed, Workspace, call, client
from adapters.slack.workspaces import Workspaces

log = structlog.get_logger()

_DAY = 24 * 3600.0


class Slack:
    """The twin in Slack. `adapter` is what answers are shown with; once there is a desk, `run` connects."""

    def __init__(
        self,
        mode: Mode,
        session: aiohttp.ClientSession,
        *,
        people: People,
        sweep: Sweep,
        explain: Callable[[BaseException], str],
        vault: Vault,
        is_me: Callable[[str], None],
    ) -> None:
        """`is_me` is told the twin's own accounts, which it must not talk with."""
        self._mode = mode
        self._session = session
        self._record = sweep
        self._explain = explain
        self._vault = vault
        self._is_me = is_me
        self._installs = installs.Installs(vault) if mode.several else None
        self._workspaces = Workspaces(self._connected, self._token)
        self._members = Members(people)
        self._responses = Responses(session)
        fetch = Files(session, mode.api_url).fetch
        self.adapter = SlackAdapter(self._workspaces, Shows(self._responses), self._members, fetch)
        self._app: AsyncApp | None = None

    async def start(self) -> None:
        """Find out who the app is; raises `Failed` and `Unsure`."""
        if self._mode.bot_token:
            await self._workspaces.add(self._mode.bot_token)
        for team in await self._installs.teams() if self._installs else ():
            try:
                await self._workspaces.get(team)
            except Failed as error:  # uninstalled while nobody was connected: the others are fine
                log.warning("a workspace does not accept its token", team=team, reason=error.code)

    def routes(self, desk: Desk, twin: Twin) -> Sequence[web.RouteDef]:
        """Return what the HTTP server serves: signed events without Socket Mode, and the pages of installations."""
        served = []
        if not self._mode.socket:
            served.append(web.post(manifest.EVENTS_PATH, connection.events(self._bolt(desk, twin))))
        if self._mode.several:
            served += installs.routes(self._mode, self._vault, self._client(""), self._installed)
        return served

    async def run(self, desk: Desk, twin: Twin) -> None:
        """Keep what is known up to date and, with Socket Mode, connected, until cancelled; raises `connection.Lost`."""
        app = self._bolt(desk, twin)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._members.keep(self._workspaces), name="slack members")
            group.create_task(self._sweeps(desk), name="slack sweeps")
            if self._mode.app_token:
                sockets = connection.Sockets(app, self._mode.app_token, partial(self._caught_up, group, desk))
                group.create_task(sockets.run(), name="slack sockets")
            else:
                await self._caught_up(group, desk)

    def _bolt(self, desk: Desk, twin: Twin) -> AsyncApp:
        if self._app is None:
            intake = Intake(desk, self._members, self._uninstalled)
            self._app = connection.bolt(self._client(""), self._workspaces, intake, self._mode.signing_secret)
            Interactions(
                twin=twin,
                desk=desk,
                workspaces=self._workspaces,
                members=self._members,
                responses=self._responses,
                explain=self._explain,
            ).register(self._app)
            connection.acknowledge_the_rest(self._app)
        return self._app

    async def _caught_up(self, group: asyncio.TaskGroup, desk: Desk) -> None:
        """Take in, beside everything else, what was said while nobody was connected."""
        group.create_task(self._catch_up(Intake(desk, self._members)), name="slack catch-up")

    async def _catch_up(self, intake: Intake) -> None:
        for workspace in self._workspaces.known:
            try:
                looked = await catch_up(workspace, intake, self._record)
            except Exception as error:
                log.warning("what was missed could not be read", reason=type(error).__name__)
            else:
                log.info("caught up", messages=looked)

    async def _sweeps(self, desk: Desk) -> None:
        """Compare what was learned with what is there, once a day."""
        sweeper = Sweeper(desk, self._record, self._members.name)
        while True:
            await asyncio.sleep(_DAY)
            for workspace in self._workspaces.known:
                try:
                    looked, changed = await sweeper.sweep(workspace)
                except Exception as error:
                    log.warning("what was learned could not be compared", reason=type(error).__name__)
                else:
                    log.info("compared with what is there", messages=looked, changed=changed)

    async def _connected(self, token: str) -> Workspace:
        api = self._client(token)
        me = await call(api, "auth.test")
        self._is_me(names.account(str(me["team_id"]), str(me["user_id"])))
        return Workspace(
            team=str(me["team_id"]),
            bot_user=str(me["user_id"]),
            bot_id=str(me.get("bot_id", "")),
            app_id=str(me.get("app_id", "")),
            client=api,
            pace=pace(),
            url=str(me.get("url", "")),
        )

    def _client(self, token: str) -> AsyncWebClient:
        return client(token, api_url=self._mode.api_url, session=self._session)

    async def _token(self, team: str) -> str | None:
        return await self._installs.token(team) if self._installs else None

    async def _uninstalled(self, team: str) -> None:
        """Let go of a workspace, and of its token."""
        self._workspaces.forget(team)
        self._members.forget(team)
        if self._installs:
            await self._installs.async_delete_all(enterprise_id=None, team_id=team)

    async def _installed(self, team: str) -> None:
        self._workspaces.forget(team)  # its token may be another one now
        await self._workspaces.get(team)
