"""The worker process as its parent sees it: started, asked, stopped, or found dead."""

import asyncio
import os
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from collections import deque
from pathlib import Path
from typing import Self, cast

from knowledge.index import wire

ROOT = Path(__file__).parents[2]
STOP_WITHIN = 30.0  # seconds to flush in; after that it is killed, which loses nothing but time at the next start


class WorkerDied(Exception):
    """The worker ended before it answered."""


class Worker:
    """A worker process. It answers in the order in which it was asked."""

    def __init__(self, process: Process, line: "_Line") -> None:
        self._process = process
        self._line = line

    @classmethod
    async def start(cls) -> Self:
        """Start a process that has no shard open yet."""
        ours, theirs = socket.socketpair()
        try:
            process = await _spawn(theirs)
            ours.setblocking(False)
            _, line = await asyncio.get_running_loop().create_connection(_Line, sock=ours)
        except BaseException:
            ours.close()  # which ends the process, if there is one
            raise
        return cls(process, line)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self._line.open

    async def ask(self, request: wire.Request) -> wire.Reply:
        """Send a request and return its reply; raises `WorkerDied`."""
        return wire.reply(await self._line.send(wire.frame(request)))

    async def stop(self) -> None:
        """Let it answer what it was asked, flush and end."""
        try:
            async with asyncio.timeout(STOP_WITHIN):
                await self.ask(wire.Stop())
        except (WorkerDied, TimeoutError):
            pass
        finally:
            await self.end()

    async def end(self) -> None:
        """End it at once, whatever it is doing; what it acknowledged is in its log."""
        self._line.close()
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()


class _Line(asyncio.Protocol):
    """Frames out, frames in, and who waits for which."""

    def __init__(self) -> None:
        self._transport: asyncio.WriteTransport | None = None
        self._received = bytearray()
        self._waiting: deque[asyncio.Future[bytes]] = deque()

    @property
    def open(self) -> bool:
        return self._transport is not None

    def send(self, frame: bytes) -> asyncio.Future[bytes]:
        if self._transport is None:
            raise WorkerDied
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting.append(answer)
        self._transport.write(frame)
        return answer

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head = wire.LENGTH.size
        while len(self._received) >= head:
            end = head + wire.LENGTH.unpack_from(self._received)[0]
            if len(self._received) < end:
                return
            answer = self._waiting.popleft()
            if not answer.done():  # whoever asked may have been cancelled
                answer.set_result(bytes(self._received[head:end]))
            del self._received[:end]

    def connection_lost(self, _reason: Exception | None) -> None:
        self._transport = None
        while self._waiting:
            answer = self._waiting.popleft()
            if not answer.done():
                answer.set_exception(WorkerDied())


async def _spawn(channel: socket.socket) -> Process:
    """Start the program with its end of the channel as standard input; our copy of that end is closed."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    with channel:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "knowledge.index.worker", str(os.getpid()),
            stdin=channel.fileno(), stdout=DEVNULL, env={**os.environ, "PYTHONPATH": path},
        )  # fmt: skip
