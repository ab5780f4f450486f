"""The Web API: requests read, held against their schemas, failed on demand, and answered."""

import asyncio
import json
from collections import Counter, defaultdict, deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from tests.simulators.slack import schemas
from tests.simulators.slack.state import Refusal, Team

SCOPES_OF = {
    "chat.postMessage": {"chat:write"},
    "chat.update": {"chat:write"},
    "chat.delete": {"chat:write"},
    "chat.postEphemeral": {"chat:write"},
    "chat.startStream": {"chat:write"},
    "chat.appendStream": {"chat:write"},
    "chat.stopStream": {"chat:write"},
    "reactions.add": {"reactions:write"},
    "reactions.remove": {"reactions:write"},
    "users.info": {"users:read"},
    "users.list": {"users:read"},
    "bots.info": {"users:read"},
    "team.info": {"team:read"},
    "conversations.open": {"im:write"},
    "files.info": {"files:read"},
    "files.getUploadURLExternal": {"files:write"},
    "files.completeUploadExternal": {"files:write"},
    "assistant.threads.setStatus": {"chat:write", "assistant:write"},
    "assistant.threads.setTitle": {"assistant:write"},
    "assistant.threads.setSuggestedPrompts": {"assistant:write"},
    "agents.sessions.setStatus": {"assistant:write"},
    "agents.sessions.rename": {"assistant:write"},
}
"""Of these an app needs one; which the reading of channels needs depends on the channel."""

Method = Callable[[Team, dict[str, Any]], Awaitable[dict[str, Any]]]
_LISTS = {"blocks", "chunks", "attachments", "prompts", "loading_messages", "files"}


class Calls:
    """Answers calls of the Web API, each by the method that is registered for it."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.moments: dict[str, list[float]] = defaultdict(list)
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.problems: list[str] = []
        self.methods: dict[str, Method] = {}
        self.teams: dict[str, Team] = {}
        self.called = asyncio.Event()
        self._faults: dict[str, deque[int | str]] = {}

    def fault(self, method: str, what: int | str, times: int = 1) -> None:
        """Have the next calls of a method fail."""
        self._faults.setdefault(method, deque()).extend([what] * times)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer a request."""
        method = request.match_info["method"]
        arguments = await _arguments(request)
        self.calls[method] += 1
        self.moments[method].append(asyncio.get_running_loop().time())
        self.requests.append((method, arguments))
        if method not in self.methods or not schemas.known(method):
            self.problems.append(f"unknown method {method}")
            return _json({"ok": False, "error": "unknown_method"})
        if problem := schemas.wrong(method, arguments):
            self.problems.append(problem)
            return _json({"ok": False, "error": "invalid_arguments", "response_metadata": {"messages": [problem]}})
        fault = self._faults[method].popleft() if self._faults.get(method) else None
        if (failed := await self._failed(request, fault)) is not None:
            return failed
        answer = await self._answered(method, request, arguments)
        self.called.set()
        if fault == "timeout after":
            await asyncio.sleep(3.5)
            return self._cut(request)
        return answer

    async def _answered(self, method: str, request: web.Request, arguments: dict[str, Any]) -> web.Response:
        headers = {}
        try:
            team = self._team(method, request, arguments)
            headers = {"x-oauth-scopes": team.scopes}
            if method in SCOPES_OF:
                granted(team, *sorted(SCOPES_OF[method]))
            given = {name: value for name, value in arguments.items() if name not in {"token", "team_id"}}
            answer = {"ok": True, **await self.methods[method](team, given)}
            if problem := schemas.wrong_answer(method, answer):
                self.problems.append(problem)
            return _json(answer, headers=headers)
        except Refusal as refusal:
            return _json({"ok": False, "error": refusal.code, **refusal.more}, headers=headers)

    def _team(self, method: str, request: web.Request, arguments: Mapping[str, Any]) -> Team:
        if method == "oauth.v2.access":
            return next(iter(self.teams.values()))
        token = request.headers.get("Authorization", "").removeprefix("Bearer ") or str(arguments.get("token", ""))
        team = next((team for team in self.teams.values() if token in {team.token, team.app_token}), None)
        if team is None:
            raise Refusal("invalid_auth")
        if (token == team.app_token) != (method == "apps.connections.open"):
            raise Refusal("not_allowed_token_type")
        if not team.installed and token == team.token:
            raise Refusal("account_inactive")
        return team

    async def _failed(self, request: web.Request, fault: int | str | None) -> web.StreamResponse | None:
        match fault:
            case None | "timeout after":
                return None
            case 429:
                return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": "1"})
            case int():
                return web.Response(status=fault, text="upstream connect error")
            case "reset":
                return self._cut(request)
        return _json({"ok": False, "error": fault})

    def _cut(self, request: web.Request) -> web.Response:
        if request.transport:
            request.transport.abort()
        return web.Response(status=500)


def granted(team: Team, *scopes: str) -> None:
    """Refuse what an app may not do that has none of these scopes."""
    if not set(scopes) & set(team.scopes.split(",")):
        raise Refusal("missing_scope", needed=scopes[-1], provided=team.scopes)


async def _arguments(request: web.Request) -> dict[str, Any]:
    """Return what was sent, wherever it stands; a form and a query have texts for everything."""
    said: dict[str, Any] = {name: _typed(name, value) for name, value in request.query.items()}
    if request.content_type == "application/json" and (text := await request.text()):
        return {**said, **json.loads(text)}
    form = await request.post()
    return said | {name: _typed(name, str(value)) for name, value in form.items()}


def _typed(name: str, text: str) -> Any:
    if name in _LISTS or name in {"view", "metadata", "unfurls"}:
        return json.loads(text)
    if name in {"limit", "length"} and text.isdigit():
        return int(text)
    if name in {"inclusive", "include_all_metadata", "exclude_archived", "return_im", "include_num_members", "include_locale"}:
        return text.lower() in {"1", "true"}
    return text


def _json(body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> web.Response:
    return web.json_response(body, headers=headers)
