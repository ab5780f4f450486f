"""Keeps away from a model that fails, and tries it again carefully."""

from collections import deque
from collections.abc import Callable


class Breaker:
    """Opens after `most` failures in a row within `within` seconds; after `rest` more it lets one probe through at a time.

    Who is let in by `admits` says what became of it by one of `worked`, `failed` and `left`.
    """

    def __init__(self, clock: Callable[[], float], *, most: int = 5, within: float = 30.0, rest: float = 30.0) -> None:
        self._clock, self._within, self._rest = clock, within, rest
        self._failures = deque[float](maxlen=most)
        self._opened: float | None = None
        self._probing = False
        self._held_until = 0.0

    @property
    def open(self) -> bool:
        """Whether nobody is let in at this moment."""
        return self._opened is not None and (self._probing or self._clock() < self._opened + self._rest)

    @property
    def held_until(self) -> float:
        """The time before which the server asked not to be asked."""
        return self._held_until

    def admits(self) -> bool:
        """Let somebody in, or not; the first one after the rest is the probe."""
        if self.open:
            return False
        self._probing = self._opened is not None
        return True

    def worked(self) -> None:
        """Take note of a success: the model is trusted again."""
        self._failures.clear()
        self._opened, self._probing = None, False

    def failed(self, wait: float = 0.0) -> None:
        """Take note of a failure, and of the seconds that the server asks to wait."""
        now = self._clock()
        self._held_until = max(self._held_until, now + wait)
        self._failures.append(now)
        many = len(self._failures) == self._failures.maxlen and now - self._failures[0] <= self._within
        if self._probing or (many and self._opened is None):
            self._opened = now
        self._probing = False

    def left(self) -> None:
        """Take note that nothing was learned, such as when the asker went away."""
        self._probing = False
