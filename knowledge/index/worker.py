"""The process that owns the engine: one shard, requests from standard input's socket one after another."""

import ctypes
import os
import select
import signal
import socket
import sys
import time
from pathlib import Path

from knowledge.index import shard, wire

FLUSH_AFTER = 0.5  # seconds from the first unflushed write; a loss of power costs at most these
NICE = 15


class Desk:
    """Answers requests and keeps the time of the next flush."""

    def __init__(self) -> None:
        self._shard: shard.Shard | None = None
        self._flush_at: float | None = None

    @property
    def open_shard(self) -> shard.Shard:
        """The shard; only before `Open` there is none."""
        if self._shard is None:
            raise RuntimeError("no shard is open")
        return self._shard

    def patience(self) -> float | None:
        """Return the seconds until the next flush, `None` when there is nothing to flush."""
        return None if self._flush_at is None else max(0.0, self._flush_at - time.monotonic())

    def flush(self) -> None:
        """Flush what was written."""
        self.open_shard.flush()
        self._flush_at = None

    def answer(self, request: wire.Request) -> wire.Reply | wire.Rows:
        """Do what is asked; what the engine refuses becomes a `Refused`."""
        try:
            match request:
                case wire.Open() | wire.Build():
                    return self._prepare(request)
                case wire.Upsert() | wire.DeleteVersions() | wire.Delete() | wire.SetScopes():
                    return self._write(request)
                case _:
                    return self._read(request)
        except Exception as refusal:
            return wire.Refused(str(refusal))

    def _prepare(self, request: wire.Open | wire.Build) -> wire.Reply:
        match request:
            case wire.Open(create=True):
                self._shard = shard.Shard.create(Path(request.folder), request.dimension, request.graph)
            case wire.Open():
                self._shard = _load(request)
            case wire.Build(source, target, dimension, graph, afresh):
                os.nice(NICE)
                shard.build(Path(source), Path(target), dimension, graph, afresh=afresh)
        return wire.Done()

    def _write(self, request: wire.Upsert | wire.DeleteVersions | wire.Delete | wire.SetScopes) -> wire.Reply:
        match request:
            case wire.Upsert(points):
                self.open_shard.upsert(points)
            case wire.DeleteVersions(versions):
                self.open_shard.delete_versions(versions)
            case wire.Delete(ids):
                self.open_shard.delete(ids)
            case wire.SetScopes(document, scopes):
                self.open_shard.set_scopes(document, scopes)
        if self._flush_at is None:
            self._flush_at = time.monotonic() + FLUSH_AFTER
        return wire.Done()

    def _read(
        self, request: wire.Search | wire.Fetch | wire.List | wire.Measure | wire.Flush | wire.Stop
    ) -> wire.Reply | wire.Rows:
        match request:
            case wire.Search(dense, sparse, where, limit):
                return wire.Rows(self.open_shard.search(dense, sparse, where, limit))
            case wire.Fetch(ids):
                return wire.Fetched(self.open_shard.vectors(ids))
            case wire.List(offset):
                return wire.Page(*self.open_shard.ids(offset))
            case wire.Measure():
                its = self.open_shard
                return wire.Measured(its.points(), its.loose(), its.forgotten())
            case wire.Flush():
                self.flush()
            case wire.Stop():
                if self._shard is not None:
                    self._shard.close()
        return wire.Done()


def serve(channel: socket.socket) -> None:
    """Answer until the other side closes or asks to stop."""
    desk = Desk()
    while True:
        patience = desk.patience()
        if patience == 0.0:
            desk.flush()
            continue
        if not select.select([channel], [], [], patience)[0]:
            continue
        body = _receive(channel)
        if body is None:
            desk.answer(wire.Stop())
            return
        request = wire.request(body)
        channel.sendall(wire.frame(desk.answer(request)))
        if isinstance(request, wire.Stop):
            return


def main(parent: int) -> None:
    """Serve the parent process on the socket that is standard input."""
    # A Ctrl-C or a stop of the whole group reaches this process too, but its parent may still be answering.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if sys.platform == "linux":
        # Inside a long engine call the end of the socket goes unseen; the kernel sees it.
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # 1 is PR_SET_PDEATHSIG
    if os.getppid() != parent:
        return  # it died before the line above
    with socket.socket(fileno=0) as channel:
        serve(channel)


def _load(request: wire.Open) -> shard.Shard:
    deadline = time.monotonic() + request.patience
    while True:
        try:
            return shard.Shard.load(Path(request.folder), request.dimension, request.graph)
        except Exception as refusal:
            if "WouldBlock" not in str(refusal) or time.monotonic() > deadline:
                raise
        time.sleep(0.05)


def _receive(channel: socket.socket) -> bytes | None:
    head = channel.recv(wire.LENGTH.size, socket.MSG_WAITALL)
    if len(head) < wire.LENGTH.size:
        return None
    (length,) = wire.LENGTH.unpack(head)
    body = channel.recv(length, socket.MSG_WAITALL)
    return body if len(body) == length else None


if __name__ == "__main__":
    main(int(sys.argv[1]))
