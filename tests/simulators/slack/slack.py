"""The simulated Slack: what people do in it, what the app is told of it, and what the app has made of it."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from tests.simulators.slack import schemas
from tests.simulators.slack.clicking import Clicking
from tests.simulators.slack.delivering import Postman
from tests.simulators.slack.looking import Looking
from tests.simulators.slack.reading import reads
from tests.simulators.slack.state import Channel, Message, Team, User


class Slack(Clicking):
    """Serves at `api_url`; on closing, whatever the app sent that Slack would not understand fails the test."""

    def __init__(self) -> None:
        Looking.__init__(self)
        Postman.__init__(self)
        self.team = self.add_team("T1", token="xoxb-1")  # noqa: S106
        self.responses: list[tuple[str, dict[str, Any]]] = []
        self._ids = itertools.count(1)
        self._last = 0.0

    @classmethod
    @asynccontextmanager
    async def open(cls) -> AsyncIterator["Slack"]:
        """Serve on a free port of the loopback address."""
        slack = cls()
        app = web.Application(client_max_size=1 << 26)
        app.router.add_route("*", "/api/{method}", slack.serve)
        app.router.add_get("/socket", slack.socket)
        app.router.add_get("/files/{id}/{name}", slack.download)
        app.router.add_post("/upload/{id}", slack.upload)
        app.router.add_post("/respond/{id}", slack._respond)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        slack.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        slack.called = slack.changed
        try:
            yield slack
        finally:
            await slack.drop_sockets()
            await slack.close()
            await runner.cleanup()
        assert not slack.problems, slack.problems[:10]

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/"

    def new_ts(self) -> str:
        """Return the ts of something that happens now; each is later than the one before."""
        self._last = max(time.time(), self._last + 0.000_01)
        return f"{self._last:.6f}"

    def new_id(self, kind: str) -> str:
        """Return an id that nothing else has."""
        return f"{kind}{next(self._ids):05}"

    # --- who and what there is

    def add_team(self, id: str, token: str, **about: Any) -> Team:
        """Add a workspace with the app in it; in each it has a user of its own."""
        own = {"bot_user": f"U0TWIN{id}", "bot_id": f"B0TWIN{id}"} if self.teams else {}
        self.teams[id] = Team(id, token, **{**own, **about})
        self.users[self.teams[id].bot_user] = User(self.teams[id].bot_user, "twin", id, {"is_bot": True})
        return self.teams[id]

    def user(self, id: str, name: str = "", team: str = "T1", **flags: Any) -> User:
        """Add somebody, or change them."""
        self.users[id] = User(id, name or id, flags.pop("team_id", team), flags)
        return self.users[id]

    def channel(
        self, id: str, name: str = "", members: Sequence[str] = (), *, bot: bool = True, team: str = "T1", **flags: Any
    ) -> Channel:
        """Add a channel."""
        self.channels[id] = Channel(id, name or id.lower(), team, list(members), bot, flags)
        return self.channels[id]

    # --- what tests look at

    def channel_messages(self, channel: str) -> list[Message]:
        """Return what stands in a channel and its threads, oldest first."""
        return [one for _, one in sorted(self.channels[channel].messages.items()) if not one.deleted]

    def thread(self, channel: str, ts: str) -> list[Message]:
        """Return what stands in a thread, oldest first."""
        return [one for one in self.channel_messages(channel) if ts in {one.ts, one.thread_ts}]

    def shown(self, message: Message) -> str:
        """Return what people read of a message."""
        return reads(message.blocks) or message.text

    async def until(self, condition: Callable[[], Any], seconds: float = 30) -> None:
        """Wait until something holds; looked at whenever something happens."""
        async with asyncio.timeout(seconds):
            while not condition():
                self.changed.clear()
                try:
                    async with asyncio.timeout(0.1):
                        await self.changed.wait()
                except TimeoutError:
                    continue

    def expire_streams_after(self, seconds: float | None) -> None:
        """Have streams end by themselves so soon after they began."""
        self.streams_expire_after = seconds

    # --- events

    async def emit(self, event: dict[str, Any], team: str = "T1") -> str:
        """Tell the app of something; return the id of the event."""
        if problem := schemas.wrong_event(event):
            self.problems.append(problem)
        id, here = self.new_id("Ev"), self.teams[team]
        whom = {
            "enterprise_id": None,
            "team_id": team,
            "user_id": here.bot_user,
            "is_bot": True,
            "is_enterprise_install": False,
        }
        body = {"token": "t", "team_id": team, "api_app_id": here.app_id, "event": event, "type": "event_callback"}
        if here.installed:
            self.post("events_api", body | {"event_id": id, "event_time": int(time.time()), "authorizations": [whom]})
        self.changed.set()
        return id

    async def _said(self, channel: Channel, message: Message, team: Team) -> None:
        said = message.shown()
        about = {"channel": channel.id, "channel_type": channel.type, "event_ts": message.ts}
        kept = ("type", "ts", "user", "text", "thread_ts", "blocks", "bot_id")
        event = {name: said[name] for name in kept if name in said} | about | {"team": team.id}
        if message.files:  # of these Slack tells less
            del event["team"], event["bot_id"]
            event |= {"subtype": "file_share", "files": message.files}
        await self.emit(event, team.id)

    # --- answers to orders and clicks

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        self.responses.append((request.match_info["id"], await request.json()))
        self.changed.set()
        return web.Response(text="ok")
