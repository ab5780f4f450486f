"""Who sees which channel, kept as Discord shows it; what is not known lets nobody see anything.

Discord does not tell an app who all is in a guild. So beside the people who have spoken with the twin, each channel that not
everyone sees has a crowd: an account that stands for whoever sees it, and reads what all of them certainly see (see
`adapters.discord.sight`). An answer in the channel is then read by its crowd, like by any other member.
"""

import asyncio
import hashlib
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import TypeVar

import discord
import structlog
from discord.abc import GuildChannel

from adapters.common.handed import People
from adapters.discord import names
from adapters.discord.calls import Failed, calling
from adapters.discord.sight import CONNECT, HISTORY, VIEW, Grant, Overwrite, Rights
from bot.chat import Account, Kind, PlaceKind

K = TypeVar("K")
V = TypeVar("V")

log = structlog.get_logger()

FRESH = 300.0  # seconds for which what Discord said is taken for true
_KEPT = 5_000  # people who are remembered
_NOBODY = frozenset[Grant]()
NEVER = float("-inf")


@dataclass(frozen=True, slots=True)
class Seen:
    """A place with what is known of who sees it; `apart` is what is used nowhere else, such as an age-restricted channel."""

    place: str
    name: str
    viewers: frozenset[Grant]
    certain: frozenset[Grant]
    public: bool = False
    apart: bool = False

    @property
    def crowd(self) -> str:
        """Return the account that stands for whoever sees the place; places that all the same people see have the same."""
        own = "" if self.viewers <= self.certain else self.place
        told = ",".join([own, *sorted(self.viewers)])
        return names.account(names.guild(self.place), f"crowd-{hashlib.sha256(told.encode()).hexdigest()[:16]}")


class Members:
    """Tells the twin who sees what: of whole guilds whenever something changes in them, of people when they speak."""

    def __init__(self, people: People, clock: Callable[[], float] = monotonic) -> None:
        self._people = people
        self._clock = clock
        self._guilds: dict[int, discord.Guild] = {}
        self._known: defaultdict[int, OrderedDict[int, discord.Member]] = defaultdict(OrderedDict)
        self._told: OrderedDict[str, float] = OrderedDict()  # when Discord last told of an account
        self._names: OrderedDict[str, str] = OrderedDict()
        self._busy: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._changed: set[int] = set()
        self._placed: set[str] = set()
        self._seen: dict[int, list[Seen]] = {}  # what was written down of each guild last

    def name(self, account: str) -> str:
        """Return what an account is called, as far as it is known."""
        return self._names.get(account, "")

    @property
    def guilds(self) -> Sequence[discord.Guild]:
        """The guilds that the twin is in and connected with."""
        return list(self._guilds.values())

    def disconnected(self) -> None:
        """Forget what a connection told: what is not told again soon is believed no more."""
        self._guilds.clear()

    async def keep(self) -> None:
        """Confirm everything before it is too old, as long as there is a connection; until cancelled."""
        while True:
            await asyncio.sleep(FRESH - 60)
            for guild in self.guilds:
                try:
                    await self.guild(guild)
                except Exception as error:
                    log.warning("who sees what could not be confirmed", reason=type(error).__name__)

    # --- guilds

    async def guild(self, guild: discord.Guild) -> None:
        """Write down what is seen by whom in a guild; of many changes at once, the last is enough."""
        self._changed.add(guild.id)
        async with self._busy[guild.id]:
            if guild.id not in self._changed:
                return
            self._changed.discard(guild.id)
            self._guilds[guild.id] = guild
            tenant, seen = names.tenant(guild.id), places(guild)
            self._seen[guild.id] = seen
            crowds = {one.crowd: Account(one.crowd, Kind.MEMBER, f"those who see {one.name}") for one in seen if not one.public}
            await self._people.roster(tenant, list(crowds.values()))
            for one in seen:
                kind = PlaceKind.PUBLIC if one.public else PlaceKind.PRIVATE
                await self._people.placed(one.place, tenant=tenant, kind=kind, name=one.name)
                await self._people.reopened(one.place)
                await self._people.members(one.place, [] if one.public else self._readers(guild, one, seen))
                self._placed.add(one.place)

    def _readers(self, guild: discord.Guild, one: Seen, seen: Sequence[Seen]) -> list[str]:
        """Return the crowds that certainly see a place, its own, and the people of whom it is known."""
        crowds = {one.crowd, *(other.crowd for other in seen if not other.public and reads(other, one))}
        return sorted(crowds | {names.account(guild.id, id) for id, m in self._known[guild.id].items() if sees(m, one)})

    async def left(self, guild: int) -> None:
        """Ask no more about a guild that the twin is not in."""
        self._guilds.pop(guild, None)
        self._known.pop(guild, None)
        self._seen.pop(guild, None)

    # --- people

    async def confirm(self, place: str, account: str) -> None:
        """Ask Discord about somebody, unless it was asked a moment ago, and write down where they are alone with the twin."""
        where, user = names.where(place), int(names.user(account))
        if where.guild == names.PRIVATE:
            for guild in self.guilds:
                await self._met(guild, user)
            await self._alone(place, account, where.tenant)
            return
        here = self._guilds.get(int(where.guild))
        if here is None:
            return  # not connected: nothing is believed for long
        if not where.alone and place not in self._placed and here.get_channel(int(where.channel)):
            await self.guild(here)  # a channel that was made a moment ago
        await self._met(here, user)
        if where.alone:
            await self._alone(place, account, where.tenant)
        elif (thread := here.get_thread(int(where.channel))) and thread.is_private():
            await self._private(here, thread, account)

    async def _alone(self, place: str, account: str, tenant: str) -> None:
        user = names.user(account)
        anchor = names.account(names.PRIVATE, user)
        is_member = any(int(user) in self._known[guild.id] for guild in self.guilds)
        known = Account(anchor, Kind.MEMBER if is_member else Kind.EXTERNAL, self.name(anchor))
        await self._people.roster(names.tenant(names.PRIVATE), [known])
        await self._people.placed(place, tenant=tenant, kind=PlaceKind.DIRECT)
        await self._people.members(place, [account])

    async def _private(self, guild: discord.Guild, thread: discord.Thread, account: str) -> None:
        """Write down who may read a private thread: at most those who see its channel, and for certain who speaks in it."""
        there = self._seen.get(guild.id, [])
        parent = next((one for one in there if one.place == names.place(guild.id, thread.parent_id)), None)
        if parent is None:
            return
        seen = Seen(names.place(guild.id, thread.id), thread.name, parent.viewers, _NOBODY, apart=parent.apart)
        tenant = names.tenant(guild.id)
        await self._people.roster(tenant, [Account(seen.crowd, Kind.MEMBER, f"those who see {thread.name}")])
        await self._people.placed(seen.place, tenant=tenant, kind=PlaceKind.PRIVATE, name=thread.name)
        await self._people.members(seen.place, [seen.crowd, account])
        others = [one.place for one in there if not one.public and reads(seen, one)]
        await self._people.reads(seen.crowd, tenant, [seen.place, *others])

    async def _met(self, guild: discord.Guild, user: int) -> None:
        """Ask Discord what somebody is in a guild, unless it was asked a moment ago."""
        account = names.account(guild.id, user)
        if self._clock() - self._told.get(account, NEVER) < FRESH:
            return
        try:
            with calling():
                member = await guild.fetch_member(user)
        except Failed as error:
            if error.status != 404:
                raise
            self._known[guild.id].pop(user, None)
            await self._people.gone(account)
            _keep(self._told, account, self._clock())
        else:
            await self.met(member)

    async def met(self, member: discord.Member) -> None:
        """Write down somebody as they are now, and what they see."""
        guild, tenant = member.guild, names.tenant(member.guild.id)
        account, anchor = names.account(guild.id, member.id), names.account(names.PRIVATE, member.id)
        _keep(self._known[guild.id], member.id, member)
        for name in (account, anchor):
            _keep(self._names, name, member.display_name)
        kind = Kind.BOT if member.bot else Kind.MEMBER
        await self._people.roster(names.tenant(names.PRIVATE), [Account(anchor, kind, member.display_name)])
        await self._people.roster(tenant, [Account(account, kind, member.display_name, same_as=anchor)])
        mine = [one.place for one in self._seen.get(guild.id, []) if not one.public and sees(member, one)]
        await self._people.reads(account, tenant, mine)
        _keep(self._told, account, self._clock())


def _keep(kept: OrderedDict[K, V], key: K, value: V) -> None:
    """Remember something, and let go of what was remembered longest ago."""
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > _KEPT:
        kept.popitem(last=False)


def places(guild: discord.Guild) -> list[Seen]:
    """Return the channels of a guild in which something can be said, with who sees them (pure)."""
    roles = {str(role.id): role.permissions.value for role in guild.roles}
    return [_seen(guild, channel, roles) for channel in guild.channels if not isinstance(channel, discord.CategoryChannel)]


def _seen(guild: discord.Guild, channel: GuildChannel, roles: dict[Grant, int]) -> Seen:
    needed = VIEW | HISTORY | (CONNECT if isinstance(channel, discord.VoiceChannel | discord.StageChannel) else 0)
    rights = Rights(str(guild.id), roles, tuple(_overwrites(channel)), needed)
    apart = bool(getattr(channel, "nsfw", False))
    place = names.place(guild.id, channel.id)
    if apart:
        return Seen(place, channel.name, rights.viewers, _NOBODY, apart=True)
    return Seen(place, channel.name, rights.viewers, rights.certain, public=rights.public)


def _overwrites(channel: GuildChannel) -> Iterable[Overwrite]:
    for target, overwrite in channel.overwrites.items():
        allow, deny = overwrite.pair()
        of_role = isinstance(target, discord.Role) or getattr(target, "type", None) is discord.Role
        yield Overwrite(str(target.id) if of_role else f"u:{target.id}", allow.value, deny.value)


def reads(crowd: Seen, place: Seen) -> bool:
    """Say whether all who see one place certainly see another one (pure)."""
    return crowd.viewers <= place.certain


def sees(member: discord.Member, place: Seen) -> bool:
    """Say whether somebody sees a place from elsewhere (pure); what stands apart nobody does."""
    channel = member.guild.get_channel(int(names.where(place.place).channel))
    if channel is None or place.apart:
        return False
    rights = channel.permissions_for(member)
    voice = isinstance(channel, discord.VoiceChannel | discord.StageChannel)
    return rights.view_channel and rights.read_message_history and (rights.connect or not voice)
