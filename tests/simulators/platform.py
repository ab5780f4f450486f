"""A chat platform over real sockets: keeps posts and files, takes what the twin shows, and fails on demand."""

import asyncio
import itertools
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from bot.chat import Answer, Attachment, Mark, Message, Notice, Refused, Reply, Spoken, TryLater

_LATE = web.RequestKey("late", bool)


@dataclass(slots=True)
class Post:
    """Something the twin shows."""

    id: str
    key: str
    place: str
    thread: str | None
    to: str
    text: str = ""
    notice: str = ""
    final: bool = False
    sources: list[dict[str, Any]] = field(default_factory=list)
    removed: bool = False
    finishes: int = 0
    history: list[str] = field(default_factory=list)


class Platform:
    """The platform's state, and its HTTP server at `url`.

    `faults` are taken one at a time by the calls of their kind (`open`, `write`, `finish`, `withdraw`, `whisper`, `fetch`,
    `mark`), of which `moments` says when they came:
    a status to answer with, `"timeout after"` to do what is asked and then not answer, `"reset"` to drop the connection.
    """

    def __init__(self) -> None:
        self.posts: dict[str, Post] = {}
        self.watchers: dict[str, Callable[[Post], None]] = {}
        """Told of every change of the post that answers a message, by the message's id."""
        self._by_key: dict[str, Post] = {}
        self.whispers: list[tuple[str, str]] = []
        self.marks: dict[str, list[str]] = {}
        """The marks that a message has borne, one in the place of the other, by the message's id."""
        self.files: dict[str, bytes] = {}
        self.faults: dict[str, deque[int | str]] = {}
        self.calls: Counter[str] = Counter()
        self.moments: dict[str, list[float]] = {}
        self.url = ""
        self._numbers = itertools.count(1)
        self._changed = asyncio.Event()

    @classmethod
    @asynccontextmanager
    async def open(cls) -> AsyncIterator["Platform"]:
        """Serve on a free port of the loopback address."""
        platform = cls()
        app = web.Application(client_max_size=1 << 24)
        app.router.add_post("/posts", platform._open)
        app.router.add_put("/posts/{id}", platform._edit)
        app.router.add_delete("/posts/{id}", platform._withdraw)
        app.router.add_post("/whispers", platform._whisper)
        app.router.add_post("/marks", platform._mark)
        app.router.add_get("/files/{id}", platform._file)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        platform.url = f"http://{host}:{port}"
        try:
            yield platform
        finally:
            await runner.cleanup()

    # --- what tests look at

    def visible(self, to: str | None = None) -> list[Post]:
        """Return what is shown, of all or in answer to one message."""
        return [post for post in self.posts.values() if not post.removed and to in {None, post.to}]

    async def until(self, condition: Any, seconds: float = 60) -> None:
        """Wait until something holds; looked at after every call."""
        async with asyncio.timeout(seconds):
            while not condition():
                self._changed.clear()
                try:
                    async with asyncio.timeout(0.2):
                        await self._changed.wait()
                except TimeoutError:
                    continue

    # --- the server

    async def _fault(self, kind: str, request: web.Request) -> web.StreamResponse | None:
        self.calls[kind] += 1
        self.moments.setdefault(kind, []).append(asyncio.get_running_loop().time())
        fault = self.faults.get(kind, deque()).popleft() if self.faults.get(kind) else None
        match fault:
            case None:
                return None
            case "timeout after":
                request[_LATE] = True
                return None
            case "reset":
                assert request.transport
                request.transport.abort()
                return web.Response(status=500)
            case int():
                headers = {"Retry-After": "0.2"} if fault == 429 else {}
                return web.json_response({"error": fault}, status=fault, headers=headers)
        raise AssertionError(fault)

    async def _done(self, request: web.Request, body: Mapping[str, object]) -> web.Response:
        self._changed.set()
        if request.get(_LATE):
            await asyncio.sleep(3)
        return web.json_response(body)

    async def _open(self, request: web.Request) -> web.StreamResponse:
        if failed := await self._fault("open", request):
            return failed
        asked = await request.json()
        known = self._by_key.get(asked["key"])
        if known is None or known.removed:
            known = Post(f"p{next(self._numbers)}", **asked)
            self.posts[known.id] = self._by_key[known.key] = known
        return await self._done(request, {"id": known.id})

    async def _edit(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        if failed := await self._fault("finish" if asked["final"] else "write", request):
            return failed
        post = self.posts[request.match_info["id"]]
        if post.removed:
            return web.json_response({"error": 404}, status=404)
        post.text, post.sources, post.notice = asked["text"], asked["sources"], asked["notice"]
        post.history.append(asked["text"])
        post.final = post.final or asked["final"]
        post.finishes += asked["final"]
        if watcher := self.watchers.get(post.to):
            watcher(post)
        return await self._done(request, {})

    async def _withdraw(self, request: web.Request) -> web.StreamResponse:
        if failed := await self._fault("withdraw", request):
            return failed
        self.posts[request.match_info["id"]].removed = True
        return await self._done(request, {})

    async def _whisper(self, request: web.Request) -> web.StreamResponse:
        if failed := await self._fault("whisper", request):
            return failed
        asked = await request.json()
        self.whispers.append((asked["account"], asked["text"]))
        return await self._done(request, {})

    async def _mark(self, request: web.Request) -> web.StreamResponse:
        if failed := await self._fault("mark", request):
            return failed
        asked = await request.json()
        self.marks.setdefault(asked["to"], []).append(asked["mark"])
        return await self._done(request, {})

    async def _file(self, request: web.Request) -> web.StreamResponse:
        if failed := await self._fault("fetch", request):
            return failed
        if (data := self.files.get(request.match_info["id"])) is None:
            return web.json_response({"error": 404}, status=404)
        return web.Response(body=data)


class PlatformAdapter:
    """The twin's way to the platform: an `Adapter`. `edits` is how many a second the platform takes from all answers together.

    The first text of an answer does not wait for its share of them.
    """

    def __init__(self, url: str, session: aiohttp.ClientSession, *, pace: float = 0.02, edits: float | None = None) -> None:
        self._url = url
        self._session = session
        self._pace = pace
        self._edits = edits
        self._next = 0.0

    async def open(self, reply: Reply) -> str:
        body = {"key": reply.key, "place": reply.place, "thread": reply.thread, "to": reply.to}
        return str((await self._call("POST", "/posts", body))["id"])

    async def write(self, reply: Reply, shown: str, text: str) -> None:
        await self._call("PUT", f"/posts/{shown}", {"text": text, "final": False, "sources": [], "notice": ""})
        await asyncio.sleep(self._pace if self._edits is None else self._share(self._edits))

    def _share(self, edits: float) -> float:
        """Reserve an edit, and return how many seconds it is away."""
        now = asyncio.get_running_loop().time()
        self._next = max(now, self._next) + 1 / edits
        return self._next - now

    async def finish(self, reply: Reply, shown: str, content: Answer | Notice) -> None:
        sources = [asdict(source) for source in content.sources] if isinstance(content, Answer) else []
        notice = content.notice if isinstance(content, Answer) else ""
        body = {"text": content.text, "final": True, "sources": sources, "notice": notice}
        await self._call("PUT", f"/posts/{shown}", body)

    async def withdraw(self, reply: Reply, shown: str) -> None:
        await self._call("DELETE", f"/posts/{shown}", None)

    async def whisper(self, reply: Reply, text: str) -> None:
        await self._call("POST", "/whispers", {"account": reply.account, "text": text})

    async def fetch(self, attachment: Attachment, to: Path, limit: int, *, place: str) -> None:
        async with self._session.get(f"{self._url}/files/{attachment.id}") as response:
            self._check(response)
            data = await response.read()
        if len(data) > limit:
            raise Refused(f"It is larger than {limit >> 20} MB.")
        await asyncio.to_thread(to.write_bytes, data)

    async def mark(self, reply: Reply, mark: Mark) -> None:
        await self._call("POST", "/marks", {"to": reply.to, "mark": mark})

    async def confirm(self, place: str, account: str) -> None:
        """Do nothing: whoever is here was introduced."""

    async def thread(self, reply: Reply) -> tuple[Spoken, ...]:
        return ()

    async def _call(self, method: str, path: str, body: Mapping[str, object] | None) -> Any:
        async with self._session.request(
            method, f"{self._url}{path}", json=body, timeout=aiohttp.ClientTimeout(total=1.5)
        ) as response:
            self._check(response)
            return await response.json()

    def _check(self, response: aiohttp.ClientResponse) -> None:
        match response.status:
            case 429:
                raise TryLater("too many requests", float(response.headers.get("Retry-After", "1")))
            case 401 | 403 | 404:
                raise Refused(f"The platform refused it ({response.status}).")
        response.raise_for_status()


def said(
    text: str,
    n: int | str,
    *,
    place: str = "sim:T1:C1",
    account: str = "sim:T1:U1",
    thread: str | None = None,
    at: float | None = None,
    event: str | None = None,
    deleted: bool = False,
    addressed: bool = True,
    files: tuple[str, ...] = (),
    author: str = "Ada",
) -> Message:
    """Make the message number `n`, said (or changed) at second `at`."""
    moment = datetime.fromtimestamp(1_790_000_000 + (at if at is not None else 0.0), UTC)
    return Message(
        event=event or f"e{n}-{at or 0}{'-gone' if deleted else ''}",
        place=place,
        id=str(n),
        account=account,
        text=text,
        changed_at=moment,
        thread=thread,
        addressed=addressed,
        deleted=deleted,
        attachments=tuple(Attachment(name, name) for name in files),
        link=f"https://chat.example/{n}",
        author=author,
    )


def as_json(message: Message) -> dict[str, object]:
    """Return a message as the platform delivers it."""
    return asdict(message) | {"changed_at": message.changed_at.isoformat()}


def from_json(body: Mapping[str, Any]) -> Message:
    """Read a delivery."""
    attachments = tuple(Attachment(**one) for one in body["attachments"])
    return Message(**{**body, "changed_at": datetime.fromisoformat(body["changed_at"]), "attachments": attachments})
