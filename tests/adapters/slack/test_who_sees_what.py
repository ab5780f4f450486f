"""Six kinds of people, six kinds of places: what may be used for whom, by the rule of docs/architecture.md.

Each place has something taught in it. A reply in a place may use what everyone who reads the place may read; what is for one
person alone may use what that person may read.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.slack import names
from bot.access import Act, NotAllowed
from bot.chat import Person, Place
from tests.adapters.slack.worlds import World, world

MEMBER, COLLEAGUE, GUEST, VISITOR, EXTERNAL, GONE = "UMEM", "UCOL", "UGUE", "UVIS", "UEXT", "UGON"
PUBLIC, PRIVATE, GROUP, DIRECT, SHARED, ARCHIVED = "CPUB", "CPRI", "CGRO", "DUMEM", "CSHA", "CARC"
PLACES = (PUBLIC, PRIVATE, GROUP, DIRECT, SHARED, ARCHIVED)

ALONE = {
    MEMBER: {PUBLIC, PRIVATE, GROUP, DIRECT, SHARED},  # is in all of them; an archived channel is read by nobody
    COLLEAGUE: {PUBLIC, GROUP},  # a full member who is in no channel
    GUEST: {PUBLIC},  # is in the public channel alone
    VISITOR: {PUBLIC, PRIVATE},  # a guest of several channels
    EXTERNAL: {SHARED},  # of another workspace, in the shared channel
    GONE: set[str](),  # deactivated
}
"""What each may read when nobody else reads along: in the App Home, a command, a private message."""

REPLIES = {
    PUBLIC: {PUBLIC},
    PRIVATE: {PUBLIC, PRIVATE},
    GROUP: {PUBLIC, GROUP},  # one of those in it is not in the private channel
    DIRECT: {PUBLIC, PRIVATE, GROUP, DIRECT, SHARED},
    SHARED: {SHARED},  # only its own
    ARCHIVED: {ARCHIVED},  # nobody can speak there any more
}
"""What a reply in each place may use, whoever asks."""


def place(channel: str) -> str:
    return names.place("T1", channel)


def person(user: str) -> Person:
    return Person(names.account("T1", user))


def scope(channel: str) -> str:
    """Return the scope of what is taught in a channel; of a private chat it is the person's own."""
    return f"person:{names.account('T1', MEMBER)}" if channel == DIRECT else place(channel)


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        slack = made.slack
        slack.user(MEMBER), slack.user(COLLEAGUE)
        slack.user(GUEST, is_ultra_restricted=True, is_restricted=True)
        slack.user(VISITOR, is_restricted=True)
        slack.user(EXTERNAL, team_id="T9", is_stranger=True)
        slack.user(GONE, deleted=True)
        slack.channel(PUBLIC, members=[MEMBER, GUEST, VISITOR])
        slack.channel(PRIVATE, members=[MEMBER, VISITOR], is_private=True)
        slack.channel(GROUP, members=[MEMBER, COLLEAGUE], is_mpim=True, is_private=True)
        slack.channel(SHARED, members=[MEMBER, EXTERNAL], is_ext_shared=True)
        slack.channel(ARCHIVED, members=[MEMBER, GUEST], is_archived=True)
        slack.direct(MEMBER)
        slack.channels[f"{DIRECT}"] = slack.channels.pop(slack.direct(MEMBER))
        slack.channels[DIRECT].id = DIRECT
        await made.members.start(made.workspace)
        yield made


@pytest.mark.parametrize("user", ALONE)
async def test_alone_people_are_told_what_they_may_read_themselves(here: World, user: str) -> None:
    audience = await here.access.alone(person(user))
    assert {channel for channel in PLACES if scope(channel) in audience.scopes} == ALONE[user]


@pytest.mark.parametrize("user", ALONE)
async def test_what_a_command_is_answered_with_is_what_its_asker_may_read(here: World, user: str) -> None:
    alone = names.place("T1", PUBLIC, alone=user)
    await here.members.confirm(here.workspace, alone, names.account("T1", user))
    audience = await here.access.audience(Place(alone), person(user))
    assert {channel for channel in PLACES if scope(channel) in audience.scopes} == ALONE[user]


@pytest.mark.parametrize("channel", PLACES)
async def test_a_reply_uses_what_all_who_read_it_may_read(here: World, channel: str) -> None:
    for user in (MEMBER,) if channel == DIRECT else here.slack.channels[channel].members:
        audience = await here.access.audience(Place(place(channel)), person(user))
        seen = {other for other in PLACES if scope(other) in audience.scopes}
        assert seen - {ARCHIVED} == REPLIES[channel] - {ARCHIVED}, user


@pytest.mark.parametrize("user", ALONE)
async def test_what_may_be_read_is_where_something_may_be_done(here: World, user: str) -> None:
    for channel in PLACES:
        at = Place(place(channel))
        readable = channel in ALONE[user]
        assert await here.access.may_read(at, person(user)) == readable, channel
        teaches = readable and user in {MEMBER, COLLEAGUE}
        for act, allowed in ((Act.SEARCH, readable), (Act.TEACH, teaches), (Act.FORGET_ANY, False), (Act.CONFIGURE, False)):
            if allowed:
                await here.access.require(act, person(user), at)
            else:
                with pytest.raises(NotAllowed):
                    await here.access.require(act, person(user), at)


async def test_a_guest_in_a_group_narrows_what_is_said_there(here: World) -> None:
    here.slack.channels[GROUP].members.append(GUEST)
    joined = {"type": "member_joined_channel", "channel": GROUP, "user": GUEST}
    await here.members.heard(here.workspace, joined)
    audience = await here.access.audience(Place(place(GROUP)), person(MEMBER))
    assert {channel for channel in PLACES if scope(channel) in audience.scopes} == {PUBLIC, GROUP}
    await here.members.heard(here.workspace, {"type": "member_joined_channel", "channel": GROUP, "user": EXTERNAL})
    audience = await here.access.audience(Place(place(GROUP)), person(MEMBER))
    assert {channel for channel in PLACES if scope(channel) in audience.scopes} == {GROUP}


@pytest.mark.parametrize("event", [True, False])
async def test_whoever_is_removed_from_a_channel_sees_no_more_of_it(here: World, event: bool) -> None:
    assert await here.access.may_read(Place(place(PRIVATE)), person(VISITOR))
    here.slack.channels[PRIVATE].members.remove(VISITOR)
    if event:
        left = {"type": "member_left_channel", "channel": PRIVATE, "user": VISITOR}
        await here.members.heard(here.workspace, left)
    else:  # none came: the next question after five minutes asks Slack
        here.clock.forward(minutes=5, seconds=1)
        await here.members.confirm(here.workspace, place(PRIVATE), names.account("T1", VISITOR))
    assert not await here.access.may_read(Place(place(PRIVATE)), person(VISITOR))


async def test_a_member_who_becomes_a_guest_is_one_at_once(here: World) -> None:
    here.slack.user(COLLEAGUE, is_restricted=True)
    changed = {"type": "user_change", "user": here.slack.users[COLLEAGUE].shown()}
    await here.members.heard(here.workspace, changed)
    assert not await here.access.may_read(Place(place(PUBLIC)), person(COLLEAGUE))


async def test_a_guest_who_becomes_a_member_waits_until_slack_was_asked(here: World) -> None:
    here.slack.user(GUEST)
    changed = {"type": "user_change", "user": here.slack.users[GUEST].shown()}
    await here.members.heard(here.workspace, changed)
    with pytest.raises(NotAllowed):
        await here.access.require(Act.TEACH, person(GUEST), Place(place(PUBLIC)))
    await here.members.confirm(here.workspace, place(PUBLIC), names.account("T1", GUEST))
    await here.access.require(Act.TEACH, person(GUEST), Place(place(PUBLIC)))


async def test_an_old_event_lets_nobody_in_who_has_left_since(here: World) -> None:
    joined = {"type": "member_joined_channel", "channel": PRIVATE, "user": COLLEAGUE}
    await here.members.heard(here.workspace, joined)
    await here.members.confirm(here.workspace, place(PRIVATE), names.account("T1", COLLEAGUE))
    assert not await here.access.may_read(Place(place(PRIVATE)), person(COLLEAGUE))


@pytest.mark.parametrize(("flag", "left"), [("is_private", {PRIVATE}), ("is_ext_shared", {PRIVATE})])
async def test_a_channel_that_is_closed_off_is_used_nowhere_until_it_is_known_who_is_in_it(
    here: World, flag: str, left: set[str]
) -> None:
    here.slack.channels[PUBLIC].flags[flag] = True
    subtype = {"subtype": "channel_convert_to_private"} if flag == "is_private" else {}
    kind = "message" if subtype else "channel_shared"
    await here.members.heard(here.workspace, {"type": kind, "channel": PUBLIC, **subtype})
    assert not await here.access.may_read(Place(place(PUBLIC)), person(COLLEAGUE))
    await here.members.confirm(here.workspace, place(PUBLIC), names.account("T1", COLLEAGUE))
    assert not await here.access.may_read(Place(place(PUBLIC)), person(COLLEAGUE))
    audience = await here.access.audience(Place(place(PRIVATE)), person(MEMBER))
    assert {one for one in PLACES if scope(one) in audience.scopes} - {PUBLIC} == left


async def test_what_slack_does_not_confirm_for_a_quarter_of_an_hour_nobody_reads(here: World) -> None:
    here.clock.forward(minutes=15, seconds=1)
    for user in ALONE:
        scopes = (await here.access.alone(person(user))).scopes
        assert scopes & {place(channel) for channel in PLACES} == set()  # what was taught to them in private is theirs


async def test_the_rolling_refresh_keeps_everything_confirmed(here: World) -> None:
    for _ in range(8):
        here.clock.forward(minutes=2, seconds=30)
        for _ in range(2 * len(PLACES)):
            await here.members._next()
    audience = await here.access.alone(person(MEMBER))
    assert {channel for channel in PLACES if scope(channel) in audience.scopes} == ALONE[MEMBER]


async def test_what_happens_while_slack_is_asked_is_not_overlooked(here: World) -> None:
    here.clock.forward(minutes=6)
    asking = asyncio.create_task(here.members.confirm(here.workspace, place(PRIVATE), names.account("T1", VISITOR)))
    here.slack.calls.clear()
    await here.slack.until(lambda: here.slack.calls["conversations.members"])
    await here.members.heard(here.workspace, {"type": "member_left_channel", "channel": PRIVATE, "user": VISITOR})
    await asking
    assert not await here.access.may_read(Place(place(PRIVATE)), person(VISITOR))


async def test_a_place_that_the_twin_is_in_no_longer_is_read_by_nobody_though_no_event_came(here: World) -> None:
    here.slack.channels[PUBLIC].bot = False
    here.clock.forward(minutes=5, seconds=1)
    await here.members._next()
    assert not await here.access.may_read(Place(place(PUBLIC)), person(MEMBER))


async def test_many_places_are_asked_about_one_after_the_other(here: World) -> None:
    for n in range(60):
        here.slack.channel(f"CN{n}", members=[MEMBER])
    here.clock.forward(minutes=5, seconds=1)
    before = here.slack.calls["conversations.members"]
    await here.members._next()
    assert here.slack.calls["conversations.members"] == before + 1
    for _ in range(70):
        await here.members._next()
    assert await here.access.may_read(Place(place("CN59")), person(MEMBER))
    assert here.slack.calls["conversations.info"] <= 1
