"""Who is in which channel and what they are, kept as Slack shows it; what is not known lets nobody see anything."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from time import monotonic
from typing import Any

import structlog

from adapters.common.handed import People
from adapters.slack import names
from adapters.slack.workspace import Failed, Workspace
from adapters.slack.workspaces import Workspaces
from bot.chat import Account, Kind, PlaceKind, TryLater

log = structlog.get_logger()

FRESH = 300.0  # seconds for which what Slack said is taken for true
_PAUSE = 0.7  # seconds between two places of the rolling refresh: Slack takes a hundred such calls a minute
_AT_ONCE = 40  # places that are asked about without a pause when a workspace is met
_REST = 15.0  # seconds before FRESH at which the refresh begins
_PAGE = 1_000
_KINDS = "public_channel,private_channel,mpim,im"
NEVER = float("-inf")  # when something was confirmed that was not
_STRANGERS = 30  # people of other workspaces who are asked about in one channel at a time


class Members:
    """Tells the twin who is where. What an event says only narrows at once; what would widen, Slack is asked about."""

    def __init__(self, people: People, clock: Callable[[], float] = monotonic) -> None:
        self._people = people
        self._clock = clock
        self._workspaces: dict[str, Workspace] = {}
        self._names: dict[str, str] = {}
        self._places: dict[str, float] = {}  # when each was last confirmed
        self._accounts: dict[str, float] = {}
        self._rosters: dict[str, float] = {}
        self._channels: dict[str, Mapping[str, Any]] = {}  # as they were listed last
        self._news: defaultdict[str, int] = defaultdict(int)  # events of each place
        self._busy: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def name(self, account: str) -> str:
        """Return what an account is called, as far as it is known."""
        return self._names.get(account, "")

    # --- all of it

    async def start(self, workspace: Workspace) -> None:
        """Learn who is in a workspace and which places the twin is in, and who is in the first of these."""
        await self._roster(workspace)
        await self._listed(workspace)
        self._workspaces[workspace.team] = workspace
        mine = [one for one in self._channels if names.team(one) == workspace.team]
        for place in mine[:_AT_ONCE]:
            await self._again(workspace, place)

    async def keep(self, workspaces: Workspaces) -> None:
        """Learn everything of each workspace, and confirm it anew before it is too old, the oldest first; until cancelled."""
        while True:
            try:
                for workspace in workspaces.known:
                    if self._workspaces.get(workspace.team) is not workspace:
                        await self.start(workspace)
                await self._next()
            except TryLater as later:
                await asyncio.sleep(later.seconds or 1.0)
            except Exception as error:
                log.warning("who is where could not be confirmed", reason=type(error).__name__)
            await asyncio.sleep(_PAUSE)

    async def _next(self) -> None:
        for workspace in list(self._workspaces.values()):
            if self._is_old(self._rosters.get(workspace.team)):
                await self._roster(workspace)
                await self._listed(workspace)
        due = [one for one, at in self._places.items() if self._is_old(at) and names.team(one) in self._workspaces]
        if due:
            place = min(due, key=lambda one: self._places[one])
            await self._again(self._workspaces[names.team(place)], place)

    async def _listed(self, workspace: Workspace) -> None:
        """Learn which places the twin is in; nobody reads any more where it is not."""
        before = {place for place in self._channels if names.team(place) == workspace.team}
        news, listed = dict(self._news), dict[str, Mapping[str, Any]]()
        async for channels in workspace.pages("users.conversations", "channels", types=_KINDS, exclude_archived=True):
            listed |= {names.place(workspace.team, str(channel["id"])): channel for channel in channels}
        for place, channel in listed.items():
            self._places.setdefault(place, NEVER)
            if self._news[place] == news.get(place, 0):  # else it is asked about by itself
                self._channels[place] = channel
        for place in before - set(listed):
            self.left(place)
            await self._people.closed(place)

    async def _again(self, workspace: Workspace, place: str) -> None:
        """Confirm a place; what it is was listed a moment ago, or is asked too."""
        async with self._busy[place]:
            channel, news = self._channels.pop(place, None), self._news[place]
            if channel is not None:
                await self._asked(workspace, place, lambda: self._placed(workspace, channel, news))
                return
        await self._refreshed(workspace, place)

    def left(self, place: str) -> None:
        """Ask no more about a place that the twin is not in."""
        self._news[place] += 1
        self._places.pop(place, None)
        self._channels.pop(place, None)

    def _is_old(self, at: float | None) -> bool:
        return at is None or self._clock() - at > FRESH - _REST

    async def _roster(self, workspace: Workspace) -> None:
        """Learn who is in a workspace, and who is not any more."""
        seen: list[Account] = []
        async for users in workspace.pages("users.list", "members", limit=_PAGE):
            seen += [self._account(workspace, user) for user in users]
        await self._people.roster(workspace.tenant, seen)
        now = self._clock()
        self._rosters[workspace.team] = now
        self._accounts |= {one.id: now for one in seen}

    def _account(self, workspace: Workspace, user: Mapping[str, Any]) -> Account:
        id = names.account(workspace.team, str(user["id"]))
        profile = user.get("profile") or {}
        shown = profile.get("display_name") or profile.get("real_name") or user.get("real_name") or user.get("name")
        self._names[id] = str(shown or "")
        return Account(id, kind_of(workspace, user), self._names[id], active=not user.get("deleted"))

    def forget(self, team: str) -> None:
        """Ask no more about a workspace."""
        self._workspaces.pop(team, None)
        for place in [one for one in self._places if names.team(one) == team]:
            self.left(place)
        for account in [one for one in self._accounts if names.team(one) == team]:
            del self._accounts[account]

    # --- one place, one account

    async def confirm(self, workspace: Workspace, place: str, account: str) -> None:
        """Ask Slack about a place and about somebody in it, unless it was asked a moment ago."""
        if self._clock() - self._accounts.get(account, NEVER) > FRESH:
            await self._met(workspace, names.user(account))
        if names.where(place).alone:
            await self._alone(workspace, place)
        elif self._clock() - self._places.get(place, NEVER) > FRESH:
            await self._refreshed(workspace, place)

    async def _alone(self, workspace: Workspace, place: str) -> None:
        """Write down that what is said to somebody alone is read by them alone."""
        member = names.account(workspace.team, names.where(place).alone)
        await self._people.placed(place, tenant=workspace.tenant, kind=PlaceKind.DIRECT)
        await self._people.members(place, [member])

    async def _met(self, workspace: Workspace, user: str) -> None:
        try:
            shown = (await workspace.call("users.info", user=user))["user"]
        except Failed as error:
            if error.code != "user_not_found":
                raise
            return  # a bot, or somebody Slack does not show: they stay unknown
        await self._people.roster(workspace.tenant, [self._account(workspace, shown)])
        self._accounts[names.account(workspace.team, user)] = self._clock()

    async def _refreshed(self, workspace: Workspace, place: str) -> None:
        """Ask about a place; whoever asks at the same time waits for the same answer."""
        begun = self._clock()
        async with self._busy[place]:
            if self._places.get(place, NEVER) >= begun:
                return
            news = self._news[place]

            async def ask() -> None:
                channel = (await workspace.call("conversations.info", channel=names.where(place).channel))["channel"]
                await self._placed(workspace, channel, news)

            await self._asked(workspace, place, ask)

    async def _asked(self, workspace: Workspace, place: str, ask: Callable[[], Awaitable[None]]) -> None:
        """Ask Slack about a place; of one that it does not show nobody reads anything."""
        try:
            await ask()
        except Failed as error:
            if error.code not in {"channel_not_found", "not_in_channel"}:
                raise
            self.left(place)
            await self._people.closed(place)

    async def _placed(self, workspace: Workspace, channel: Mapping[str, Any], news: int) -> None:
        """Write down what a place is, and everyone in it; when there was news of it meanwhile, it is to be asked again."""
        place = names.place(workspace.team, str(channel["id"]))
        kind = place_kind(channel)
        await self._people.placed(place, tenant=workspace.tenant, kind=kind, name=str(channel.get("name") or ""))
        if channel.get("is_archived") or not (kind is PlaceKind.DIRECT or channel.get("is_member", True)):
            self.left(place)
            await self._people.closed(place)
            return
        users = [str(channel["user"])] if kind is PlaceKind.DIRECT else await self._users(workspace, str(channel["id"]))
        if kind is PlaceKind.SHARED:
            await self._strangers(workspace, users)
        await self._people.reopened(place)
        await self._people.members(place, [names.account(workspace.team, user) for user in users])
        if self._news[place] == news:
            self._places[place] = self._clock()
        else:
            await self._people.doubted(place)
            self._places[place] = NEVER

    async def _users(self, workspace: Workspace, channel: str) -> list[str]:
        found: list[str] = []
        async for page in workspace.pages("conversations.members", "members", channel=channel):
            found += map(str, page)
        return [user for user in found if user != workspace.bot_user]

    async def _strangers(self, workspace: Workspace, users: Sequence[str]) -> None:
        """Ask about those who are not in the list of the workspace; of whom nothing is known, nothing may be seen."""
        old = [u for u in users if self._clock() - self._accounts.get(names.account(workspace.team, u), NEVER) > FRESH]
        for user in old[:_STRANGERS]:
            await self._met(workspace, user)

    # --- events

    async def heard(self, workspace: Workspace, event: Mapping[str, Any]) -> None:
        """Take in an event. It takes no call of the Web API: what is to be asked is asked before it is used."""
        match event["type"]:
            case "member_left_channel" if event["user"] != workspace.bot_user:
                place = names.place(workspace.team, str(event["channel"]))
                self._news[place] += 1
                await self._people.left(place, names.account(workspace.team, str(event["user"])))
            case "user_change" | "team_join":
                await self._changed(workspace, event["user"])
            case "channel_archive" | "group_archive":
                place = names.place(workspace.team, str(event["channel"]))
                self.left(place)
                await self._people.closed(place)
            case _:
                await self._doubted(workspace, event)

    async def _changed(self, workspace: Workspace, user: Mapping[str, Any]) -> None:
        account = self._account(workspace, user)
        if not account.active:
            await self._people.gone(account.id)
        elif account.kind is not Kind.MEMBER:
            await self._people.roster(workspace.tenant, [account])  # at once: it narrows
        self._accounts.pop(account.id, None)

    async def _doubted(self, workspace: Workspace, event: Mapping[str, Any]) -> None:
        """Believe nothing of a place until Slack was asked: somebody came, it was made private, it is shared now."""
        channel = event.get("channel")
        id = channel["id"] if isinstance(channel, Mapping) else channel
        place = names.place(workspace.team, str(id))
        self._news[place] += 1
        self._channels.pop(place, None)
        if event["type"] == "member_joined_channel" and event.get("user") != workspace.bot_user:
            await self._joined(place, names.account(workspace.team, str(event["user"])))
        elif event["type"] in {"channel_shared", "channel_unshared"} or event.get("subtype"):
            await self._people.doubted(place)
        self._places[place] = NEVER

    async def _joined(self, place: str, account: str) -> None:
        """Count somebody among the readers at once; what they may read themselves waits until Slack was asked."""
        if place in self._places:
            await self._people.joined(place, account)


def kind_of(workspace: Workspace, user: Mapping[str, Any]) -> Kind:
    """Return what somebody is in a workspace (pure)."""
    if user.get("is_bot") or user["id"] in {"USLACKBOT", workspace.bot_user}:
        return Kind.BOT
    if user.get("is_restricted") or user.get("is_ultra_restricted"):
        return Kind.GUEST
    teams = {user.get("team_id"), *((user.get("enterprise_user") or {}).get("teams") or ())}
    if user.get("is_stranger") or workspace.team not in teams:
        return Kind.EXTERNAL
    return Kind.MEMBER


def place_kind(channel: Mapping[str, Any]) -> PlaceKind:
    """Return who reads a channel (pure); never by its id, whose first letter says nothing."""
    if channel.get("is_im"):
        return PlaceKind.DIRECT
    if any(channel.get(f"is_{how}") for how in ("ext_shared", "pending_ext_shared", "org_shared", "shared")):
        return PlaceKind.SHARED
    if channel.get("is_mpim"):
        return PlaceKind.GROUP
    return PlaceKind.PRIVATE if channel.get("is_private") else PlaceKind.PUBLIC
