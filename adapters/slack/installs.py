"""Workspaces that install the app by themselves: what is kept of them, and the pages that lead there and back."""

import html
import logging
import secrets
from collections.abc import Awaitable, Callable, Sequence
from time import time
from typing import Any

import structlog
from aiohttp import ClientError, web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.error import BoltError
from slack_bolt.oauth.async_callback_options import AsyncCallbackOptions, AsyncFailureArgs, AsyncSuccessArgs
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_bolt.response import BoltResponse
from slack_sdk.oauth.installation_store import Installation
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore
from slack_sdk.oauth.state_store.async_state_store import AsyncOAuthStateStore
from slack_sdk.web.async_client import AsyncWebClient

from adapters.common.handed import Vault
from adapters.slack.manifest import INSTALL_PATH, REDIRECT_PATH, scopes
from adapters.slack.mode import Mode

log = structlog.get_logger()

STATE_SECONDS = 600
_STATES = 1_000  # installations that can be under way; whoever begins more of them ends the oldest
_INSTALL, _STATE = "slack/install/", "slack/state/"

_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",  # the address of this page holds the code of the installation
}
_FAILURES = {
    "access_denied": "The installation was cancelled. Nothing was changed.",
    "invalid_browser": "This installation was begun in another browser, or cookies are blocked. Begin it again in this one.",
    "invalid_state": "This installation took longer than ten minutes, or was finished already. Begin it again.",
    "missing_code": "Slack sent nothing to finish the installation with. Begin it again.",
    "invalid_code": "Slack did not accept the installation: it was finished already, or SLACK_CLIENT_SECRET is wrong.",
    "unreachable": "Slack cannot be reached right now. Begin the installation again in a few minutes.",
}
_UNKNOWN = "The installation failed. Whoever runs the twin finds the reason in its log."


class NotSupported(BoltError):
    """An installation of a kind that the twin cannot work with; the text says why, and what to do."""


class Installs(AsyncInstallationStore):
    """Keeps the tokens of the workspaces that installed the app, encrypted."""

    def __init__(self, vault: Vault, allowed: Sequence[str] = ()) -> None:
        """Workspaces that are not `allowed` (by id; `*` is any) give nothing that is kept."""
        self._vault = vault
        self._allowed = allowed

    async def async_save(self, installation: Installation) -> None:
        """Keep what a workspace gave; raises `NotSupported`."""
        if installation.is_enterprise_install or not installation.team_id:
            raise NotSupported("Twin is installed in single workspaces, not in a whole organisation. Choose one in Slack.")
        if not {"*", installation.team_id} & set(self._allowed):
            log.warning("a workspace that may not install the app tried to", team=installation.team_id)
            raise NotSupported("This workspace may not install Twin. Whoever runs it allows workspaces (SLACK_TEAMS).")
        if installation.bot_refresh_token:
            raise NotSupported("The app's tokens expire, since token rotation is on. Make the app anew from its manifest.")
        if not installation.bot_token:
            raise NotSupported("Slack gave no bot token. Make the app anew from its manifest.")
        await self._vault.put(f"{_INSTALL}{installation.team_id}", {"bot_token": installation.bot_token})

    async def async_delete_all(self, *, enterprise_id: str | None, team_id: str | None) -> None:
        """Let go of what a workspace gave."""
        await self._vault.delete(f"{_INSTALL}{team_id}")

    async def token(self, team: str) -> str | None:
        """Return the bot token of a workspace, if the app is installed there."""
        kept = await self._vault.get(f"{_INSTALL}{team}")
        return None if kept is None else str(kept["bot_token"])

    async def teams(self) -> list[str]:
        """Return the workspaces that the app is installed in."""
        return [name.removeprefix(_INSTALL) for name in await self._vault.names(_INSTALL)]


class States(AsyncOAuthStateStore):
    """Remembers which installations were begun here; each can be finished once, within ten minutes."""

    def __init__(self, vault: Vault, clock: Callable[[], float] = time) -> None:
        self._vault = vault
        self._clock = clock

    async def async_issue(self, *args: Any, **kwargs: Any) -> str:
        """Return the mark of an installation that begins."""
        begun = await self._vault.names(_STATE)
        for name in {*begun[: 1 - _STATES], *(name for name in begun if self._expired(name))}:
            await self._vault.delete(name)
        state = f"{int(self._clock()) + STATE_SECONDS}.{secrets.token_urlsafe(24)}"
        await self._vault.put(f"{_STATE}{state}", {})
        return state

    async def async_consume(self, state: str) -> bool:
        """Say whether an installation was begun here and may be finished, which it may once."""
        name = f"{_STATE}{state}"
        return await self._vault.delete(name) and not self._expired(name)

    def _expired(self, name: str) -> bool:
        return int(name.removeprefix(_STATE).partition(".")[0]) < self._clock()


Installed = Callable[[str], Awaitable[object]]
"""Told the id of a workspace that has just installed the app, perhaps again, before its people read that it worked."""


def routes(mode: Mode, vault: Vault, client: AsyncWebClient, installed: Installed) -> list[web.RouteDef]:
    """Return the pages that begin and finish an installation."""
    flow = _flow(mode, vault, client, installed)

    async def install(request: web.Request) -> web.StreamResponse:
        return await to_aiohttp_response(await flow.handle_installation(await to_bolt_request(request)))

    async def redirect(request: web.Request) -> web.StreamResponse:
        try:
            return await to_aiohttp_response(await flow.handle_callback(await to_bolt_request(request)))
        except (ClientError, TimeoutError) as error:
            log.warning("Slack cannot be reached", reason=type(error).__name__)
            return await to_aiohttp_response(_page(502, _FAILURES["unreachable"]))

    return [web.get(INSTALL_PATH, install), web.get(REDIRECT_PATH, redirect)]


def _flow(mode: Mode, vault: Vault, client: AsyncWebClient, installed: Installed) -> AsyncOAuthFlow:
    quiet = logging.getLogger(f"{__name__}.bolt")
    quiet.disabled = True  # it would log codes; what fails is logged below

    async def succeeded(args: AsyncSuccessArgs) -> BoltResponse:
        team = args.installation.team_id or ""
        log.info("a workspace has installed the app", team=team)
        await installed(team)
        cookie = args.settings.state_utils.build_set_cookie_for_deletion()
        return _page(
            200, f"Twin is installed in {args.installation.team_name or team}. Invite it to a channel and ask.", cookie
        )

    async def failed(args: AsyncFailureArgs) -> BoltResponse:
        reason = args.reason if args.reason in _FAILURES else "unknown"  # it may stand in the address, so be anything
        log.warning("an installation failed", reason=type(args.error).__name__ if args.error else reason)
        said = str(args.error) if isinstance(args.error, NotSupported) else _FAILURES.get(reason, _UNKNOWN)
        return _page(args.suggested_status_code, said, args.settings.state_utils.build_set_cookie_for_deletion())

    settings = AsyncOAuthSettings(
        client_id=mode.client_id,
        client_secret=mode.client_secret,
        scopes=scopes(),
        user_scopes=[],
        redirect_uri=f"{mode.public_url}{REDIRECT_PATH}",
        install_page_rendering_enabled=False,
        callback_options=AsyncCallbackOptions(success=succeeded, failure=failed),
        installation_store=Installs(vault, mode.teams),
        state_store=States(vault),
        state_expiration_seconds=STATE_SECONDS,
        logger=quiet,
    )
    return AsyncOAuthFlow(client=client, logger=quiet, settings=settings)


def _page(status: int, text: str, cookie: str = "") -> BoltResponse:
    body = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Twin</title>'
        '<body style="font: 18px/1.5 sans-serif; max-width: 36em; margin: 4em auto; padding: 0 1em">'
        f"<h1>Twin</h1><p>{html.escape(text)}</p></body></html>"
    )
    return BoltResponse(status=status, body=body, headers={**_HEADERS, **({"Set-Cookie": cookie} if cookie else {})})
