"""A server that speaks as OpenAI, Anthropic and Ollama do, over real sockets, and does what a test tells it.

In a test: `async with LlmServer(Say(["a", "b"]), Fail(429)) as server: …server.url…`. For load, as a process of its own:
`python -m tests.simulators.llm --port 8000 --pieces 60 --interval 0.1`.
"""

import argparse
import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, Self

from aiohttp import web

from tests.simulators.wires import WIRES, Finish, Wire

# --- what it can be told to do


@dataclass(frozen=True, slots=True)
class Say:
    """Write pieces, `interval` seconds apart, the first after `first`, and end one way or another.

    `done` is the right way; `stall` stays silent for ever, `cut` closes the response in good order too early, `reset` drops
    the connection, `error` says in the stream that it failed. `tells` is whether the tokens are told.
    """

    pieces: Iterable[str] = ("Hello", ", ", "world", ".")
    first: float = 0.0
    interval: float = 0.0
    ending: Literal["done", "stall", "cut", "reset", "error"] = "done"
    finish: Finish = "stop"
    tells: bool = True
    thoughts: Sequence[str] = ()
    calls_tool: bool = False
    alive_every: float = 0.0


@dataclass(frozen=True, slots=True)
class Hang:
    """Take the request and never answer a byte."""


@dataclass(frozen=True, slots=True)
class Fail:
    """Answer with an HTTP status."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None


@dataclass(frozen=True, slots=True)
class Raw:
    """Answer with bytes as they are, in good order; without a kind it is that of the protocol."""

    body: bytes
    content_type: str | None = None


Script = Say | Hang | Fail | Raw

TOKENS_IN = 11
"""What every prompt is said to take."""


# --- what it remembers


@dataclass(slots=True)
class Seen:
    """A request: what came and when, and whether the client went away before the end."""

    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    at: float = field(default_factory=time.monotonic)


class LlmServer:
    """Does what it is told, one script a request in order; without scripts it says `Say()`, or what `default` is."""

    def __init__(self, *scripts: Script, key: str | None = None, models: Sequence[str] = ("tiny", "tall")) -> None:
        self.scripts = deque[Script](scripts)
        self.default: Script = Say()
        self.requests: list[Seen] = []
        self.url = ""
        self._key, self._models = key, models

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        for wire in WIRES:
            app.router.add_post(wire.path, self._answers(wire))
        app.router.add_get("/v1/models", self._listed)
        app.router.add_get("/api/tags", self._tags)
        # Cancelled handlers are how a server learns at once that its client is gone.
        self._runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        await self._runner.cleanup()

    def _answers(self, wire: Wire) -> Callable[[web.Request], Any]:
        async def answer(request: web.Request) -> web.StreamResponse:
            seen = Seen(request.path, dict(request.headers), await request.json())
            self.requests.append(seen)
            if not self._admits(request):
                return web.json_response({"error": {"type": "authentication_error", "message": "bad key"}}, status=401)
            script = self.scripts.popleft() if self.scripts else self.default
            try:
                return await _play(script, wire, request)
            except (asyncio.CancelledError, ConnectionError):
                seen.gone.set()
                raise

        return answer

    def _admits(self, request: web.Request) -> bool:
        given = request.headers.get("x-api-key") or request.headers.get("authorization", "").removeprefix("Bearer ")
        return self._key is None or given == self._key

    async def _listed(self, request: web.Request) -> web.Response:
        """Serve the list that OpenAI and Anthropic have at the same path."""
        if not self._admits(request):
            return web.json_response({"error": {"type": "authentication_error", "message": "bad key"}}, status=401)
        both = {"object": "model", "type": "model", "created": 1, "owned_by": "us", "created_at": "2026-01-01T00:00:00Z"}
        data = [{"id": name, "display_name": name, **both} for name in self._models]
        return web.json_response({"object": "list", "data": data, "has_more": False, "first_id": None, "last_id": None})

    async def _tags(self, _request: web.Request) -> web.Response:
        return web.json_response({"models": [{"name": name, "model": name} for name in self._models]})


async def _play(script: Script, wire: Wire, request: web.Request) -> web.StreamResponse:
    match script:
        case Say():
            return await _say(script, wire, request)
        case Hang():
            await asyncio.Event().wait()
        case Fail(status, headers, body):
            told = {"error": {"message": "sk-secret-of-the-server"}} if body is None else body
            return web.json_response(told, status=status, headers=headers)
        case Raw(body, content_type):
            return web.Response(body=body, headers={"Content-Type": content_type or wire.content_type})
    raise AssertionError(script)


async def _say(script: Say, wire: Wire, request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": wire.content_type})
    await response.prepare(request)
    await response.write(wire.begin(TOKENS_IN))
    for thought in script.thoughts:
        await response.write(wire.thought(thought))
        await asyncio.sleep(script.interval)
    if script.calls_tool:
        await response.write(wire.tool())
    await asyncio.sleep(script.first)
    said = 0
    for piece in script.pieces:
        await response.write(wire.piece(piece))
        said += 1
        await asyncio.sleep(script.interval)
    match script.ending:
        case "done":
            await response.write(wire.end(script.finish, (TOKENS_IN, said) if script.tells else None))
        case "error":
            await response.write(wire.error())
        case "stall":
            while True:
                await asyncio.sleep(script.alive_every or 3_600)
                await response.write(wire.alive())
        case "reset" if request.transport:
            await asyncio.sleep(0.01)  # what was written is on its way
            request.transport.abort()
    return response


# --- under load: one answer for everybody, prepared once, with nothing between a timer and the socket


SMALL = b"The last question, rewritten:"  # what a model is asked that is to make a query of a question


class Flow(asyncio.Protocol):
    """A connection on which each POST gets the same chunks at the same pace, and one for a query the same query at once."""

    open = 0

    def __init__(self, answers: Mapping[bytes, tuple[bytes, Sequence[bytes], bytes]], interval: float) -> None:
        self._answers, self._interval = answers, interval
        self._read = b""
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        Flow.open += 1

    def connection_lost(self, _error: Exception | None) -> None:
        Flow.open -= 1
        if self._timer:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        self._read += data
        head, whole, body = self._read.partition(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
        if not whole or len(body) < int(fields.get(b"content-length", b"0")):
            return
        self._read = b""
        path = head.split(b" ", 2)[1]
        if path not in self._answers:
            self._transport.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            return
        opening, chunks, query = self._answers[path]
        self._transport.write(opening)
        if SMALL in body:  # a query to be made of a question takes a model no minute
            self._transport.write(query)
            return
        self._next(chunks, 0, self._loop.time())

    def _next(self, chunks: Sequence[bytes], n: int, due: float) -> None:
        self._transport.write(chunks[n])
        if n + 1 < len(chunks):
            due += self._interval
            self._timer = self._loop.call_at(due, self._next, chunks, n + 1, due)


def _prepared(wire: Wire, pieces: Sequence[str], query: str) -> tuple[bytes, Sequence[bytes], bytes]:
    opening = f"HTTP/1.1 200 OK\r\nContent-Type: {wire.content_type}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    return opening, _chunks(wire, pieces), b"".join(_chunks(wire, [query]))


def _chunks(wire: Wire, pieces: Sequence[str]) -> Sequence[bytes]:
    texts = [wire.piece(piece) for piece in pieces]
    texts[0] = wire.begin(TOKENS_IN) + texts[0]
    texts[-1] += wire.end("stop", (TOKENS_IN, len(pieces)))
    chunks = [b"%x\r\n%b\r\n" % (len(text), text) for text in texts]
    chunks[-1] += b"0\r\n\r\n"
    return chunks


def divided(text: str, pieces: int) -> list[str]:
    """Divide a text into about this many pieces; a short one is said again until there are enough words."""
    words = text.split()
    words *= max(1, -(-pieces // len(words)))
    size = max(1, len(words) // pieces)
    return [" ".join(words[n : n + size]) + " " for n in range(0, size * pieces, size)]


@contextlib.asynccontextmanager
async def _flowing(port: int, pieces: Sequence[str], interval: float, query: str) -> Any:
    answers = {wire.path.encode(): _prepared(wire, pieces, query) for wire in WIRES}
    server = await asyncio.get_running_loop().create_server(lambda: Flow(answers, interval), "127.0.0.1", port, backlog=2_048)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def serve(port: int, pieces: Sequence[str], interval: float, query: str) -> None:
    """Serve the same answer to everybody until stopped; says its address on a line of its own."""
    async with _flowing(port, pieces, interval, query) as actual:
        print(f"http://127.0.0.1:{actual}", flush=True)  # noqa: T201 - whoever started it waits for this
        await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve one answer to everybody, as OpenAI, Anthropic and Ollama would.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--pieces", type=int, default=60)
    parser.add_argument("--interval", type=float, default=0.1, help="seconds between two pieces")
    parser.add_argument("--text", default="The answer stands in the first passage [1].")
    parser.add_argument("--query", default="the first passage", help="what every question is rewritten as")
    given = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(given.port, divided(given.text, given.pieces), given.interval, given.query))


if __name__ == "__main__":
    main()
