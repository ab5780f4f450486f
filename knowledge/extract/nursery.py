"""A process with every parser loaded that forks a limited child for each file: `python -m knowledge.extract.nursery`."""

import contextlib
import gc
import logging
import os
import select
import signal
import socket
import sys
import warnings
from pathlib import Path

from tokenizers import Tokenizer

from knowledge.extract import child, language, limits
from knowledge.extract.wire import Frame, frame

IDLE = 60.0


class Nursery:
    """Fork a child for every pair of file and reply socket that arrives on `control`; end when that closes or nobody asks.

    A reply socket whose other end closes means that nobody waits any more: its child is killed.
    """

    def __init__(self, control: socket.socket, tokenizer: Tokenizer, mapped: int) -> None:
        self._control = control
        self._tokenizer = tokenizer
        self._mapped = mapped
        self._poll = select.poll()
        self._poll.register(control, select.POLLIN)
        self._replies: dict[int, int] = {}
        self._lives: dict[int, tuple[int, int]] = {}

    def run(self) -> None:
        """Serve until the parent is gone or has asked for nothing for a while."""
        while True:
            events = self._poll.poll(None if self._lives else IDLE * 1000)
            if not events:
                return
            for descriptor, _ in events:
                if descriptor == self._control.fileno():
                    if not self._take():
                        return
                elif descriptor in self._lives:
                    self._bury(descriptor)
                elif descriptor in self._replies:
                    self._abandon(descriptor)

    def _take(self) -> bool:
        message, descriptors, _, _ = socket.recv_fds(self._control, 1, 2)
        if not message or len(descriptors) != 2:
            return False
        file, reply = descriptors
        life, held = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(life)
            self._become_child(file, reply)
        os.close(file)
        os.close(held)
        self._lives[life] = (pid, reply)
        self._replies[reply] = pid
        self._poll.register(life, 0)
        self._poll.register(reply, 0)
        return True

    def _become_child(self, file: int, reply: int) -> None:
        status = 1
        try:
            self._control.close()
            for descriptor in (*self._lives, *self._replies):
                os.close(descriptor)
            child.serve(file, reply, self._tokenizer, self._mapped)
            status = 0
        finally:  # a child never returns into its parent's loop
            os._exit(status)

    def _abandon(self, reply: int) -> None:
        self._poll.unregister(reply)
        os.kill(self._replies[reply], signal.SIGKILL)

    def _bury(self, life: int) -> None:
        """Tell the parent how a child ended and forget it."""
        pid, reply = self._lives.pop(life)
        del self._replies[reply]
        self._poll.unregister(life)
        with contextlib.suppress(KeyError):  # abandoned before
            self._poll.unregister(reply)
        _, status = os.waitpid(pid, 0)
        with contextlib.suppress(OSError):  # nobody waits for it any more
            os.set_blocking(reply, False)
            os.write(reply, frame(Frame.ENDED, os.waitstatus_to_exitcode(status)))
        os.close(life)
        os.close(reply)


def main() -> None:
    """Load everything, give up everything, say which means of containment are in force, serve."""
    control = socket.socket(fileno=int(sys.argv[1]))
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    tokenizer = Tokenizer.from_file(str(Path(sys.argv[2])))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    tokenizer.encode("warm")
    language.language_of(
        "A sentence that is long enough for its language to be told, so that the model is loaded once for all."
    )
    mapped = limits.mapped()  # afterwards /proc is out of reach
    means = limits.isolate()
    gc.collect()
    gc.freeze()  # a collection in a child would copy every page it touches
    control.sendall(frame(Frame.DONE, means))
    Nursery(control, tokenizer, mapped).run()


if __name__ == "__main__":
    main()
