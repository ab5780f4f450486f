"""How events reach the app: over its sockets, or signed to its address, again until they are acknowledged."""

import asyncio
import hashlib
import hmac
import itertools
import json
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import WSMsgType, web

from tests.simulators.slack.state import Delivery

PATIENCE = 3.0  # seconds that an app has to acknowledge
RETRIES = (0.1, 1.0, 3.0)  # seconds; of the real one 0, 60 and 300


class Postman:
    """Delivers, and remembers how long acknowledgements took."""

    def __init__(self) -> None:
        self.delivery = Delivery()
        self.transport = "socket"
        self.request_url = ""
        self.signing_secret = "sec"  # noqa: S105
        self.sockets: list[web.WebSocketResponse] = []
        self.sent: dict[str, dict[str, Any]] = {}  # by event id
        self._silent: set[web.WebSocketResponse] = set()
        self.acks: dict[str, float] = {}
        self.unanswered: list[str] = []  # what people did that the app did not acknowledge in time
        self.changed = asyncio.Event()
        self._waiting: dict[str, asyncio.Future[Mapping[str, Any]]] = {}
        self._numbers = itertools.count(1)
        self._turn = itertools.count()
        self._held: deque[tuple[str, dict[str, Any]]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._connected = asyncio.Event()

    def post(self, kind: str, payload: dict[str, Any]) -> None:
        """Deliver something, as often and in the order that is set."""
        if kind == "events_api":
            self.sent[payload["event_id"]] = payload
        if self.delivery.lost:
            return
        if self.delivery.reorder and kind == "events_api":
            self._held.append((kind, payload))
            if len(self._held) == 1:
                self._spawn(self._out_of_order())
            return
        for _ in range(1 + (self.delivery.duplicates if kind == "events_api" else 0)):
            self._spawn(self._deliver(kind, payload, replace(self.delivery)))

    async def answer(self, kind: str, payload: dict[str, Any]) -> Mapping[str, Any]:
        """Deliver an interaction, and return what the app answers with."""
        answer = await self._send(kind, payload, 0, self.delivery)
        if answer is None:
            self.unanswered.append(str(payload.get("type") or kind))
        return answer or {}

    def redeliver(self, event_id: str, times: int = 1) -> None:
        """Deliver an event again, acknowledged or not."""
        for _ in range(times):
            self._spawn(self._deliver("events_api", self.sent[event_id], replace(self.delivery)))

    async def close(self) -> None:
        """Deliver nothing any more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _out_of_order(self) -> None:
        await asyncio.sleep(0.05)
        held, self._held = list(self._held)[::-1], deque()
        for kind, payload in held:
            for _ in range(1 + self.delivery.duplicates):
                self._spawn(self._deliver(kind, payload, replace(self.delivery)))

    async def _deliver(self, kind: str, payload: dict[str, Any], how: Delivery) -> None:
        for attempt, pause in enumerate((*RETRIES, None)):
            if await self._send(kind, payload, attempt, how) is not None or pause is None:
                return
            await asyncio.sleep(pause)

    async def _send(self, kind: str, payload: dict[str, Any], attempt: int, how: Delivery) -> Mapping[str, Any] | None:
        """Send once; return what came with the acknowledgement, none when there was none."""
        began = time.perf_counter()
        try:
            async with asyncio.timeout(PATIENCE if attempt or self.sockets or self.transport == "http" else 60):
                answer = await (
                    self._signed(payload, attempt, how) if self.transport == "http" else self._over(kind, payload, attempt)
                )
        except (TimeoutError, aiohttp.ClientError, ConnectionError):
            return None
        if answer is not None and (event := payload.get("event_id")):
            self.acks.setdefault(str(event), time.perf_counter() - began)
            self.changed.set()
        return answer

    async def _over(self, kind: str, payload: dict[str, Any], attempt: int) -> Mapping[str, Any] | None:
        while not self.sockets:
            self._connected.clear()
            await self._connected.wait()
        socket = self.sockets[next(self._turn) % len(self.sockets)]
        envelope = f"e{next(self._numbers)}"
        told = {"type": kind, "envelope_id": envelope, "payload": payload, "accepts_response_payload": kind != "events_api"}
        if kind == "events_api":
            told |= {"retry_attempt": attempt, "retry_reason": "timeout" if attempt else ""}
        acknowledged: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[envelope] = acknowledged
        try:
            if socket not in self._silent:
                await socket.send_json(told)
            return await acknowledged
        finally:
            del self._waiting[envelope]

    async def _signed(self, payload: dict[str, Any], attempt: int, how: Delivery) -> Mapping[str, Any] | None:
        form = payload.get("type") != "event_callback" and "event" not in payload
        body = urlencode(payload if "command" in payload else {"payload": json.dumps(payload)}) if form else json.dumps(payload)
        secret = "another" if how.bad_signature else self.signing_secret
        headers = signed(body, secret, int(time.time()) - how.seconds_old) | {
            "Content-Type": "application/x-www-form-urlencoded" if form else "application/json"
        }
        if attempt:
            headers |= {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": "http_timeout"}
        async with aiohttp.ClientSession() as session, session.post(self.request_url, data=body, headers=headers) as response:
            text = await response.text()
            if response.status != 200:
                return None
            return dict(json.loads(text)) if text.startswith("{") else {"text": text} if text else {}

    # --- the app's side of a socket

    async def socket(self, request: web.Request) -> web.WebSocketResponse:
        """Serve a socket of the app."""
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        about = {"host": "applink-1", "approximate_connection_time": 18_060}
        await socket.send_json({"type": "hello", "num_connections": len(self.sockets) + 1, "debug_info": about})
        self.sockets.append(socket)
        self._connected.set()
        self.changed.set()
        try:
            async for message in socket:
                if socket in self._silent:
                    continue
                if message.type is WSMsgType.PING:
                    await socket.pong(message.data)
                elif message.type is WSMsgType.TEXT:
                    self._heard(message.data)
        finally:
            if socket in self.sockets:
                self.sockets.remove(socket)
            self._silent.discard(socket)
            self.changed.set()
        return socket

    def _heard(self, text: str) -> None:
        if not text.startswith("{"):
            return
        told = json.loads(text)
        if (waiting := self._waiting.get(told.get("envelope_id", ""))) and not waiting.done():
            waiting.set_result(told.get("payload") or {})

    def silence(self, on: bool = True) -> None:
        """Have the sockets of now stay open and say nothing, not even that they are there."""
        self._silent = set(self.sockets) if on else set()

    async def drop_sockets(self) -> None:
        """Cut every socket."""
        for socket in list(self.sockets):
            self.sockets.remove(socket)
            await socket.close(code=1001)


def signed(body: str, secret: str, timestamp: int) -> dict[str, str]:
    """Return the headers that prove that Slack sent a body."""
    base = f"v0:{timestamp}:{body}".encode()
    signature = hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": str(timestamp), "X-Slack-Signature": f"v0={signature}"}
