"""What a child that reads a file may use, and what it can no longer do."""

import ctypes
import errno
import os
import resource
import signal
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from itertools import product
from pathlib import Path

MIB = 2**20
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_NICENESS = 5
# What it takes to reach the network, start programs, change files or touch other processes.
_REFUSED_CALLS = (
    "socket", "socketpair", "connect", "bind", "listen", "accept", "accept4", "execve", "execveat", "ptrace",
    "process_vm_readv", "process_vm_writev", "unlink", "unlinkat", "rename", "renameat", "renameat2", "mkdir", "mkdirat",
    "rmdir", "link", "linkat", "symlink", "symlinkat", "mknod", "mknodat", "truncate", "creat", "openat2", "chmod",
    "fchmod", "fchmodat", "chown", "fchown", "lchown", "fchownat", "mount", "umount2", "pivot_root", "chroot", "setns",
    "unshare", "bpf", "perf_event_open", "userfaultfd", "keyctl", "add_key", "request_key", "io_uring_setup", "init_module",
    "finit_module", "kexec_load", "reboot", "memfd_create", "shmget", "tkill", "pidfd_open", "pidfd_send_signal",
)  # fmt: skip
_OPENING = (("open", 1), ("openat", 2))  # and which argument says whether to write
_REFUSED_TO_CHILDREN = ("fork", "vfork", "clone", "clone3", "kill")
_REFUSED_EVENTS = (
    "socket.__new__", "socket.connect", "socket.bind", "socket.getaddrinfo", "subprocess.Popen", "os.exec",
    "os.posix_spawn", "os.spawn", "os.system", "os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink",
    "os.truncate", "os.chmod", "os.chown", "shutil.rmtree", "os.putenv",
)  # fmt: skip
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds on reading one file; times in seconds, sizes in bytes.

    A file without progress (a page, a sheet, a member) for `hang` has failed; each step of progress adds `step_cpu` to the
    `cpu` it may use. `memory` comes on top of what the reading programs themselves take.
    """

    file: int = 256 * MIB
    result: int = 192 * MIB
    memory: int = 1024 * MIB
    cpu: float = 12.0
    step_cpu: float = 0.25
    hang: float = 18.0
    total: float = 300.0


def isolate() -> tuple[str, ...]:
    """Cut this process off the network, other programs and the file system's changes; name the means in force.

    To be called once, after everything that is needed has been imported and while the process has a single thread.
    """
    os.nice(_NICENESS)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    means = ["memory, time and file-size limits"]
    if _without_network():
        means.append("network namespace")
    if _without_privileges():
        means.append("no new privileges")
    if _filtered(_REFUSED_CALLS):
        means.append("seccomp")
    sys.addaudithook(_refuse)
    return (*means, "audit hook")


def confine(limits: Limits) -> None:
    """Put this freshly forked child under the limits."""
    os.setsid()
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    room = _mapped() + limits.memory
    for what, bound in ((resource.RLIMIT_AS, room), (resource.RLIMIT_NOFILE, 64)):
        _lower(what, bound)
    allow_cpu(limits.cpu, limits)
    _filtered(_REFUSED_TO_CHILDREN)


def allow_cpu(seconds: float, limits: Limits) -> None:
    """Let this process use so many seconds of CPU in all; SIGXCPU ends it after that."""
    soft = min(int(seconds) + 1, int(limits.total))
    resource.setrlimit(resource.RLIMIT_CPU, (soft, int(limits.total) + 1))


def _lower(what: int, bound: int) -> None:
    hard = resource.getrlimit(what)[1]
    bound = bound if hard == resource.RLIM_INFINITY else min(bound, hard)
    try:
        resource.setrlimit(what, (bound, bound))
    except (OSError, ValueError):  # macOS refuses some bounds on memory; the clock still holds
        return


def _mapped() -> int:
    """Return the bytes of address space in use; half a gibibyte where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except OSError:
        return 512 * MIB
    return pages * resource.getpagesize()


def _without_network() -> bool:
    """Enter a network namespace with nothing in it; a user namespace makes that possible without privileges."""
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    return any(libc.unshare(flags) == 0 for flags in (_CLONE_NEWUSER | _CLONE_NEWNET, _CLONE_NEWNET))


def _without_privileges() -> bool:
    return _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def _prctl(option: int, value: int) -> bool:
    return sys.platform == "linux" and bool(ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) == 0)


def _filtered(calls: Iterable[str]) -> bool:
    """Refuse system calls from now on, in this process and its children; False where libseccomp is missing."""
    try:
        import pyseccomp  # noqa: PLC0415 - it looks for libseccomp when imported, and that may be missing
    except (ImportError, OSError, RuntimeError):
        return False
    rules = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    for call in calls:
        with suppress(OSError, ValueError):  # a call this kernel or architecture does not have
            rules.add_rule(pyseccomp.ERRNO(errno.EPERM), call)
    for (call, place), flag in product(_OPENING, (os.O_WRONLY, os.O_RDWR, os.O_CREAT)):
        with suppress(OSError, ValueError):
            rules.add_rule(pyseccomp.ERRNO(errno.EPERM), call, pyseccomp.Arg(place, pyseccomp.MASKED_EQ, flag, flag))
    try:
        rules.load()
    except OSError:
        return False
    return True


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    if event in _REFUSED_EVENTS:
        raise PermissionError(errno.EPERM, f"{event} is not allowed while reading a file")
    if event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITES:
        raise PermissionError(errno.EPERM, "Nothing may be written while reading a file")
