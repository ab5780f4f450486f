"""Calls of Discord's API, with the real library: never too many in a second, and what is newer stands."""

import asyncio
from bisect import bisect_left
from collections import deque
from collections.abc import AsyncIterator

import discord
import pytest

from adapters.discord import calls
from adapters.discord.calls import quiet
from adapters.discord.mode import Mode
from adapters.discord.stream import Shows
from bot.chat import Answer, Reply
from tests.simulators.discord import Discord


@pytest.fixture
async def simulated() -> AsyncIterator[Discord]:
    async with Discord.open() as opened:
        opened.user(101, "Ada")
        opened.guild(10, members=[101])
        opened.channel(20, "general", guild=10)
        yield opened


@pytest.fixture
async def client(simulated: Discord) -> AsyncIterator[discord.Client]:
    mode = Mode(simulated.token, simulated.api_url)
    calls.point_at(mode)
    async with calls.open_client(mode, calls.paced()) as opened:
        yield opened


async def test_there_are_never_fifty_calls_in_a_second(simulated: Discord, client: discord.Client) -> None:
    simulated.rest.moments.clear()
    for n in range(120):
        simulated.channel(100 + n, f"c{n}", guild=10)
    await asyncio.gather(*(client.get_partial_messageable(100 + n).send("x", allowed_mentions=quiet()) for n in range(120)))
    moments = simulated.rest.moments
    assert max(bisect_left(moments, one + 1.0) - n for n, one in enumerate(moments)) < 50


async def test_what_was_on_its_way_when_it_was_broken_off_does_not_stand_over_what_is_newer(
    simulated: Discord, client: discord.Client
) -> None:
    question = await simulated.say(20, 101, "<@900> who?")
    shows, reply = Shows(client), Reply("reply/p/1", "discord:10:20", None, str(question.id), "discord:10:101", fresh=True)
    shown = await shows.open(reply)
    simulated.rest.faults = {"edit": deque(["slow"])}
    writing = asyncio.create_task(shows.write(reply, shown, "Gudrun, per"))
    await simulated.until(lambda: simulated.rest.calls["edit"])
    writing.cancel()
    await shows.finish(reply, shown, Answer("Gudrun.", (), False, "stub", "stub", message_id="a" * 32))
    await asyncio.sleep(0.6)
    [said] = simulated.answers(question)
    assert said.content == "Gudrun."
    assert said.is_whole
