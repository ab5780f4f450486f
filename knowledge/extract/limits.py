"""What a child that reads a file may use, and what it can no longer do."""

import ctypes
import errno
import os
import resource
import signal
import struct
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path

import knowledge

MIB = 2**20
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_NICENESS = 5
# What it takes to reach the network, start programs, change files or touch other processes.
_REFUSED_CALLS = (
    "socket", "socketpair", "connect", "bind", "listen", "accept", "accept4", "execve", "execveat", "ptrace",
    "process_vm_readv", "process_vm_writev", "process_madvise", "process_mrelease", "kcmp", "migrate_pages", "move_pages",
    "unlink", "unlinkat", "rename", "renameat", "renameat2", "mkdir", "mkdirat", "rmdir", "link", "linkat", "symlink",
    "symlinkat", "mknod", "mknodat", "truncate", "creat", "openat2", "open_by_handle_at", "chmod", "fchmod", "fchmodat",
    "fchmodat2", "chown", "fchown", "lchown", "fchownat", "utime", "utimes", "utimensat", "futimesat", "setxattr",
    "lsetxattr", "fsetxattr", "setxattrat", "removexattr", "lremovexattr", "fremovexattr", "removexattrat", "mount",
    "umount2", "open_tree", "move_mount", "fsopen", "fspick", "mount_setattr", "pivot_root", "chroot", "setns", "unshare",
    "bpf", "perf_event_open", "userfaultfd", "keyctl", "add_key", "request_key", "io_uring_setup", "init_module",
    "finit_module", "kexec_load", "reboot", "memfd_create", "shmget", "shmat", "tkill", "tgkill", "rt_sigqueueinfo",
    "rt_tgsigqueueinfo", "pidfd_open", "pidfd_send_signal", "pidfd_getfd",
)  # fmt: skip
_OPENING = (("open", 1), ("openat", 2))  # and which argument says whether to write
_ABOUT_A_PROCESS = ("prlimit64", "sched_setaffinity", "sched_setattr", "sched_setparam", "sched_setscheduler")  # 0 is itself
_REFUSED_TO_CHILDREN = ("fork", "vfork", "clone", "clone3", "kill")
_REFUSED_EVENTS = (
    "socket.__new__", "socket.connect", "socket.bind", "socket.getaddrinfo", "subprocess.Popen", "os.exec",
    "os.posix_spawn", "os.spawn", "os.system", "os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink",
    "os.truncate", "os.chmod", "os.chown", "shutil.rmtree", "os.putenv",
)  # fmt: skip
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# Beside Python and this package, what libraries open late: shared objects, fonts, time zones.
_SYSTEM = (
    "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache", "/etc/localtime", "/usr/share/fonts",
    "/usr/local/share/fonts", "/usr/share/zoneinfo", "/dev/null", "/dev/urandom",
)  # fmt: skip
# Landlock, by linux/landlock.h: the calls have these numbers on every architecture.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_VERSION, _PATH_BENEATH = 1, 1
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}  # how many rights each version knows; 16 from the fifth on
_TCP, _SCOPES = 0b11, 0b11  # bind and connect, from version 4; abstract sockets and signals, from version 6


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
    readable = _readable()
    if _sees_only(readable):  # last: loading libseccomp looks around
        means.append("Landlock: reads nothing but its own program")
    sys.addaudithook(partial(_refuse, readable))
    return (*means, "audit hook")


def confine(limits: Limits, mapped: int) -> None:
    """Put this freshly forked child under the limits; `mapped` is the bytes of address space it has from its parent."""
    os.setsid()
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    room = mapped + limits.memory
    for what, bound in ((resource.RLIMIT_AS, room), (resource.RLIMIT_NOFILE, 64)):
        _lower(what, bound)
    allow_cpu(limits.cpu, limits)
    _filtered(_REFUSED_TO_CHILDREN)


def allow_cpu(seconds: float, limits: Limits) -> None:
    """Let this process use so many seconds of CPU in all; SIGXCPU ends it after that."""
    soft = min(int(seconds) + 1, int(limits.total))
    resource.setrlimit(resource.RLIMIT_CPU, (soft, int(limits.total) + 1))


def mapped() -> int:
    """Return the bytes of address space in use; half a gibibyte where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except OSError:
        return 512 * MIB
    return pages * resource.getpagesize()


def _lower(what: int, bound: int) -> None:
    hard = resource.getrlimit(what)[1]
    bound = bound if hard == resource.RLIM_INFINITY else min(bound, hard)
    try:
        resource.setrlimit(what, (bound, bound))
    except (OSError, ValueError):  # macOS refuses some bounds on memory; the clock still holds
        return


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
    for (call, place), flag in product(_OPENING, (os.O_WRONLY, os.O_RDWR, os.O_CREAT, os.O_TRUNC)):
        with suppress(OSError, ValueError):
            rules.add_rule(pyseccomp.ERRNO(errno.EPERM), call, pyseccomp.Arg(place, pyseccomp.MASKED_EQ, flag, flag))
    for call in _ABOUT_A_PROCESS:
        with suppress(OSError, ValueError):
            rules.add_rule(pyseccomp.ERRNO(errno.EPERM), call, pyseccomp.Arg(0, pyseccomp.NE, 0))
    try:
        rules.load()
    except OSError:
        return False
    return True


def _readable() -> tuple[str, ...]:
    """Return the files and folders that reading may still need: Python, its packages, this package, system libraries."""
    own = Path(knowledge.__path__[0]).resolve()
    imported = (path for path in map(Path, sys.path) if path.resolve() != own.parent)  # where data and settings may lie
    places = [own, Path(sys.prefix), Path(sys.base_prefix), *imported, *map(Path, _SYSTEM)]
    return tuple(dict.fromkeys(str(place.resolve()) for place in places if os.access(place, os.R_OK)))


def _sees_only(places: Iterable[str]) -> bool:
    """Let this process and its children open nothing but these places, for reading; False where Landlock is missing."""
    if sys.platform != "linux":
        return False
    call = ctypes.CDLL(None, use_errno=True).syscall
    call.restype = ctypes.c_long
    size, none = ctypes.c_size_t, ctypes.c_uint(0)
    version = call(ctypes.c_long(_CREATE_RULESET), None, size(0), ctypes.c_uint(_ASK_VERSION))
    if version < 1:
        return False
    handled = (1 << _FILE_RIGHTS.get(version, 16)) - 1
    wanted = struct.pack("=QQQ", handled, _TCP if version >= 4 else 0, _SCOPES if version >= 6 else 0)
    rules = call(ctypes.c_long(_CREATE_RULESET), wanted, size(len(wanted)), none)
    if rules < 0:
        return False
    try:
        for place in places:
            held = os.open(place, os.O_PATH | os.O_CLOEXEC)
            try:
                rights = _READ_FILE | _READ_DIR if Path(place).is_dir() else _READ_FILE
                rule = struct.pack("=Qi", rights, held)
                if call(ctypes.c_long(_ADD_RULE), ctypes.c_int(rules), ctypes.c_int(_PATH_BENEATH), rule, none) != 0:
                    return False
            finally:
                os.close(held)
        return bool(call(ctypes.c_long(_RESTRICT_SELF), ctypes.c_int(rules), none) == 0)
    finally:
        os.close(rules)


def _refuse(readable: tuple[str, ...], event: str, arguments: tuple[object, ...]) -> None:
    if event in _REFUSED_EVENTS:
        raise PermissionError(errno.EPERM, f"{event} is not allowed while reading a file")
    if event != "open":
        return
    path, _, flags = arguments
    if isinstance(flags, int) and flags & _WRITES:
        raise PermissionError(errno.EPERM, "Nothing may be written while reading a file")
    if isinstance(path, str | bytes) and not _within(os.path.realpath(os.fsdecode(path)), readable):
        raise PermissionError(errno.EPERM, "No other file may be opened while reading a file")


def _within(path: str, places: tuple[str, ...]) -> bool:
    return any(path == place or path.startswith(place + os.sep) for place in places)
