"""What comes at the same time is done together: one transaction for many, with nobody waiting for more to come."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from sqlalchemy.exc import OperationalError

T = TypeVar("T")
R = TypeVar("R")


@dataclass(eq=False, slots=True)
class _Waiting(Generic[T, R]):
    item: T
    done: "asyncio.Future[R | None]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Batches(Generic[T, R]):
    """Hands items to `together`, all that wait at once but `most` at the most; what fails together is tried one by one.

    Whoever comes while nothing is under way does it for all who wait, and then the first of those who came meanwhile: there
    is no task of its own to be looked after. Database people know this as group commit.
    """

    def __init__(self, together: Callable[[Sequence[T]], Awaitable[Sequence[R]]], *, most: int) -> None:
        self._together = together
        self._most = most
        self._waiting: list[_Waiting[T, R]] = []
        self._led = False

    async def take(self, item: T) -> R:
        """Return what became of an item; raises what it alone raises."""
        mine: _Waiting[T, R] = _Waiting(item)
        self._waiting.append(mine)
        if self._led:
            if (result := await self._turn(mine)) is not None:
                return result
            mine.done = asyncio.get_running_loop().create_future()  # its turn to do it for all
        self._led = True
        batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
        try:
            await self._do([one for one in batch if not one.done.cancelled()])
        finally:
            self._hand_over()
        result = await mine.done
        assert result is not None  # noqa: S101 - only a turn is None
        return result

    async def _turn(self, mine: _Waiting[T, R]) -> R | None:
        """Wait until it was done, or `None` until it is one's own turn to do it for all."""
        try:
            return await mine.done
        except asyncio.CancelledError:
            if mine.done.done() and not mine.done.cancelled() and mine in self._waiting:  # the turn came too late
                self._waiting.remove(mine)
                self._hand_over()
            raise

    async def _do(self, batch: Sequence[_Waiting[T, R]]) -> None:
        try:
            results = await self._together([one.item for one in batch])
        except OperationalError as error:  # it is the storage that is in trouble, whoever asks
            for one in batch:
                if not one.done.done():
                    one.done.set_exception(error)
            return
        except Exception as error:
            if len(batch) == 1:
                batch[0].done.set_exception(error)
                return
            for one in batch:
                await self._do([one])
            return
        except BaseException:  # it was cancelled who did it for all: the others must not wait for ever
            for one in batch:
                one.done.cancel()
            raise
        for one, result in zip(batch, results, strict=True):
            if not one.done.done():
                one.done.set_result(result)

    def _hand_over(self) -> None:
        self._led = False
        for one in self._waiting:
            if not one.done.done():
                self._led = True
                one.done.set_result(None)
                return
