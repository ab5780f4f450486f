"""A workspace of Slack: whom the twin is there, and every call of the Web API with its errors in the twin's own words."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from adapters.common.pace import Pace
from adapters.slack import names
from bot.chat import Refused, TryLater

UNSURE = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"})
"""Errors after which something may have been done or not; asked again, Slack may do it."""

_LATER = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
_PAGE = 200


class Failed(Refused):
    """Slack will not do something; `code` is its word for why, `needed` the scope that is missing, if that is it."""

    def __init__(self, method: str, code: str, needed: str = "") -> None:
        super().__init__(f"Slack refuses {method}: {code}{f' (the app needs the scope {needed})' if needed else ''}.")
        self.code = code
        self.needed = needed


class Unsure(ConnectionError):
    """Nobody knows whether Slack did what it was asked for."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """A workspace with the app in it. `agent` says that the app has Slack's agent surface, which guests cannot use."""

    team: str
    bot_user: str
    bot_id: str
    app_id: str
    client: AsyncWebClient
    pace: Pace
    agent: bool = True
    url: str = ""

    @property
    def tenant(self) -> str:
        return names.tenant(self.team)

    async def call(self, method: str, /, **arguments: Any) -> Mapping[str, Any]:
        """Call a method by its name in Slack's documentation; arguments that are None are left out.

        Raises `TryLater` when Slack asks for patience, `Unsure` when it may have been done or not, and `Failed` for the rest.
        """
        return await call(self.client, method, **arguments)

    async def pages(self, method: str, key: str, /, *, limit: int = _PAGE, **arguments: Any) -> AsyncIterator[Sequence[Any]]:
        """Yield what a method lists under `key`, page by page."""
        cursor: str | None = None
        while True:
            page = await self.call(method, limit=limit, cursor=cursor, **arguments)
            yield page.get(key) or []
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return


async def call(client: AsyncWebClient, method: str, /, **arguments: Any) -> Mapping[str, Any]:
    """Call a method of the Web API; see `Workspace.call`."""
    given = {name: value for name, value in arguments.items() if value is not None}
    known = getattr(client, method.replace(".", "_"), None)
    try:
        response = await (known(**given) if known else client.api_call(method, json=given))
    except SlackApiError as error:
        raise _judged(method, error) from error
    except (aiohttp.ClientError, TimeoutError, asyncio.IncompleteReadError) as error:
        raise Unsure(f"Slack did not answer {method}.") from error
    data: Mapping[str, Any] = response.data if isinstance(response.data, dict) else {}
    return data


def _judged(method: str, error: SlackApiError) -> Exception:
    response = error.response
    if not hasattr(response, "status_code"):  # no answer that could be read
        return Unsure(f"Slack did not answer {method} with anything that can be read.")
    said = response.data if isinstance(response.data, dict) else {}
    code = str(said.get("error", ""))
    if response.status_code == 429 or code in _LATER:
        seconds = float(response.headers.get("Retry-After") or 1)
        return TryLater(f"Slack asks for patience with {method}.", seconds)
    if not code or code in UNSURE or response.status_code >= 500:
        return Unsure(f"Slack failed at {method} ({code or response.status_code}).")
    return Failed(method, code, str(said.get("needed") or "") if code == "missing_scope" else "")


def client(token: str, *, api_url: str, session: aiohttp.ClientSession, proxy: str | None = None) -> AsyncWebClient:
    """Return a client of the Web API that shares a session and asks again only where nothing can have been done."""
    return AsyncWebClient(token=token, base_url=api_url, session=session, retry_handlers=[], timeout=20, proxy=proxy)
