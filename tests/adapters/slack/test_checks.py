"""What the doctor finds out about Slack, against a Slack."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from adapters.common.findings import Finding
from adapters.slack import checks
from adapters.slack.manifest import SCOPES
from adapters.slack.mode import Mode
from tests.simulators.slack import Slack

BOT, APP, WRONG = "xoxb-1", "xapp-1", "xoxb-wrong"


@pytest.fixture
async def slack() -> AsyncIterator[Slack]:
    async with Slack.open() as opened:
        opened.user("U1", name="Ada")
        opened.channel("C1", name="general", members=["U1"])
        opened.team.scopes = ",".join(SCOPES)
        yield opened


@pytest.fixture
def mode(slack: Slack) -> Mode:
    return Mode(bot_token=BOT, app_token=APP, api_url=slack.api_url)


async def found(mode: Mode, *tokens: str) -> dict[str, Finding]:
    return {each.name: each for each in await checks.examine(mode, tokens or [mode.bot_token or ""])}


def shown(*findings: Finding) -> str:
    return " ".join(f"{each.detail} {each.fix}" for each in findings)


async def test_when_all_is_well_it_says_who_the_twin_is_and_leaves_no_trace(slack: Slack, mode: Mode) -> None:
    findings = await found(mode)
    assert all(each.ok and not each.fix for each in findings.values())
    assert findings["slack"].detail == "it is @twin in Acme (T1)"
    assert findings["slack channels"].detail == "it is in 1"
    assert slack.channel_messages("C1") == []


async def test_a_token_that_is_not_valid_is_said_to_be_one(mode: Mode) -> None:
    findings = await found(replace(mode, bot_token=WRONG))
    assert (findings["slack"].ok, findings["slack"].detail) == (False, "Slack refuses auth.test: invalid_auth.")
    assert "slack scopes" not in findings
    assert WRONG not in shown(*findings.values())


async def test_every_scope_that_is_missing_is_named_with_what_does_not_work(slack: Slack, mode: Mode) -> None:
    slack.team.scopes = ",".join(set(SCOPES) - {"files:read", "reactions:write"})
    scopes = (await found(mode))["slack scopes"]
    assert (scopes.ok, "twin manifest slack" in scopes.fix) == (False, True)
    assert "files:read is missing: learning files; reactions:write is missing" in scopes.detail


async def test_the_version_for_guests_misses_nothing(slack: Slack, mode: Mode) -> None:
    slack.team.scopes = ",".join(set(SCOPES) - {"assistant:write"})
    scopes = (await found(mode))["slack scopes"]
    assert (scopes.ok, "guests" in scopes.detail) == (True, True)


async def test_a_twin_in_no_channel_is_told_how_to_be_invited(slack: Slack, mode: Mode) -> None:
    slack.channels.clear()
    channels = (await found(mode))["slack channels"]
    assert (channels.ok, channels.needed, "/invite" in channels.fix) == (False, False, True)


async def test_without_socket_mode_it_says_what_to_switch_on(slack: Slack, mode: Mode) -> None:
    slack.fault("apps.connections.open", "not_allowed_token_type")
    events = (await found(mode))["slack events"]
    assert (events.ok, "connections:write" in events.fix, "Socket Mode" in events.fix) == (False, True, True)


async def test_over_http_it_says_what_cannot_be_tried(slack: Slack) -> None:
    mode = Mode(bot_token=BOT, signing_secret=WRONG, public_url="https://twin.example.com", api_url=slack.api_url)
    events = (await found(mode))["slack events"]
    assert (events.ok, "https://twin.example.com/slack/events cannot be tried" in events.detail) == (True, True)


async def test_each_workspace_that_installed_the_app_is_tried(slack: Slack, mode: Mode) -> None:
    other = slack.add_team("T2", "xoxb-2", name="Globex", scopes=",".join(SCOPES))
    findings = await checks.examine(replace(mode, bot_token=None), [slack.team.token, other.token])
    assert [each.detail for each in findings if each.name == "slack"] == [
        "it is @twin in Acme (T1)",
        "it is @twin in Globex (T2)",
    ]


# --- whether what is said arrives


@pytest.mark.parametrize("target", ["C1", "#general", "general", "U1"])
async def test_a_message_that_comes_back_is_well_and_is_deleted(slack: Slack, mode: Mode, target: str) -> None:
    delivered = await checks.post(mode, target)
    assert (delivered.ok, delivered.fix) == (True, "")
    assert slack.calls["chat.postMessage"] == 1
    assert [message for channel in slack.channels for message in slack.channel_messages(channel)] == []


@pytest.mark.parametrize(
    ("target", "flags", "event", "scope"),
    [
        ("C1", {}, "message.channels", "channels:history"),
        ("C1", {"is_private": True}, "message.groups", "groups:history"),
        ("C1", {"is_mpim": True}, "message.mpim", "mpim:history"),
        ("U1", {}, "message.im", "im:history"),
    ],
)
async def test_when_nothing_comes_back_the_event_that_is_not_subscribed_is_named(
    slack: Slack, mode: Mode, target: str, flags: dict[str, Any], event: str, scope: str
) -> None:
    slack.channel("C1", name="general", members=["U1"], **flags)
    slack.delivery.lost = True
    delivered = await checks.post(mode, target, patience=0.1)
    assert not delivered.ok
    assert f"the bot event {event}, with the scope {scope}" in delivered.fix
    assert [message for channel in slack.channels for message in slack.channel_messages(channel)] == []


async def test_what_people_say_meanwhile_is_left_for_the_twin(slack: Slack, mode: Mode) -> None:
    trial = asyncio.create_task(checks.post(mode, "C1"))
    await slack.until(lambda: slack.sockets)
    event = {"type": "message", "channel": "C1", "channel_type": "channel", "user": "U1", "text": "Hello", "ts": "1.1"}
    theirs = await slack.emit(event | {"event_ts": "1.1"})
    assert (await trial).ok
    assert (len(slack.acks), theirs in slack.acks) == (1, False)


async def test_another_process_that_hears_for_the_same_app_is_suspected(slack: Slack, mode: Mode) -> None:
    slack.delivery.lost = True
    async with asyncio.timeout(30):
        first = asyncio.create_task(checks.post(mode, "C1", patience=25))
        await slack.until(lambda: slack.sockets)
        second = await checks.post(mode, "C1", patience=0.1)
        first.cancel()
    assert "counts 1 other connections" in second.fix


@pytest.mark.parametrize("target", ["C9", "#nowhere"])
async def test_where_nothing_can_be_posted_is_said(slack: Slack, mode: Mode, target: str) -> None:
    delivered = await checks.post(mode, target)
    assert (delivered.ok, "/invite" in delivered.fix) == (False, True)


async def test_over_http_nothing_is_posted(slack: Slack, mode: Mode) -> None:
    delivered = await checks.post(replace(mode, app_token=None, signing_secret=WRONG), "C1")
    assert (delivered.ok, delivered.needed) == (False, False)
    assert slack.calls["chat.postMessage"] == 0
