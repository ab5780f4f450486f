"""What is wrong with the connection to Slack, and how to mend it."""

import asyncio
import re
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from adapters.common.findings import Finding
from adapters.slack.manifest import AGENT, EVENTS, EVENTS_PATH, INSTALL_PATH, SCOPES, scopes
from adapters.slack.mode import Mode
from adapters.slack.workspace import Unsure, call, client
from bot.chat import Refused, TryLater

_NETWORK = "Check the network, the proxy (HTTPS_PROXY) and SLACK_API_URL."
_INVITE = "Write /invite @twin in a channel."
_TARGET = "Name a channel that it is in (/invite @twin brings it in), or a user by their id."
_APPS = "https://api.slack.com/apps"
_CHANNELS = "public_channel,private_channel"
_TEXT = "`twin doctor` tries whether Slack delivers what is said here. This message goes again by itself."


async def examine(mode: Mode, tokens: Sequence[str]) -> list[Finding]:
    """Try everything that can be tried without a trace in Slack; `tokens` are those of the bot, one a workspace."""
    async with aiohttp.ClientSession() as session:
        found = [each for token in tokens for each in await _workspace(_client(mode, token, session))]
        if not tokens:
            found.append(
                Finding("slack", False, "installed nowhere yet", f"Open {mode.public_url}{INSTALL_PATH}.", needed=False)
            )
        return [*found, await _delivery(mode, session)]


async def _workspace(api: AsyncWebClient) -> list[Finding]:
    token = await _tried("slack", _who(api), f"Copy the Bot User OAuth Token anew: {_APPS} › OAuth & Permissions.")
    return [token, await _scopes(api), await _channels(api)] if token.ok else [token]


async def _who(api: AsyncWebClient) -> str:
    me = await call(api, "auth.test")
    return f"it is @{me.get('user', 'twin')} in {me.get('team') or 'the workspace'} ({me['team_id']})"


async def _scopes(api: AsyncWebClient) -> Finding:
    said = (await api.auth_test()).headers.get("x-oauth-scopes", "")
    granted = {scope.strip() for scope in said.split(",")}
    missing = [scope for scope in scopes(guests=AGENT not in granted) if scope not in granted]
    if missing:
        return Finding(
            "slack scopes",
            False,
            "; ".join(f"{scope} is missing: {SCOPES[scope]}" for scope in missing),
            f"Paste `twin manifest slack` over the app's manifest ({_APPS} › App Manifest), then install the app again.",
        )
    return Finding(
        "slack scopes", True, "all granted" if AGENT in granted else "all granted, as the version for guests needs them"
    )


async def _channels(api: AsyncWebClient) -> Finding:
    try:
        count = len(await _conversations(api))
    except (Refused, TryLater, Unsure) as error:
        return Finding("slack channels", False, str(error), needed=False)
    if not count:
        return Finding("slack channels", False, "it is in no channel: nobody can ask it in one", _INVITE, needed=False)
    return Finding("slack channels", True, f"it is in {count}", needed=False)


async def _delivery(mode: Mode, session: aiohttp.ClientSession) -> Finding:
    if not mode.socket:
        where = f"{mode.public_url or 'the address of the twin'}{EVENTS_PATH}"
        said = f"signed, over HTTP; whether Slack reaches {where} cannot be tried from here"
        return Finding(
            "slack events", True, said, f"{_APPS} › Event Subscriptions must say “Verified” beside it.", needed=False
        )
    fix = f"Make an app-level token with connections:write ({_APPS} › Basic Information), and switch Socket Mode on."
    return await _tried("slack events", _connection(mode, session), fix)


async def _connection(mode: Mode, session: aiohttp.ClientSession) -> str:
    await _socket_url(mode, session)
    return "Socket Mode, Slack opens a connection"


async def _socket_url(mode: Mode, session: aiohttp.ClientSession) -> str:
    opened = await call(_client(mode, None, session), "apps.connections.open", app_token=mode.app_token)
    return str(opened["url"])


async def _tried(name: str, trial: Awaitable[str], fix: str) -> Finding:
    try:
        return Finding(name, True, await trial)
    except Unsure as error:
        return Finding(name, False, str(error), _NETWORK)
    except TryLater as error:
        return Finding(name, False, str(error), "Try again in a minute.")
    except Refused as error:
        return Finding(name, False, str(error), fix)


async def _conversations(api: AsyncWebClient) -> list[Mapping[str, Any]]:
    """Return the channels that the bot is in, a thousand at most."""
    page = await call(api, "users.conversations", types=_CHANNELS, exclude_archived=True, limit=999)
    return list(page.get("channels") or ())


def _client(mode: Mode, token: str | None, session: aiohttp.ClientSession) -> AsyncWebClient:
    return client(token or "", api_url=mode.api_url, session=session)


# --- whether what is said arrives


async def post(mode: Mode, target: str, *, patience: float = 15) -> Finding:
    """Post a message to a channel (id or name) or a user (id), wait until Slack delivers it here, and delete it."""
    name = "slack delivery"
    if not mode.socket or not mode.bot_token:
        said = "can be tried over Socket Mode in one workspace alone: otherwise only the running twin hears what Slack delivers"
        return Finding(name, False, said, "Mention the running twin in a channel.", needed=False)
    async with aiohttp.ClientSession() as session:
        api = _client(mode, mode.bot_token, session)
        try:
            channel = await _find(api, target)
            others, heard = await _echo(mode, api, session, channel=channel, patience=patience)
            event = "" if heard else await _subscription(api, channel)
        except Refused as error:
            return Finding(name, False, str(error), _TARGET)
        except (TryLater, Unsure, aiohttp.ClientError, TimeoutError) as error:
            return Finding(name, False, str(error) or "Slack opens no connection.", _NETWORK)
    if heard:
        return Finding(name, True, "a message that was posted came back, and was deleted")
    said = f"Slack did not deliver a message that was posted, for {patience:.0f} seconds; it was deleted"
    fix = f"Subscribe the app to the bot event {event}, with the scope {EVENTS[event]} ({_APPS} › Event Subscriptions)."
    if others:
        fix += f" Or another process with the same SLACK_APP_TOKEN got it (Slack counts {others} other connections): stop that."
    return Finding(name, False, said, fix)


async def _find(api: AsyncWebClient, target: str) -> str:
    if re.fullmatch(r"[UW][A-Z0-9]+", target):
        return str((await call(api, "conversations.open", users=target))["channel"]["id"])
    if re.fullmatch(r"[CDG][A-Z0-9]+", target):
        return target
    named = [str(one["id"]) for one in await _conversations(api) if one.get("name") == target.removeprefix("#")]
    if not named:
        raise Refused(f"The twin is in no channel that is called {target}.")
    return named[0]


async def _echo(
    mode: Mode, api: AsyncWebClient, session: aiohttp.ClientSession, *, channel: str, patience: float
) -> tuple[int, bool]:
    """Return how many other connections there are, and whether a message came back."""
    url = await _socket_url(mode, session)
    async with session.ws_connect(url, proxy=api.proxy) as socket:
        hello = await socket.receive_json(timeout=10)
        ts = str((await call(api, "chat.postMessage", channel=channel, text=_TEXT))["ts"])
        try:
            heard = await _heard(socket, channel, ts, patience)
        finally:
            await call(api, "chat.delete", channel=channel, ts=ts)
        return max(0, int(hello.get("num_connections") or 1) - 1), heard


async def _heard(socket: aiohttp.ClientWebSocketResponse, channel: str, ts: str, patience: float) -> bool:
    # What people say meanwhile is not acknowledged: Slack delivers it again, to the twin.
    try:
        async with asyncio.timeout(patience):
            async for message in socket:
                envelope = message.json()
                event = (envelope.get("payload") or {}).get("event") or {}
                if (event.get("type"), event.get("channel"), event.get("ts")) == ("message", channel, ts):
                    await socket.send_json({"envelope_id": envelope["envelope_id"]})
                    return True
    except TimeoutError:
        pass
    return False


async def _subscription(api: AsyncWebClient, channel: str) -> str:
    """Return the event that messages of a channel come by."""
    info = (await call(api, "conversations.info", channel=channel))["channel"]
    if info.get("is_im"):
        return "message.im"
    if info.get("is_mpim"):
        return "message.mpim"
    return "message.groups" if info.get("is_private") else "message.channels"
