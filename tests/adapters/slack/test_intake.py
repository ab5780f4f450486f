"""Every event goes where it belongs before Slack is told that it was received, by the real bolt over real sockets."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from adapters.slack import connection
from adapters.slack.catchup import catch_up
from adapters.slack.intake import Intake
from adapters.slack.members import Members
from adapters.slack.sweep import Sweeper
from adapters.slack.workspace import Workspace, client
from adapters.slack.workspaces import Workspaces
from bot.chat import Gone
from bot.db import open_database
from bot.people.register import People
from tests.adapters.slack.desks import Desk, Learned, Record, now
from tests.adapters.slack.worlds import workspace_of
from tests.simulators.slack import Slack
from tests.simulators.slack.delivering import signed

ALL = ("U1", "U2")


class Connected:
    """A desk that the simulated Slack delivers to by way of bolt."""

    def __init__(self, slack: Slack, session: aiohttp.ClientSession, people: People) -> None:
        self.slack, self.desk, self.record = slack, Desk(), Record()
        self.members = Members(people)
        self.intake = Intake(self.desk, self.members)
        self.workspace = workspace_of(slack, session)
        self.workspaces = Workspaces(self._connect, self._token)
        empty = client("", api_url=slack.api_url, session=session)
        self.app = connection.bolt(empty, self.workspaces, self.intake, signing_secret="sec")  # noqa: S106
        connection.acknowledge_the_rest(self.app)

    async def _connect(self, token: str) -> Workspace:
        return self.workspace

    async def _token(self, team: str) -> str | None:
        return "xoxb-1" if team == "T1" else None


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Connected]:
    async with (
        Slack.open() as slack,
        aiohttp.ClientSession() as session,
        open_database(f"sqlite+aiosqlite:///{tmp_path / 'twin.db'}") as engine,
    ):
        for user in ALL:
            slack.user(user, name=user.title())
        slack.channel("C1", members=list(ALL))
        yield Connected(slack, session, People(engine))


@pytest.fixture
async def sockets(here: Connected) -> AsyncIterator[connection.Sockets]:
    async def reconnected() -> None:
        pass

    opened = connection.Sockets(here.app, "xapp-1", reconnected)
    task = asyncio.create_task(opened.run())
    await here.slack.until(lambda: len(here.slack.sockets) == 2)
    yield opened
    task.cancel()
    await asyncio.wait([task])


async def test_a_mention_comes_twice_as_one_message(here: Connected, sockets: connection.Sockets) -> None:
    ts = await here.slack.say("C1", "U1", "<@U0TWIN> when?")
    await here.slack.until(lambda: len(here.desk.messages) == 2)
    assert {(one.place, one.id, one.addressed) for one in here.desk.messages} == {("slack:T1:C1", ts, True)}
    assert len({one.event for one in here.desk.messages}) == 2


async def test_what_could_not_be_kept_is_delivered_again(here: Connected, sockets: connection.Sockets) -> None:
    here.desk.fails = 1
    await here.slack.say("C1", "U1", "lunch?")
    await here.slack.until(lambda: here.desk.messages)
    assert here.desk.messages[0].text == "lunch?"
    assert len(here.slack.acks) == 1


async def test_every_event_is_acknowledged_whether_it_means_anything_or_not(
    here: Connected, sockets: connection.Sockets
) -> None:
    await here.slack.emit({"type": "emoji_changed", "subtype": "add", "name": "twin", "event_ts": "1.0"})
    await here.slack.until(lambda: len(here.slack.acks) == 1)


async def test_a_thread_goes_on_for_whoever_spoke_in_it_unless_they_speak_to_somebody_else(
    here: Connected, sockets: connection.Sockets
) -> None:
    root = await here.slack.say("C1", "U1", "<@U0TWIN> when?")
    here.desk.speakers.add(("slack:T1:C1", root, "slack:T1:U1"))
    for user, text in (("U1", "and where?"), ("U1", "<@U2> do you know?"), ("U2", "no idea")):
        await here.slack.say("C1", user, text, thread_ts=root)
    await here.slack.until(lambda: len(here.desk.messages) == 5)
    said = {one.text: one.addressed for one in here.desk.messages if one.id != root}
    assert said == {"and where?": True, "@somebody do you know?": False, "no idea": False}


async def test_what_the_twin_says_itself_is_nothing_new(here: Connected, sockets: connection.Sockets) -> None:
    await here.workspace.call("chat.postMessage", channel="C1", text="<@U0TWIN> hello")
    await here.slack.until(lambda: len(here.slack.acks) == 1)
    assert here.desk.messages == []


async def test_removals_moves_and_stops_go_to_the_desk(here: Connected, sockets: connection.Sockets) -> None:
    root = await here.slack.say("C1", "U1", "<@U0TWIN> when?")
    file = here.slack.file("a.pdf", b"x", user="U1")
    await here.slack.delete_file(file)
    await here.slack.emit(
        {"type": "agent_session_stopped", "channel": "C1", "user": "U1", "thread_ts": root, "event_ts": "1.0"}
        | {"streaming_message_ts": []}
    )
    moved = {"type": "channel_id_changed", "old_channel_id": "C1", "new_channel_id": "C9", "event_ts": "1.0"}
    await here.slack.emit(moved)
    await here.slack.kick_bot("C1")
    await here.slack.until(lambda: len(here.desk.removals) == 2 and here.desk.stops and here.desk.moves)
    assert {(one.what, one.id) for one in here.desk.removals} == {(Gone.FILE, file.id), (Gone.PLACE, "slack:T1:C1")}
    assert here.desk.stops == [("slack:T1:C1", root, "slack:T1:U1")]
    assert [(one.old, one.new) for one in here.desk.moves] == [("slack:T1:C1", "slack:T1:C9")]


async def test_a_socket_that_says_nothing_is_made_anew(
    here: Connected, sockets: connection.Sockets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "QUIET", -1.0)
    monkeypatch.setattr(connection, "LOOK", 0.05)
    before = set(here.slack.sockets)
    for handler in sockets._handlers:
        assert handler
        handler.client.last_ping_pong_time = 1.0
    await here.slack.until(lambda: before.isdisjoint(here.slack.sockets) and len(here.slack.sockets) >= 1, 30)


async def test_without_any_socket_for_long_help_is_called(here: Connected, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "LOST", 0.0)
    monkeypatch.setattr(connection, "LOOK", 0.01)
    here.slack.refuse_sockets = True

    async def reconnected() -> None:
        raise AssertionError

    with pytest.raises(connection.Lost, match="SLACK_APP_TOKEN"):
        await connection.Sockets(here.app, "xapp-1", reconnected).run()


async def test_signed_events_are_taken_in_over_http_and_others_are_not(here: Connected) -> None:
    server = web.Application()
    server.router.add_post("/slack/events", connection.events(here.app))
    runner = web.AppRunner(server)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    here.slack.transport, here.slack.request_url = "http", f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    await here.slack.say("C1", "U1", "lunch?")
    await here.slack.until(lambda: here.desk.messages)
    body = '{"type": "event_callback"}'
    async with aiohttp.ClientSession() as session:
        for headers in (
            {},
            {"X-Slack-Request-Timestamp": "soon", "X-Slack-Signature": "v0=1"},
            signed(body, "wrong", 1),
            signed(body, "sec", 1),
        ):
            kind = {"Content-Type": "application/json"}
            async with session.post(here.slack.request_url, data=body, headers={**kind, **headers}) as response:
                assert response.status == 401
    await runner.cleanup()


async def test_an_event_of_a_workspace_without_the_app_is_let_go(here: Connected, sockets: connection.Sockets) -> None:
    here.slack.add_team("T2", token="xoxb-2")  # noqa: S106
    await here.slack.emit({"type": "emoji_changed", "subtype": "add", "name": "twin", "event_ts": "1.0"}, team="T2")
    await asyncio.sleep(0.1)
    assert here.desk.messages == []


# --- what was missed


async def test_what_was_said_while_nobody_listened_is_taken_in_late_in_order(here: Connected) -> None:
    here.slack.delivery.lost, here.slack.page = True, 2
    root = await here.slack.say("C1", "U1", "<@U0TWIN> when?")
    await here.slack.say("C1", "U2", "later", thread_ts=root)
    direct = here.slack.direct("U2")
    await here.slack.say(direct, "U2", "and where?")
    for n in range(4):
        await here.slack.say("C1", "U2", f"chat {n}")
    here.record.heard = now()
    looked = await catch_up(here.workspace, here.intake, here.record, pause=0)
    assert looked == 7
    assert [one.text for one in here.desk.messages if one.addressed] == ["when?", "and where?"]
    in_channel = [float(one.id) for one in here.desk.messages if one.place == "slack:T1:C1"]
    assert in_channel == sorted(in_channel)


async def test_what_is_older_than_the_last_delivery_is_not_looked_at(here: Connected) -> None:
    here.slack.delivery.lost = True
    await here.slack.say("C1", "U1", "<@U0TWIN> when?")
    assert await catch_up(here.workspace, here.intake, here.record, pause=0) == 0
    here.record.heard = now() + timedelta(hours=1)
    assert await catch_up(here.workspace, here.intake, here.record, pause=0) == 0


# --- what no event tells


async def test_what_is_gone_or_changed_without_a_word_is_found_by_the_sweep(here: Connected) -> None:
    here.slack.delivery.lost = True
    said = {name: await here.slack.say("C1", "U1", name) for name in ("kept", "deleted", "edited")}
    said["reply"] = await here.slack.say("C1", "U1", "reply", thread_ts=said["kept"])
    here.record.learned = [Learned("slack:T1:C1", ts, now()) for ts in said.values()]
    here.record.learned.append(Learned("slack:T1:C7", "1.0", now()))
    await here.slack.delete("C1", said["deleted"])
    await here.slack.edit("C1", said["edited"], "edited since")
    looked, changed = await Sweeper(here.desk, here.record, here.members.name, pause=0).sweep(here.workspace)
    assert (looked, changed) == (5, 3)
    assert [(one.id, one.deleted, one.text) for one in here.desk.messages] == [
        (said["deleted"], True, ""),
        (said["edited"], False, "edited since"),
    ]
    assert [(one.what, one.id) for one in here.desk.removals] == [(Gone.PLACE, "slack:T1:C7")]


@pytest.mark.parametrize("fault", [500, 429, "reset", "internal_error"])
async def test_trouble_is_never_taken_for_something_being_gone(here: Connected, fault: int | str) -> None:
    here.slack.delivery.lost = True
    ts = await here.slack.say("C1", "U1", "kept")
    here.record.learned = [Learned("slack:T1:C1", ts, now())]
    here.slack.fault("conversations.replies", fault)
    here.slack.fault("conversations.replies", fault)  # and once more, for clients that ask again by themselves
    _, changed = await Sweeper(here.desk, here.record, here.members.name, pause=0).sweep(here.workspace)
    assert (changed, here.desk.messages, here.desk.removals) == (0, [], [])
