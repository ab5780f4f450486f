"""Reading files in limited children of a nursery process, from the event loop's side."""

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

import msgspec

import knowledge
from knowledge.chunks import Chunk
from knowledge.errors import KnowledgeError, Unreadable, Unsupported
from knowledge.extract import sentences
from knowledge.extract.limits import Limits
from knowledge.extract.text import Extracted
from knowledge.extract.wire import HEAD, Failure, Frame, Parcel, Request, frame

_AT_ONCE = 2
_START = 60.0
_STOP = 5.0
_ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file says, and the passages it was divided into."""

    extracted: Extracted
    chunks: tuple[Chunk, ...]


class _Gone(Exception):
    """The nursery ended before it took the file."""


class Reader:
    """Read untrusted files, two at a time, each in a child process that can do nothing else."""

    def __init__(self, tokenizer: Path, window: int, limits: Limits, program: str) -> None:
        self._tokenizer = tokenizer
        self._window = window
        self._limits = limits
        self._program = program
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._starting = asyncio.Lock()
        self._nursery: _Nursery | None = None

    @classmethod
    @asynccontextmanager
    async def open(
        cls, *, tokenizer: Path, window: int = 256, limits: Limits = Limits(), program: str = "knowledge.extract.nursery"
    ) -> AsyncIterator["Reader"]:
        """Yield a reader; `tokenizer` is the embedding model's tokenizer.json, `window` its longest input in tokens.

        `program` is the module that the nursery process runs.
        """
        reader = cls(tokenizer, window, limits, program)
        try:
            yield reader
        finally:
            if reader._nursery is not None:
                await reader._nursery.stop()

    async def read(self, path: Path, name: str) -> Reading:
        """Read the file at `path`, which was called `name`.

        Raises `Unreadable` when it cannot be read and `Unsupported` when its type is not read at all; both say why.
        """
        async with self._turns:
            # Opened on the loop: a thread would open it after all, and for nobody, when this is cancelled.
            file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            try:
                size = os.fstat(file).st_size
                if size > self._limits.file:
                    raise Unreadable(
                        f"It is too large: {size / 2**20:,.0f} MiB, and at most {self._limits.file // 2**20} MiB are read."
                    )
                request = Request(name, size, self._window, self._limits)
                try:
                    return await self._ask(file, request)
                except _Gone:  # it had been idle and ended just then, or was killed
                    return await self._ask(file, request)
            except _Gone as error:
                raise Unreadable(sentences.NO_READER) from error
            finally:
                os.close(file)

    async def containment(self) -> tuple[str, ...]:
        """Return the means that keep a hostile file in, as far as this machine has them."""
        return (await self._running()).means

    async def _running(self) -> "_Nursery":
        async with self._starting:
            if self._nursery is None or not self._nursery.alive:
                if self._nursery is not None:
                    await self._nursery.stop()
                self._nursery = await _Nursery.start(self._program, self._tokenizer)
            return self._nursery

    async def _ask(self, file: int, request: Request) -> Reading:
        nursery = await self._running()
        try:
            reader, writer = await asyncio.open_connection(sock=nursery.hand_over(file))
            with closing(writer):  # a child that is still at work is killed by this
                writer.write(frame(Frame.STEP, request))
                return await _Answer(reader, self._limits).take()
        except _Gone:
            await nursery.stop()
            raise


class _Answer:
    """One child's frames, taken against the clock."""

    def __init__(self, stream: asyncio.StreamReader, limits: Limits) -> None:
        self._stream = stream
        self._limits = limits
        self._begun = False
        self._left = limits.result

    async def take(self) -> Reading:
        loop = asyncio.get_running_loop()
        end = loop.time() + self._limits.total
        parcel = Parcel()
        try:
            async with asyncio.timeout(self._limits.hang) as clock:
                while True:
                    kind, body = await self._frame()
                    clock.reschedule(min(end, loop.time() + self._limits.hang))
                    if kind == Frame.DONE:
                        return Reading(*parcel.finish(body))
                    if kind in {Frame.FAILED, Frame.ENDED}:
                        raise _failure(kind, body)
                    parcel.add(kind, body)
        except TimeoutError as error:
            raise Unreadable(sentences.SLOW) from error
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise Unreadable(sentences.CRASHED) if self._begun else _Gone() from error
        except msgspec.MsgspecError as error:
            raise Unreadable(sentences.CRASHED) from error

    async def _frame(self) -> tuple[int, bytes]:
        kind, size = HEAD.unpack(await self._stream.readexactly(HEAD.size))
        self._begun = True
        self._left -= size
        if self._left < 0:
            raise Unreadable(sentences.TOO_MUCH)
        return kind, await self._stream.readexactly(size)


def _failure(kind: int, body: bytes) -> KnowledgeError:
    if kind == Frame.ENDED:
        code = msgspec.msgpack.decode(body, type=int)
        sentence = {-signal.SIGXCPU: sentences.SLOW, -signal.SIGKILL: sentences.MEMORY}.get(code, sentences.CRASHED)
        return Unreadable(sentence)
    failure = msgspec.msgpack.decode(body, type=Failure)
    error = Unreadable(failure.sentence) if failure.supported else Unsupported(failure.sentence)
    if failure.detail:
        error.add_note(failure.detail)
    return error


class _Nursery:
    """The nursery process and the socket on which it is handed files."""

    def __init__(self, process: Process, control: socket.socket, means: tuple[str, ...]) -> None:
        self._process = process
        self._control = control
        self.means = means

    @classmethod
    async def start(cls, program: str, tokenizer: Path) -> "_Nursery":
        """Start the process and wait until it has loaded everything. Raises `_Gone` when it ends before that."""
        ours, theirs = socket.socketpair()
        home = str(Path(knowledge.__path__[0]).parent)
        environment = {"PATH": os.defpath, "LANG": "C.UTF-8", "PYTHONPATH": home, **_ENVIRONMENT}
        command = (sys.executable, "-P", "-m", program, str(theirs.fileno()), str(tokenizer))
        with theirs:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=DEVNULL,
                stdout=DEVNULL,
                stderr=DEVNULL,
                pass_fds=(theirs.fileno(),),
                env=environment,
                start_new_session=True,
            )
        nursery = cls(process, ours, ())
        try:
            async with asyncio.timeout(_START):
                nursery.means = await nursery._ready()
        except (TimeoutError, EOFError, OSError, msgspec.MsgspecError) as error:
            await nursery.stop()
            raise _Gone from error
        except asyncio.CancelledError:
            await nursery.stop()
            raise
        return nursery

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    def hand_over(self, file: int) -> socket.socket:
        """Pass an open file to the process; return the socket for the answer. Raises `_Gone` when it has ended."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                socket.send_fds(self._control, [b"f"], [file, theirs.fileno()])
            except OSError as error:
                ours.close()
                raise _Gone from error
        return ours

    async def stop(self) -> None:
        """Close the socket, which ends the process, and wait for that."""
        self._control.close()
        try:
            async with asyncio.timeout(_STOP):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    async def _ready(self) -> tuple[str, ...]:
        loop = asyncio.get_running_loop()
        self._control.setblocking(False)
        data = b""
        while len(data) < HEAD.size or len(data) < HEAD.size + HEAD.unpack_from(data)[1]:
            piece = await loop.sock_recv(self._control, 4096)
            if not piece:
                raise EOFError
            data += piece
        self._control.setblocking(True)
        return msgspec.msgpack.decode(data[HEAD.size :], type=tuple[str, ...])
