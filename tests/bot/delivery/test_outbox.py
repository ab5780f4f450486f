"""What is shown is shown once and whole, whatever the platform does."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.chat import Delta, Notice, Reply, Restart, TryLater
from bot.db import open_database
from bot.delivery.outbox import Outbox, Sent, State
from tests.simulators.platform import Platform, PlatformAdapter

REPLY = Reply("reply/sim:T1:C1/1", "sim:T1:C1", None, "1", "sim:T1:U1")


@pytest.fixture
async def platform() -> AsyncIterator[Platform]:
    async with Platform.open() as opened:
        yield opened


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    async with open_database(f"sqlite+aiosqlite:///{tmp_path / 'twin.db'}") as opened:
        yield opened


@pytest.fixture
async def outbox(engine: AsyncEngine, platform: Platform) -> AsyncIterator[Outbox]:
    async with aiohttp.ClientSession() as session:
        adapter = PlatformAdapter(platform.url, session, pace=0.0)
        yield Outbox(engine, lambda _place: adapter)


async def content(sent: Sent) -> Notice | None:
    return Notice(sent.text) if sent.text is not None else None


async def test_a_reply_is_opened_once_and_found_again(outbox: Outbox, platform: Platform) -> None:
    shown = await outbox.open(REPLY)
    assert await outbox.open(REPLY) == shown
    assert len(platform.visible()) == 1


async def test_whoever_comes_after_a_kill_completes_the_same_post(outbox: Outbox, platform: Platform) -> None:
    await outbox.open(REPLY)
    await outbox.whole(REPLY, text="at noon")
    assert await outbox.deliver(REPLY.key, content)
    assert await outbox.deliver(REPLY.key, content)
    [post] = platform.visible()
    assert (post.text, post.final, post.finishes) == ("at noon", True, 1)


async def test_a_post_whose_answer_was_lost_on_the_way_is_not_made_twice(outbox: Outbox, platform: Platform) -> None:
    platform.faults["open"] = deque(["timeout after"])
    with pytest.raises(TimeoutError):
        await outbox.open(REPLY)
    await outbox.open(REPLY)
    assert len(platform.visible()) == 1


async def test_patience_that_the_platform_asks_for_is_passed_on(outbox: Outbox, platform: Platform) -> None:
    await outbox.whole(REPLY, text="at noon")
    platform.faults["finish"] = deque([429])
    with pytest.raises(TryLater) as later:
        await outbox.deliver(REPLY.key, content)
    assert later.value.seconds == pytest.approx(0.2)
    assert await outbox.deliver(REPLY.key, content)
    assert [post.text for post in platform.visible()] == ["at noon"]


async def test_what_the_platform_refuses_for_good_is_not_tried_again(outbox: Outbox, platform: Platform) -> None:
    await outbox.whole(REPLY, text="at noon")
    platform.faults["open"] = deque([403])
    assert not await outbox.deliver(REPLY.key, content)
    calls = platform.calls["open"]
    assert not await outbox.deliver(REPLY.key, content)
    assert platform.calls["open"] == calls
    sent = await outbox.sent(REPLY.key)
    assert sent is not None
    assert sent.state is State.FAILED


async def test_what_has_no_content_any_more_is_withdrawn(outbox: Outbox, platform: Platform) -> None:
    await outbox.open(REPLY)
    await outbox.whole(REPLY)
    assert not await outbox.deliver(REPLY.key, content)
    assert platform.visible() == []


async def test_a_withdrawn_reply_keeps_none_of_its_words(outbox: Outbox, platform: Platform) -> None:
    await outbox.whole(REPLY, text="my secret")
    await outbox.deliver(REPLY.key, content)
    await outbox.withdraw(REPLY.key)
    await outbox.withdraw(REPLY.key)
    sent = await outbox.sent(REPLY.key)
    assert sent is not None
    assert (sent.state, sent.text, platform.visible()) == (State.WITHDRAWN, None, [])


async def test_what_was_posted_without_the_twin_being_told_is_withdrawn_too(outbox: Outbox, platform: Platform) -> None:
    platform.faults["open"] = deque(["timeout after"])
    with pytest.raises(TimeoutError):
        await outbox.open(REPLY)
    assert len(platform.visible()) == 1
    await outbox.withdraw(REPLY.key)
    assert platform.visible() == []


async def test_an_answer_grows_where_it_is_shown_and_a_restart_begins_anew(outbox: Outbox, platform: Platform) -> None:
    shown = await outbox.open(REPLY)
    async with outbox.showing(REPLY, shown) as showing:
        for piece in (Delta("At "), Delta("one"), Restart(), Delta("At noon.")):
            showing.add(piece)
            await platform.until(lambda: platform.calls["write"] > 0)
        await platform.until(lambda: platform.posts[shown].text == "At noon.")
    assert not platform.posts[shown].final


async def test_trouble_with_a_part_of_an_answer_does_not_end_it(outbox: Outbox, platform: Platform) -> None:
    shown = await outbox.open(REPLY)
    platform.faults["write"] = deque([500, 429])
    async with outbox.showing(REPLY, shown) as showing:
        showing.add(Delta("At noon."))
        await platform.until(lambda: platform.calls["write"] > 0)
        await asyncio.sleep(0)
    await outbox.whole(REPLY, text="At noon.")
    assert await outbox.deliver(REPLY.key, content)


async def test_what_goes_wrong_with_an_answer_is_known_for_what_it_is(outbox: Outbox) -> None:
    shown = await outbox.open(REPLY)
    with pytest.raises(TryLater):
        async with outbox.showing(REPLY, shown):
            raise TryLater("later")
