"""A platform that limits, loses, refuses or goes away: each answer is shown once, and nobody is pestered."""

from collections import deque
from collections.abc import AsyncIterator, Sequence
from itertools import pairwise

import pytest
import pytest_asyncio

from bot.chat import Message
from tests.faults.running import Running, running
from tests.simulators.platform import said

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def one(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    async with running(tmp_path_factory.mktemp("platform")) as twin:
        await twin.start()
        twin.platform.files["hours.md"] = b"# Hours\n\nThe canteen opens at half past twelve.\n"
        await twin.redeliver([message := said("", "file", files=("hours.md",))])
        await twin.said(message)
        yield twin
        assert await twin.stop() == 0, twin.log()[-2000:]


async def asked(one: Running, id: str, account: int, **faults: Sequence[int | str]) -> Message:
    """Ask when the canteen opens, on a platform with these faults."""
    one.platform.faults = {kind: deque(planned) for kind, planned in faults.items()}
    one.platform.calls.clear()
    one.platform.moments.clear()
    question = said("When does the canteen open?", id, account=f"sim:T1:M{account}")
    assert await one.deliver(question)
    return question


async def test_a_platform_that_asks_for_patience_is_given_as_much_as_it_asks_for(one: Running) -> None:
    question = await asked(one, "limited", 1, open=[429], finish=[429, 429])
    assert "half past twelve" in (await one.said(question))[0]
    for kind in ("open", "finish"):
        moments = one.platform.moments[kind]
        assert all(later - earlier >= 0.2 for earlier, later in pairwise(moments))
    assert (one.platform.calls["open"], one.platform.calls["finish"]) == (2, 3)


@pytest.mark.parametrize("call", ["open", "finish"])
async def test_what_the_platform_did_without_saying_so_is_not_done_twice(one: Running, call: str) -> None:
    question = await asked(one, f"unsaid-{call}", 2, **{call: ["timeout after", "reset"]})
    assert "half past twelve" in (await one.said(question))[0]
    await one.quiet()
    assert one.platform.calls[call] == 3
    assert len([post for post in one.platform.posts.values() if post.to == question.id]) == 1


async def test_a_platform_that_is_away_for_long_gets_the_answer_and_no_apology(one: Running) -> None:
    question = await asked(one, "away", 3, finish=[500] * 4)
    assert "half past twelve" in (await one.said(question))[0]
    await one.quiet()
    assert one.platform.visible("away")[0].finishes == 1


@pytest.mark.parametrize(("call", "status"), [("open", 403), ("open", 401), ("finish", 403), ("finish", 404)])
async def test_what_the_platform_will_never_take_is_tried_once_and_logged_once(one: Running, call: str, status: int) -> None:
    question = await asked(one, f"never-{call}-{status}", 4 + status % 4, **{call: [status] * 9})
    await one.platform.until(lambda: one.platform.calls[call] > 0)
    await one.quiet()
    assert one.platform.calls[call] == 1
    assert one.finals(question) == []
    told = [line for line in one.log().splitlines() if "a reply cannot be delivered" in line and question.id in line]
    assert len(told) == 1


async def test_of_a_file_that_the_platform_no_longer_has_the_place_is_told(one: Running) -> None:
    one.platform.faults = {}
    upload = said("", "no file", files=("gone.md",), account="sim:T1:M8")
    assert await one.deliver(upload)
    [receipt] = await one.said(upload)
    assert "gone.md" in receipt
    assert "404" in receipt
