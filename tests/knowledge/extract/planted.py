"""A nursery whose plain-text extractor misbehaves as the text of the file tells it to."""

import ctypes
import errno
import importlib
import os
import resource
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pyseccomp

from knowledge.extract import kinds, nursery
from knowledge.extract.draft import Draft
from knowledge.extract.source import Source
from knowledge.extract.text import Attached, Extracted

_WRITTEN = str(Path(__file__).with_name("written-by-a-child"))


def _spin(_: Source) -> None:
    while True:
        pass


def _hang(_: Source) -> None:
    time.sleep(600)


def _slow_but_steady(source: Source) -> None:
    for _ in range(7):
        time.sleep(0.5)
        source.tick()


def _hog(_: Source) -> None:
    held = [bytearray(2**26)]
    while True:
        held.append(bytearray(2**26))


def _leave(_: Source) -> None:
    os._exit(3)


def _fault(_: Source) -> None:
    ctypes.string_at(0)


def _raise(_: Source) -> None:
    raise ZeroDivisionError("planted")


def _recur(source: Source) -> None:
    _recur(source)


def _kill_nursery(_: Source) -> None:
    os.kill(os.getppid(), signal.SIGKILL)


def _connect(_: Source) -> None:
    socket.create_connection(("127.0.0.1", 9))


def _connect_unnoticed(_: Source) -> None:
    if ctypes.CDLL(None).socket(socket.AF_INET, socket.SOCK_STREAM, 0) < 0:
        raise PermissionError


def _execute(_: Source) -> None:
    subprocess.run(["/bin/true"], check=True)


def _execute_unnoticed(_: Source) -> None:
    libc = ctypes.CDLL(None)
    libc.execl(b"/bin/true", b"/bin/true", None)
    raise PermissionError


def _fork(_: Source) -> None:
    if os.fork() == 0:
        os._exit(0)


def _write(_: Source) -> None:
    Path(_WRITTEN).write_text("x")


def _write_unnoticed(_: Source) -> None:
    libc = ctypes.CDLL(None)
    file = libc.open(_WRITTEN.encode(), os.O_WRONLY | os.O_CREAT, 0o600)
    if file < 0:
        raise PermissionError


def _environment(_: Source) -> str:
    return " ".join(sorted(os.environ))


def _path(source: Source) -> str:
    return source.data.decode().partition(": ")[2].replace("PARENT", str(os.getppid()))


def _look(source: Source) -> str:
    return Path(_path(source)).read_text()


def _look_unnoticed(source: Source) -> str:
    libc = ctypes.CDLL(None)
    file = libc.open(_path(source).encode(), os.O_RDONLY)
    if file < 0:
        raise PermissionError
    said = ctypes.create_string_buffer(4096)
    libc.read(file, said, 4096)
    return said.value.decode()


def _import(_: Source) -> str:
    return str(importlib.import_module("xmlrpc.client").__name__)


def _truncate_unnoticed(source: Source) -> None:
    if ctypes.CDLL(None).open(_path(source).encode(), os.O_RDONLY | os.O_TRUNC) < 0:
        raise PermissionError


def _lower_own_limit(_: Source) -> None:
    resource.prlimit(0, resource.RLIMIT_NOFILE, (32, 32))


def _call(source: Source) -> str:
    """Make a system call about the parent, or about nothing, that would do no harm; say what came of it."""
    libc = ctypes.CDLL(None, use_errno=True)
    number = pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, _path(source))
    nobody = {"pidfd_send_signal", "pidfd_getfd"}
    libc.syscall(*map(ctypes.c_long, (number, -1 if _path(source) in nobody else os.getppid(), 0, 0, 0, 0, 0)))
    return errno.errorcode.get(ctypes.get_errno(), "done")


_DEEDS: dict[str, Callable[[Source], str | None]] = {
    "spin": _spin,
    "hang": _hang,
    "slow but steady": _slow_but_steady,
    "hog": _hog,
    "leave": _leave,
    "fault": _fault,
    "raise": _raise,
    "recur": _recur,
    "kill the nursery": _kill_nursery,
    "connect": _connect,
    "connect unnoticed": _connect_unnoticed,
    "execute": _execute,
    "execute unnoticed": _execute_unnoticed,
    "fork": _fork,
    "write": _write,
    "write unnoticed": _write_unnoticed,
    "environment": _environment,
    "look": _look,
    "look unnoticed": _look_unnoticed,
    "import": _import,
    "truncate unnoticed": _truncate_unnoticed,
    "lower its own limit": _lower_own_limit,
    "call": _call,
}


def extract(source: Source) -> Extracted:
    """Do the deed that the file names, after a colon with what."""
    deed = _DEEDS.get(source.data.decode().partition(": ")[0])
    draft = Draft()
    draft.paragraph((deed(source) if deed else None) or "All went well.")
    return draft.finish("text", attached=[Attached("much", bytes(2**21))] if source.data == b"flood" else [])


if __name__ == "__main__":
    kinds.EXTRACTORS["text"] = extract
    nursery.main()
