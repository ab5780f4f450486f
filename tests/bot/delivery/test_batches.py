"""What comes at the same time is done together, and nobody waits for ever."""

import asyncio
import sqlite3
from collections.abc import Sequence

import pytest
from sqlalchemy.exc import OperationalError

from bot.delivery.batches import Batches


class Slow:
    """Doubles numbers, when it is let; refuses 13."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.begun, self.go = asyncio.Event(), asyncio.Event()

    async def together(self, items: Sequence[int]) -> list[int]:
        self.batches.append(list(items))
        self.begun.set()
        await self.go.wait()
        if 13 in items:
            raise ValueError("13")
        return [2 * item for item in items]


async def begun(slow: Slow, batches: Batches[int, int], items: Sequence[int]) -> list[asyncio.Task[int]]:
    """Let items come while the first is under way."""
    tasks = [asyncio.create_task(batches.take(item), name=f"take {item}") for item in items]
    await slow.begun.wait()
    return tasks


async def test_what_comes_while_one_is_under_way_is_done_together_after_it() -> None:
    slow = Slow()
    tasks = await begun(slow, Batches(slow.together, most=3), [1, 2, 3, 4, 5])
    slow.go.set()
    assert await asyncio.gather(*tasks) == [2, 4, 6, 8, 10]
    assert slow.batches == [[1], [2, 3, 4], [5]]


async def test_one_that_fails_does_not_fail_the_others() -> None:
    slow = Slow()
    tasks = await begun(slow, Batches(slow.together, most=9), [1, 2, 13, 4])
    slow.go.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [results[0], results[1], results[3]] == [2, 4, 8]
    assert isinstance(results[2], ValueError)


@pytest.mark.parametrize("gone", [0, 1, 2])
async def test_whoever_is_cancelled_leaves_nobody_waiting(gone: int) -> None:
    slow = Slow()
    batches = Batches(slow.together, most=9)
    tasks = await begun(slow, batches, [1, 2, 3])
    tasks[gone].cancel()
    slow.go.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(results[gone], asyncio.CancelledError)
    assert [one for one in results if not isinstance(one, BaseException)] == [2 * n for n in (1, 2, 3) if n != gone + 1]
    assert await batches.take(7) == 14


async def test_a_turn_that_comes_to_someone_who_has_gone_is_handed_on() -> None:
    slow = Slow()
    batches = Batches(slow.together, most=1)
    tasks = await begun(slow, batches, [1, 2, 3])
    slow.go.set()
    assert await tasks[0] == 2
    tasks[1].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert results[2] == 6
    assert await batches.take(7) == 14


async def test_what_the_storage_will_not_take_is_not_tried_again_one_by_one() -> None:
    asked = list[int]()

    async def together(items: Sequence[int]) -> list[int]:
        asked.append(len(items))
        await asyncio.sleep(0)
        raise OperationalError("INSERT", {}, sqlite3.OperationalError("database is locked"))

    batches = Batches(together, most=10)
    done = await asyncio.gather(*(batches.take(item) for item in range(5)), return_exceptions=True)
    assert all(isinstance(one, OperationalError) for one in done)
    assert asked == [1, 4]
