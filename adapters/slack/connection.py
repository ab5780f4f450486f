"""The connection to Slack: what comes is kept before Slack is told so, over two sockets that are watched, or signed HTTP."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from time import monotonic, time
from typing import Any, Protocol

import structlog
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.workspace import Workspace
from adapters.slack.workspaces import NotInstalled, Workspaces

log = structlog.get_logger()

SOCKETS = 2  # one of them is there while the other is made anew, which Slack asks for every few hours
QUIET = 60.0  # seconds without a pong after which a socket is dead, whatever it says of itself
LOOK = 5.0  # seconds between two looks
LOST = 300.0  # seconds without any socket after which somebody else must help: whoever watches over the process starts it anew


class Lost(Exception):
    """Slack cannot be reached for long."""

    def __init__(self) -> None:
        super().__init__(
            f"There was no connection to Slack for {LOST / 60:.0f} minutes. Whatever watches over this process should start it "
            "again. If that does not help: is Socket Mode on, is SLACK_APP_TOKEN valid, does a proxy let wss:// through?"
        )


class Intake(Protocol):
    """Takes events in."""

    async def take(self, workspace: Workspace, body: Mapping[str, Any]) -> None:
        """Keep an event; when this returns a kill does not lose it."""


def bolt(client: AsyncWebClient, workspaces: Workspaces, intake: Intake, signing_secret: str | None) -> AsyncApp:
    """Return the app, whose events are kept before they are acknowledged.

    Only what runs before authorization sees every event, also those of what the app itself did; when it raises, Slack is told
    nothing and delivers again.
    """

    async def keep(body: dict[str, Any], next: Callable[[], Awaitable[Any]]) -> None:
        if body.get("type") == "event_callback":
            try:
                workspace = await workspaces.get(_team(body))
            except NotInstalled:
                log.info("an event of a workspace that the app is not in")
            else:
                await intake.take(workspace, body)
        await next()

    async def authorize(team_id: str | None, enterprise_id: str | None) -> Any:
        return await workspaces.authorize(team_id, enterprise_id)

    return AsyncApp(
        name="twin",
        client=client,
        signing_secret=signing_secret,
        request_verification_enabled=signing_secret is not None,
        before_authorize=keep,
        authorize=authorize,
    )


def acknowledge_the_rest(app: AsyncApp) -> None:
    """Have every event acknowledged that nothing else listens to; for after all that listens was registered."""

    @app.event(re.compile(".*"))
    async def rest() -> None:
        """Do nothing: it is kept already."""


def _team(body: Mapping[str, Any]) -> str:
    authorizations = body.get("authorizations") or [{}]
    return str(authorizations[0].get("team_id") or body.get("team_id") or "")


class Sockets:
    """Keeps sockets to Slack open; `reconnected` is awaited when there was none for a moment."""

    def __init__(self, app: AsyncApp, token: str, reconnected: Callable[[], Awaitable[None]]) -> None:
        self._app = app
        self._token = token
        self._reconnected = reconnected
        self._handlers: list[AsyncSocketModeHandler | None] = [None] * SOCKETS
        self._last_alive = monotonic()

    async def run(self) -> None:
        """Keep them open until cancelled; raises `Lost` when none can be opened for long."""
        began = False
        try:
            while True:
                gap = not await self._any_alive()
                await self._mend()
                if await self._any_alive():
                    if gap or not began:
                        log.info("connected to Slack")
                        await self._reconnected()
                    began, self._last_alive = True, monotonic()
                elif monotonic() - self._last_alive > LOST:
                    raise Lost
                await asyncio.sleep(LOOK)
        finally:
            await asyncio.shield(self.close())

    async def close(self) -> None:
        """Take nothing in any more."""
        handlers, self._handlers = self._handlers, [None] * SOCKETS
        await asyncio.gather(*(_closed(handler) for handler in handlers if handler))

    async def alive(self) -> int:
        """Return how many sockets are alive."""
        return sum([await _is_alive(handler) for handler in self._handlers])

    async def _any_alive(self) -> bool:
        return await self.alive() > 0

    async def _mend(self) -> None:
        """Open what is not open, and make anew what says it is but hears nothing."""
        for n, handler in enumerate(self._handlers):
            if await _is_alive(handler):
                continue
            if handler is not None:
                log.warning("a socket to Slack is dead and is made anew")
                self._handlers[n] = None
                await _closed(handler)
            self._handlers[n] = await self._opened()

    async def _opened(self) -> AsyncSocketModeHandler | None:
        """Open a socket; none when that is not possible now."""
        handler = AsyncSocketModeHandler(self._app, self._token)
        try:
            async with asyncio.timeout(20):
                await handler.connect_async()  # type: ignore[no-untyped-call]
        except SlackApiError as error:
            log.warning("Slack opens no socket", reason=str(error.response.get("error")))
        except Exception as error:
            log.warning("Slack cannot be reached", reason=type(error).__name__)
        except asyncio.CancelledError:
            await _closed(handler)
            raise
        else:
            return handler
        await _closed(handler)
        return None


async def _closed(handler: AsyncSocketModeHandler) -> None:
    try:
        async with asyncio.timeout(5):
            await handler.close_async()  # type: ignore[no-untyped-call]
    except Exception as error:
        log.debug("a dead socket did not close", reason=type(error).__name__)
    finally:
        await handler.client.aiohttp_client_session.close()  # one that never opened leaves it open


async def _is_alive(handler: AsyncSocketModeHandler | None) -> bool:
    """Say whether a socket is open and was heard of lately: being open alone has been seen to lie."""
    if handler is None or not await handler.client.is_connected():
        return False
    last = getattr(handler.client, "last_ping_pong_time", None)
    return last is None or time() - last < QUIET


def events(app: AsyncApp) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Return what takes in signed requests of Slack: events, commands and clicks."""

    async def handle(request: web.Request) -> web.StreamResponse:
        if not request.headers.get("X-Slack-Request-Timestamp", "").isdigit():
            return web.Response(status=401, text="This is for Slack: the signature is missing.")
        bolt_request: AsyncBoltRequest = await to_bolt_request(request)
        return await to_aiohttp_response(await app.async_dispatch(bolt_request))

    return handle
