"""Who sees which channel of Discord, against what Discord itself computes for every member: as discord.py does it."""

import asyncio
from types import SimpleNamespace
from typing import Any

import discord
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.discord.members import Seen, places, reads, sees
from adapters.discord.sight import ADMINISTRATOR, HISTORY, VIEW
from tests.simulators.discord import Channel, Guild

GUILD, ROLES, PEOPLE, CHANNELS = 10, (11, 12, 13), (101, 102, 103, 104), (21, 22, 23)

_bits = st.sampled_from([0, VIEW, HISTORY, VIEW | HISTORY])
_role = st.sampled_from([0, VIEW, HISTORY, VIEW | HISTORY, ADMINISTRATOR])


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Guild, list[Channel]]:
    """Guilds of a few roles, people and channels."""
    guild = Guild(GUILD, "Globex", owner=1)
    guild.roles = {GUILD: ("@everyone", draw(_bits)), **{role: (f"R{role}", draw(_role)) for role in ROLES}}
    guild.members = {id: draw(st.lists(st.sampled_from(ROLES), unique=True)) for id in PEOPLE}
    channels = []
    for id in CHANNELS:
        targets = draw(st.lists(st.sampled_from([GUILD, *ROLES, *PEOPLE]), unique=True, max_size=4))
        overwrites = []
        for target in targets:
            allow = draw(_bits)
            deny = draw(_bits) & ~allow
            overwrites.append({"id": str(target), "type": int(target in PEOPLE), "allow": str(allow), "deny": str(deny)})
        channels.append(Channel(id, f"c{id}", GUILD, overwrites=overwrites, nsfw=draw(st.integers(0, 5)) == 0))
    return guild, channels


def built(guild: Guild, channels: list[Channel]) -> discord.Guild:
    """Return a guild as the library keeps it."""
    state: Any = SimpleNamespace(
        self_id=900,
        user=SimpleNamespace(id=900),
        shard_count=None,
        cache_guild_expressions=False,
        member_cache_flags=discord.MemberCacheFlags.none(),
        http=None,
        _get_guild=lambda _id: None,
    )
    data: Any = {
        "id": str(GUILD),
        "name": guild.name,
        "owner_id": "1",
        "roles": [guild.role(id) for id in guild.roles],
        "channels": [one.json() for one in channels],
        "members": [],
        "threads": [],
        "emojis": [],
        "features": [],
    }
    return discord.Guild(data=data, state=state)


def person(of: discord.Guild, guild: Guild, id: int) -> discord.Member:
    user = {"id": str(id), "username": "u", "discriminator": "0", "global_name": None, "avatar": None}
    about: Any = {"user": user, "roles": [str(role) for role in guild.members[id]], "joined_at": None, "flags": 0}
    state: Any = of._state
    state.store_user = lambda data, **_: discord.User(state=state, data=data)
    return discord.Member(data=about, guild=of, state=state)


def oracle(channel: discord.abc.GuildChannel, member: discord.Member) -> bool:
    rights = channel.permissions_for(member)
    return rights.view_channel and rights.read_message_history


@settings(max_examples=400, deadline=None)
@given(worlds())
def test_what_a_crowd_reads_everyone_sees_who_sees_its_channel(world: tuple[Guild, list[Channel]]) -> None:
    async def look() -> None:
        guild, channels = world
        of = built(guild, channels)
        seen = places(of)
        everybody = [person(of, guild, id) for id in PEOPLE]
        for here in seen:
            here_ = of.get_channel(int(here.place.rpartition(":")[2]))
            assert here_ is not None
            readers = [one for one in everybody if here_.permissions_for(one).view_channel]
            for there in seen:
                there_ = of.get_channel(int(there.place.rpartition(":")[2]))
                assert there_ is not None
                if reads(here, there) or (there.public and readers):
                    assert all(oracle(there_, one) for one in readers), (here, there)
                if here.crowd == there.crowd and here is not there:
                    assert all(oracle(there_, one) for one in readers)
            for one in everybody:
                assert sees(one, here) == (oracle(here_, one) and not here.apart)

    asyncio.run(look())


def test_an_ordinary_role_shares_what_all_its_channels_hold() -> None:
    """Fails closed all the time would pass the test above; this one says that something is seen."""
    board, plans = ({"id": "11", "type": 0, "allow": str(VIEW | HISTORY), "deny": "0"} for _ in range(2))
    closed = {"id": str(GUILD), "type": 0, "allow": "0", "deny": str(VIEW)}
    guild = Guild(GUILD, "Globex", owner=1, roles={GUILD: ("@everyone", VIEW | HISTORY), 11: ("Board", 0)})
    channels = [
        Channel(21, "general", GUILD),
        Channel(22, "board", GUILD, overwrites=[closed, board]),
        Channel(23, "plans", GUILD, overwrites=[closed, plans]),
    ]

    async def look() -> dict[str, Seen]:
        return {one.name: one for one in places(built(guild, channels))}

    seen = asyncio.run(look())
    assert seen["general"].public
    assert not seen["board"].public
    assert seen["board"].crowd == seen["plans"].crowd
    assert reads(seen["board"], seen["plans"])
    assert not reads(seen["general"], seen["board"])
