"""The gateway of the simulated Discord: who is connected, and what they are told."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import uuid4

from aiohttp import WSMsgType, web

from tests.simulators.discord.schemas import check_dispatch
from tests.simulators.discord.state import Json

CONTENT = 1 << 15


@dataclass
class Session:
    """A session: what was told in it, to be told again when it is resumed."""

    id: str = field(default_factory=lambda: uuid4().hex)
    intents: int = 0
    shard: list[int] | None = None
    told: list[Json] = field(default_factory=list)
    socket: web.WebSocketResponse | None = None

    def tells(self, data: Json) -> bool:
        """Say whether something is told in this session: of a guild to its shard, of private chats to the first one."""
        guild = data.get("guild_id") or (data["id"] if "owner_id" in data else 0)
        return self.shard is None or (int(guild) >> 22) % self.shard[1] == self.shard[0]


class Known(Protocol):
    """What there is to tell at the beginning."""

    token: str
    content_allowed: bool

    def ready(self, session: Session) -> Json: ...
    def guild_creates(self) -> list[Json]: ...


class Gateway:
    """Keeps the sessions; `identified` counts how many began, `resumed` how many went on."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self.sessions: dict[str, Session] = {}
        self.identified = 0
        self.resumed = 0
        self.errors: list[str] = []

    @property
    def connected(self) -> list[Session]:
        return [one for one in self.sessions.values() if one.socket is not None and not one.socket.closed]

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Speak with a client until it goes."""
        socket = web.WebSocketResponse(max_msg_size=1 << 22)
        await socket.prepare(request)
        await _send(socket, {"op": 10, "d": {"heartbeat_interval": 41_250}, "s": None, "t": None})
        session: Session | None = None
        async for frame in socket:
            if frame.type is not WSMsgType.TEXT:
                continue
            said = json.loads(frame.data)
            match said["op"]:
                case 1:
                    await _send(socket, {"op": 11, "d": None, "s": None, "t": None})
                case 2:
                    session = await self._identify(socket, said["d"])
                case 6:
                    session = await self._resume(socket, said["d"])
        if session and session.socket is socket:
            session.socket = None
        return socket

    async def _identify(self, socket: web.WebSocketResponse, data: Json) -> Session | None:
        self.identified += 1
        if data["token"] != self._known.token:
            await socket.close(code=4004)
            return None
        if data["intents"] & CONTENT and not self._known.content_allowed:
            await socket.close(code=4014)
            return None
        session = Session(intents=data["intents"], socket=socket, shard=data.get("shard"))
        self.sessions[session.id] = session
        await self._tell(session, "READY", self._known.ready(session))
        for guild in self._known.guild_creates():
            if session.tells(guild):
                await self._tell(session, "GUILD_CREATE", guild)
        return session

    async def _resume(self, socket: web.WebSocketResponse, data: Json) -> Session | None:
        session = self.sessions.get(data["session_id"])
        if session is None:
            await _send(socket, {"op": 9, "d": False, "s": None, "t": None})
            return None
        self.resumed += 1
        session.socket = socket
        for missed in session.told[data["seq"] :]:
            await _send(socket, missed)
        await self._tell(session, "RESUMED", {})
        return session

    async def dispatch(self, name: str, data: Any) -> None:
        """Tell every session; `data` may depend on the session."""
        for session in list(self.sessions.values()):
            told = data(session) if callable(data) else data
            if session.tells(told):
                await self._tell(session, name, told)

    async def _tell(self, session: Session, name: str, data: Json) -> None:
        try:
            check_dispatch(name, data)
        except Exception as error:
            self.errors.append(f"{name}: {str(error)[:500]}")
            raise
        frame = {"op": 0, "t": name, "s": len(session.told) + 1, "d": data}
        session.told.append(frame)
        if session.socket is not None and not session.socket.closed:
            await _send(session.socket, frame)

    # --- faults

    async def malformed(self) -> None:
        """Tell something that no client can read."""
        for session in self.connected:
            frame = {"op": 0, "t": "MESSAGE_CREATE", "s": len(session.told) + 1, "d": {"id": "not a number"}}
            session.told.append(frame)
            await _send(session.socket, frame)

    async def drop(self, *, code: int = 4000, forget: bool = False) -> None:
        """Close all connections; with `forget` they cannot be resumed."""
        sockets = [one.socket for one in self.connected if one.socket]
        if forget:
            self.sessions.clear()
        await asyncio.gather(*(socket.close(code=code) for socket in sockets))

    async def replay(self, last: int = 50) -> None:
        """Tell again what was told already, as after a resume."""
        for session in self.connected:
            for frame in [one for one in session.told if one["t"] in {"MESSAGE_CREATE", "MESSAGE_UPDATE"}][-last:]:
                await _send(session.socket, frame)


async def _send(socket: web.WebSocketResponse | None, frame: Json) -> None:
    if socket is not None and not socket.closed:
        try:
            await socket.send_str(json.dumps(frame))
        except (ConnectionError, RuntimeError):
            return
