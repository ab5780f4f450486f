"""Every call of Discord's HTTP API, with its errors in the twin's own words; and the client that makes them."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from urllib.parse import urlsplit

import aiohttp
import discord
from discord.gateway import DiscordWebSocket
from discord.http import Route

from adapters.common.pace import Budget, Pace
from adapters.discord.mode import Mode
from bot.chat import Refused, TryLater

discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # nobody speaks here

UNKNOWN_MESSAGE = 10008
_AT_ONCE, _EACH_SECOND = 5, 36  # calls; Discord takes fifty in a second
_FREE = re.compile(r"/(?:interactions|webhooks)/")
_LONGEST_WAIT = 30.0  # seconds that the library waits by itself when Discord asks for patience


class Failed(Refused):
    """Discord will not do something; `code` is its number for why."""

    def __init__(self, error: discord.HTTPException) -> None:
        super().__init__(f"Discord refuses this: {error.text or 'no reason given'} ({error.code or error.status}).")
        self.code, self.status = error.code, error.status


class Unsure(ConnectionError):
    """Nobody knows whether Discord did what it was asked for."""


@contextmanager
def calling() -> Iterator[None]:
    """Turn what the library raises into `Failed`, `TryLater` and `Unsure`."""
    try:
        yield
    except discord.RateLimited as error:
        raise TryLater("Discord asks for patience.", error.retry_after) from error
    except discord.DiscordServerError as error:
        raise Unsure(f"Discord answered {error.status}.") from error
    except discord.HTTPException as error:
        if error.status == 429:
            raise TryLater("Discord asks for patience.", 60.0) from error
        raise Failed(error) from error
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise Unsure(f"There was no answer from Discord ({type(error).__name__}).") from error


def paced() -> aiohttp.TraceConfig:
    """Return what has the calls of clients wait, so that there are never fifty in a second; answers to interactions are free.

    The library by itself waits only once Discord has complained.
    """
    pace = Pace(call=Budget(_AT_ONCE, _EACH_SECOND * 60))

    async def wait(_session: object, _context: object, about: aiohttp.TraceRequestStartParams) -> None:
        if not _FREE.search(about.url.path):
            await pace.turn("call")

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(wait)
    return trace


def point_at(mode: Mode) -> None:
    """Have the library speak with the server that is set; it knows one for the whole process."""
    if not mode.own_server:
        return
    parts = urlsplit(mode.api_url)
    Route.BASE = mode.api_url.rstrip("/")
    scheme = "wss" if parts.scheme == "https" else "ws"
    DiscordWebSocket.DEFAULT_GATEWAY = type(DiscordWebSocket.DEFAULT_GATEWAY)(f"{scheme}://{parts.netloc}/gateway")


def quiet() -> discord.AllowedMentions:
    """Return that nobody is called by what a message says."""
    return discord.AllowedMentions.none()


@asynccontextmanager
async def open_client(mode: Mode, trace: aiohttp.TraceConfig | None = None) -> AsyncIterator[discord.Client]:
    """Log a client in that only calls; raises `discord.LoginFailure`, `Failed` and `Unsure`."""
    client = discord.Client(
        intents=discord.Intents(guilds=True),
        max_messages=None,
        allowed_mentions=quiet(),
        max_ratelimit_timeout=_LONGEST_WAIT,
        http_trace=trace or aiohttp.TraceConfig(),
        member_cache_flags=discord.MemberCacheFlags.none(),
    )
    try:
        with calling():
            await client.login(mode.token or "")
        yield client
    finally:
        await client.close()
