"""Places where a test can have things go wrong: killed, refused, hanging, disk full. Off, one costs a look into a dict."""

import asyncio
import builtins
import errno
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from itertools import count

_FORM = "name:action or name:action:n, where action is kill9, hang, enospc, sleep:<seconds> or raise:<exception>"
_FOR_EVER = 1e9  # seconds


@dataclass(frozen=True, slots=True)
class _Planned:
    """What is to happen at a place, and at which passing (None: at each)."""

    seconds: float
    strike: Callable[[], None]
    passing: int | None
    passings: Iterator[int] = field(default_factory=lambda: count(1))

    def due(self) -> bool:
        return self.passing in {None, next(self.passings)}


class Faults:
    """The places of this process; nothing happens at any of them until `arm` says so."""

    def __init__(self) -> None:
        self._planned: dict[str, _Planned] = {}

    def arm(self, text: str) -> None:
        """Plan what `TWIN_FAULT` asks for, instead of what was planned before; an empty text plans nothing.

        `name:action[:n]`, several separated by commas; n is the passing at which it happens (1 if left out, `*` for each).
        `kill9` ends the process as `kill -9` does, `enospc` raises what a full disk raises, `raise:<exception>` a builtin
        exception or one of ours by its dotted name, `hang` never goes on, `sleep:<seconds>` goes on late.
        Raises `ValueError` with a sentence when the text cannot be understood.
        """
        self._planned = dict(_parsed(one.strip()) for one in text.split(",") if one.strip())

    def point(self, name: str) -> None:
        """Pass a place in code that does not await; a hang holds up its whole thread, on the event loop everything."""
        if name in self._planned and (planned := self._planned[name]).due():
            time.sleep(planned.seconds)
            planned.strike()

    async def apoint(self, name: str) -> None:
        """Pass a place in code that can await; a hang holds up this task alone, and can be cancelled."""
        if name in self._planned and (planned := self._planned[name]).due():
            await asyncio.sleep(planned.seconds)
            planned.strike()


fault = Faults()


def _parsed(text: str) -> tuple[str, _Planned]:
    name, *words = text.split(":")
    try:
        seconds, strike = _action(words)
        passing = {(): 1, ("*",): None}.get(tuple(words), 0)
        if passing == 0:
            [number] = words
            passing = int(number)
            if passing < 1:
                raise ValueError("passings are counted from 1")  # noqa: TRY301 - one sentence for all that can be wrong
    except (AttributeError, ImportError, IndexError, TypeError, ValueError) as error:
        raise ValueError(f"TWIN_FAULT: {text!r} cannot be understood ({error}). It should read {_FORM}.") from error
    return name, _Planned(seconds, strike, passing)


def _action(words: list[str]) -> tuple[float, Callable[[], None]]:
    """Take the words of an action off the front; return how long it waits and what it does then."""
    match words.pop(0):
        case "kill9":
            return 0, lambda: os.kill(os.getpid(), signal.SIGKILL)
        case "hang":
            return _FOR_EVER, lambda: None
        case "sleep":
            return float(words.pop(0)), lambda: None
        case "enospc":
            return 0, _raising(lambda: OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
        case "raise":
            return 0, _raising(_exception(words.pop(0)))
        case other:
            raise ValueError(f"there is no action {other!r}")


def _exception(name: str) -> Callable[[], BaseException]:
    module, _, kind = name.rpartition(".")
    found = getattr(import_module(module) if module else builtins, kind)
    if not (isinstance(found, type) and issubclass(found, BaseException)):
        raise TypeError(f"{name} is no exception")
    try:
        found("planned")
    except TypeError:
        found()  # those whose text is fixed
        return found
    return lambda: found("planned by TWIN_FAULT")


def _raising(make: Callable[[], BaseException]) -> Callable[[], None]:
    def strike() -> None:
        raise make()

    return strike
