"""The HTTP API of the simulated Discord: what it takes, what it refuses, and how it fails on demand."""

import asyncio
import json
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from time import monotonic, time
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from aiohttp import web

from tests.simulators.discord.schemas import check_request
from tests.simulators.discord.state import DIRECT, EPHEMERAL, Channel, Json, Message, row_of, snowflake

if TYPE_CHECKING:
    from tests.simulators.discord.discord import Discord

Answer = tuple[int, Any]
_EDITABLE = ("content", "components")


class Rejected(Exception):
    """What Discord refuses, with its status and its code."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.body = status, {"message": message, "code": code}


class Rest:
    """Takes the calls; `faults` are taken one at a time by the calls of their kind.

    A fault is a status to answer with, `"slow"`, `"timeout after"` to do what is asked and not answer, or `"reset"`.
    """

    def __init__(self, discord: "Discord") -> None:
        self._ = discord
        self.faults: dict[str, deque[int | str]] = {}
        self.calls: Counter[str] = Counter()
        self.moments: list[float] = []
        self.invalid = 0
        self.errors: list[str] = []
        self.edits_at_once: int | None = None
        """Edits and posts that a channel takes in `window` seconds, which its answers then tell of."""
        self.window = 5.0
        self._spent: dict[tuple[str, str], deque[float]] = {}
        self._handlers: list[tuple[str, str, str, Callable[..., Awaitable[Answer]]]] = [
            ("GET", "/users/@me", "me", self._me),
            ("GET", "/oauth2/applications/@me", "application", self._application),
            ("GET", "/applications/@me", "application", self._application),
            ("GET", "/gateway/bot", "gateway", self._gateway),
            ("POST", "/users/@me/channels", "direct", self._direct),
            ("GET", "/users/@me/guilds", "guilds", self._guilds),
            ("GET", "/guilds/{guild}", "guild", self._guild),
            ("GET", "/guilds/{guild}/channels", "channels", self._channels),
            ("GET", "/guilds/{guild}/members/{user}", "member", self._member),
            ("GET", "/channels/{channel}", "channel", self._channel),
            ("GET", "/channels/{channel}/messages", "history", self._history),
            ("POST", "/channels/{channel}/messages", "post", self._post),
            ("GET", "/channels/{channel}/messages/{message}", "message", self._message),
            ("PATCH", "/channels/{channel}/messages/{message}", "edit", self._edit),
            ("DELETE", "/channels/{channel}/messages/{message}", "delete", self._delete),
            ("PUT", "/channels/{channel}/messages/{message}/reactions/{emoji}/@me", "react", self._react),
            ("DELETE", "/channels/{channel}/messages/{message}/reactions/{emoji}/@me", "unreact", self._unreact),
            ("GET", "/applications/{application}/commands", "commands", self._commands),
            ("PUT", "/applications/{application}/commands", "sync", self._sync),
            ("POST", "/interactions/{interaction}/{token}/callback", "callback", self._callback),
            ("PATCH", "/webhooks/{application}/{token}/messages/@original", "respond", self._respond),
            ("POST", "/webhooks/{application}/{token}", "followup", self._followup),
        ]

    def routes(self, base: str) -> list[web.RouteDef]:
        """Return what is served, and that nothing else is known."""
        made = [
            web.route(method, f"{base}{path}", self._taker(kind, handler)) for method, path, kind, handler in self._handlers
        ]
        return [*made, web.route("*", f"{base}/{{rest:.*}}", self._unknown)]

    async def _unknown(self, request: web.Request) -> web.Response:
        self.errors.append(f"{request.method} {request.path} is not simulated")
        return _json({"message": "404: Not Found", "code": 0}, 404)

    def _taker(
        self, kind: str, handler: Callable[..., Awaitable[Answer]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def take(request: web.Request) -> web.StreamResponse:
            self.calls[kind] += 1
            self.moments.append(monotonic())
            fault = self.faults[kind].popleft() if self.faults.get(kind) else None
            if isinstance(fault, int):
                return self._failed(fault)
            if fault == "reset":
                assert request.transport
                request.transport.abort()
                return web.Response(status=500)
            if fault == "slow":  # it has come, and is done later
                await request.read()
                await asyncio.sleep(0.4)
            if limited := self._limited(kind, request):
                return limited
            response = await self._taken(request, handler)
            response.headers.update(self._left(kind, request))
            if fault == "timeout after":
                await asyncio.sleep(0.05)
                assert request.transport
                request.transport.abort()
            await self._.changed()
            return response

        return take

    async def _taken(self, request: web.Request, handler: Callable[..., Awaitable[Answer]]) -> web.Response:
        about = {name: unquote(value) for name, value in request.match_info.items()}
        if "token" not in about and request.headers.get("Authorization") != f"Bot {self._.token}":
            self.invalid += 1
            return _json({"message": "401: Unauthorized", "code": 0}, 401)
        body = await _body(request)
        try:
            check_request(request.method, request.path.removeprefix("/api/v10"), body)
            status, told = await handler(request, body, **about)
        except Rejected as error:
            self.invalid += error.status in {401, 403, 429}
            return _json(error.body, error.status)
        except Exception as error:
            self.errors.append(f"{request.method} {request.path}: {str(error)[:800]}")
            return _json({"message": "Invalid Form Body", "code": 50035, "errors": {}}, 400)
        return web.Response(status=204) if told is None else _json(told, status)

    def _failed(self, status: int) -> web.Response:
        self.invalid += status in {401, 403, 429}
        if status == 429:
            told = {"message": "You are being rate limited.", "retry_after": 0.3, "global": False}
            return _json(told, 429, {"Via": "1.1 google", "Retry-After": "1", "X-RateLimit-Reset-After": "0.3"})
        return _json({"message": "Internal", "code": 0}, status)

    def _limited(self, kind: str, request: web.Request) -> web.Response | None:
        if self.edits_at_once is None or kind not in {"post", "edit"}:
            return None
        spent = self._spent.setdefault((kind, request.match_info["channel"]), deque())
        now = time()
        while spent and spent[0] < now - self.window:
            spent.popleft()
        if len(spent) >= self.edits_at_once:
            return self._failed(429)
        spent.append(now)
        return None

    def _left(self, kind: str, request: web.Request) -> dict[str, str]:
        """Return what an answer tells of the limit."""
        if self.edits_at_once is None or kind not in {"post", "edit"}:
            return {}
        spent = self._spent[kind, request.match_info["channel"]]
        after = max(0.0, spent[0] + self.window - time())
        return {
            "X-RateLimit-Limit": str(self.edits_at_once),
            "X-RateLimit-Remaining": str(self.edits_at_once - len(spent)),
            "X-RateLimit-Reset": f"{time() + after:.3f}",
            "X-RateLimit-Reset-After": f"{after:.3f}",
            "X-RateLimit-Bucket": kind,
        }

    # --- people

    async def _me(self, _request: web.Request, _body: Any) -> Answer:
        return 200, self._.bot.json() | {"verified": True, "mfa_enabled": False, "flags": 0, "email": None}

    async def _application(self, _request: web.Request, _body: Any) -> Answer:
        owner = next(iter(self._.users.values())).json()
        flags = 1 << 19 if self._.content_allowed else 0
        about: Json = {"name": "Twin", "icon": None, "description": "", "bot_public": True, "bot_require_code_grant": False}
        about |= {"verify_key": "0" * 64, "flags": flags, "summary": "", "owner": owner, "team": None}
        return 200, {"id": str(self._.application), **about}

    async def _gateway(self, _request: web.Request, _body: Any) -> Answer:
        limit = {"total": 1000, "remaining": 999, "reset_after": 14_400_000, "max_concurrency": 1}
        return 200, {
            "url": f"{self._.url.replace('http', 'ws')}/gateway",
            "shards": self._.shards,
            "session_start_limit": limit,
        }

    async def _direct(self, _request: web.Request, body: Json) -> Answer:
        user = int(body["recipient_id"])
        if user not in self._.users:
            raise Rejected(400, 50033, "Invalid Recipient(s)")
        channel = self._.direct(user)
        return 200, channel.json() | {"recipients": [self._.users[user].json()]}

    async def _guilds(self, request: web.Request, _body: Any) -> Answer:
        after = int(request.query.get("after", 0))
        about: Json = {"icon": None, "banner": None, "owner": False, "permissions": "0", "features": []}
        return 200, [{"id": str(one.id), "name": one.name, **about} for one in self._.guilds.values() if one.id > after]

    async def _guild(self, _request: web.Request, _body: Any, *, guild: str) -> Answer:
        return 200, self._.whole(self._.guilds[int(guild)])

    async def _channels(self, _request: web.Request, _body: Any, *, guild: str) -> Answer:
        return 200, [one.json() for one in self._.channels.values() if one.guild == int(guild) and not one.is_thread]

    async def _member(self, _request: web.Request, _body: Any, *, guild: str, user: str) -> Answer:
        there = self._.guilds.get(int(guild))
        if there is None:
            raise Rejected(403, 50001, "Missing Access")
        if int(user) not in there.members:
            raise Rejected(404, 10007, "Unknown Member")
        return 200, self._.member(there, int(user)) | {"user": self._.users[int(user)].json()}

    # --- messages

    def _seen(self, channel: str) -> Channel:
        found = self._.channels.get(int(channel))
        if found is None:
            raise Rejected(404, 10003, "Unknown Channel")
        if int(channel) in self._.closed:
            raise Rejected(403, 50001, "Missing Access")
        return found

    def _found(self, channel: str, message: str) -> Message:
        found = self._seen(channel).messages.get(int(message))
        if found is None or found.deleted or found.only_for:
            raise Rejected(404, 10008, "Unknown Message")
        return found

    async def _channel(self, _request: web.Request, _body: Any, *, channel: str) -> Answer:
        return 200, self._seen(channel).json()

    async def _history(self, request: web.Request, _body: Any, *, channel: str) -> Answer:
        limit, after, before = int(request.query.get("limit", 50)), request.query.get("after"), request.query.get("before")
        there = sorted(one.id for one in self._seen(channel).messages.values() if not one.deleted and not one.only_for)
        if after:
            there = [id for id in there if id > int(after)][:limit]
        elif before:
            there = [id for id in there if id < int(before)][-limit:]
        else:
            there = there[-limit:]
        return 200, [self._.told(self._seen(channel).messages[id]) for id in reversed(there)]

    async def _message(self, _request: web.Request, _body: Any, *, channel: str, message: str) -> Answer:
        return 200, self._.told(self._found(channel, message))

    async def _post(self, _request: web.Request, body: Json, *, channel: str) -> Answer:
        there = self._seen(channel)
        nonce = str(body["nonce"]) if body.get("nonce") is not None else None
        there_is = (one for one in there.messages.values() if one.nonce == nonce and one.author is self._.bot)
        if nonce and body.get("enforce_nonce") and (same := next(there_is, None)):
            return 200, same.json()
        _check(body, new=True)
        reference = body.get("message_reference") or {}
        to = int(reference["message_id"]) if reference else None
        if to is not None and (to not in there.messages or there.messages[to].deleted):
            if reference.get("fail_if_not_exists", True):
                raise Rejected(400, 50035, "Unknown message")
            to = None
        made = self._.posted(there, self._.bot, body.get("content") or "", reference=to, nonce=nonce)
        made.components, made.flags = row_of(body.get("components") or ()), body.get("flags") or 0
        await self._.gateway.dispatch("MESSAGE_CREATE", self._.teller(made))
        return 200, made.json()

    async def _edit(self, _request: web.Request, body: Json, *, channel: str, message: str) -> Answer:
        one = self._found(channel, message)
        if one.author is not self._.bot:
            raise Rejected(403, 50005, "Cannot edit a message authored by another user")
        _check(body)
        _change(one, body)
        await self._.gateway.dispatch("MESSAGE_UPDATE", self._.teller(one))
        return 200, one.json()

    async def _delete(self, _request: web.Request, _body: Any, *, channel: str, message: str) -> Answer:
        one = self._found(channel, message)
        if one.author is not self._.bot:
            raise Rejected(403, 50003, "Cannot execute action on this channel type")
        await self._.delete(one)
        return 204, None

    async def _react(self, _request: web.Request, _body: Any, *, channel: str, message: str, emoji: str) -> Answer:
        self._found(channel, message).reactions.setdefault(emoji, set()).add(self._.bot.id)
        return 204, None

    async def _unreact(self, _request: web.Request, _body: Any, *, channel: str, message: str, emoji: str) -> Answer:
        there = self._found(channel, message).reactions
        there.get(emoji, set()).discard(self._.bot.id)
        if not there.get(emoji):
            there.pop(emoji, None)
        return 204, None

    # --- commands

    async def _commands(self, _request: web.Request, _body: Any, *, application: str) -> Answer:
        return 200, self._.commands

    async def _sync(self, _request: web.Request, body: list[Json], *, application: str) -> Answer:
        own = {"application_id": application, "version": "1", "default_member_permissions": None, "nsfw": False}
        self._.commands = [{"id": str(snowflake()), "description": "", **own, **one} for one in body]
        return 200, self._.commands

    async def _callback(self, request: web.Request, body: Json, *, interaction: str, token: str) -> Answer:
        one = self._.interactions.get(token)
        if one is None or monotonic() - one.made > self._.patience:
            raise Rejected(404, 10062, "Unknown interaction")
        if one.acknowledged:
            raise Rejected(400, 40060, "Interaction has already been acknowledged.")
        one.acknowledged, one.kind = True, body["type"]
        one.choices = (body.get("data") or {}).get("choices")
        if body["type"] == 5:
            one.reply = self._.posted(one.channel, self._.bot, "", only_for=one.user)
            one.reply.flags = (body.get("data") or {}).get("flags") or 0
        told: Json = {"id": interaction, "type": 2, "response_message_loading": True, "response_message_ephemeral": True}
        return 200, {"interaction": told}

    async def _respond(self, _request: web.Request, body: Json, *, application: str, token: str) -> Answer:
        one = self._.interactions.get(token)
        if one is None or one.reply is None or one.expired:
            raise Rejected(404, 10015, "Unknown Webhook")
        _check(body)
        _change(one.reply, body)
        one.answered = True
        return 200, one.reply.json()

    async def _followup(self, _request: web.Request, body: Json, *, application: str, token: str) -> Answer:
        one = self._.interactions.get(token)
        if one is None or one.expired or not one.acknowledged:
            raise Rejected(404, 10015, "Unknown Webhook")
        _check(body, new=True)
        made = self._.posted(one.channel, self._.bot, body.get("content") or "", only_for=one.user)
        made.components, made.flags = row_of(body.get("components") or ()), EPHEMERAL
        return 200, made.json()


def _check(body: Json, *, new: bool = False) -> None:
    """Refuse what Discord refuses, and what its library does not look at."""
    content = body.get("content")
    if content is not None and len(content) > 2000:
        raise Rejected(400, 50035, "Invalid Form Body: Must be 2000 or fewer in length.")
    if (new or content is not None) and not (content or "").strip() and not body.get("components"):
        raise Rejected(400, 50006, "Cannot send an empty message")
    if (body.get("allowed_mentions") or {}).get("parse") != [] and content is not None:
        raise AssertionError("a message may call somebody")
    seen = set[str]()
    for row in body.get("components") or ():
        if not 1 <= len(row["components"]) <= 5:
            raise Rejected(400, 50035, "A row takes one to five buttons.")
        for one in row["components"]:
            if not 1 <= len(one["custom_id"]) <= 100 or one["custom_id"] in seen:
                raise Rejected(400, 50035, "Component custom id is too long or duplicated.")
            seen.add(one["custom_id"])
            if not (one.get("label") or one.get("emoji")) or len(one.get("label") or "") > 80:
                raise Rejected(400, 50035, "A button must have a label or an emoji.")


def _change(one: Message, body: Json) -> None:
    if body.get("content") is not None:
        one.history.append(one.content)
        one.content = body["content"]
    if "components" in body:
        one.components = row_of(body["components"] or ())


async def _body(request: web.Request) -> Any:
    if request.content_type == "multipart/form-data":
        form = await request.post()
        return json.loads(str(form["payload_json"]))
    text = await request.text()
    return json.loads(text) if text else None


def _json(told: object, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(
        body=json.dumps(told).encode(), status=status, headers={"Content-Type": "application/json", **(headers or {})}
    )


__all__ = ["DIRECT", "Rejected", "Rest"]
