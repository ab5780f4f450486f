"""What Slack tells becomes what people said."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.web.async_client import AsyncWebClient

from adapters.common.pace import Pace
from adapters.slack import incoming
from adapters.slack.intake import removal
from adapters.slack.workspace import Workspace
from bot.chat import Gone

HERE = Workspace("T1", "U0TWIN", "B0TWIN", "A1", AsyncWebClient(), Pace(), url="https://acme.slack.com/")
NAMES = {"slack:T1:U1": "Ada", "slack:T1:U2": "Grace"}


def name(account: str) -> str:
    return NAMES.get(account, "")


def body(**event: Any) -> dict[str, Any]:
    told = {"type": "message", "channel": "C1", "channel_type": "channel", "user": "U1", "text": "hello", "ts": "10.5"}
    return {"event_id": "Ev1", "event": {**told, "event_ts": event.get("ts", "10.5"), **event}}


def test_a_message_keeps_who_said_it_where_when_and_how_to_open_it() -> None:
    message = incoming.message(HERE, body(text="hello <@U2>", thread_ts="9.0"), name)
    assert message
    assert (message.place, message.id, message.account) == ("slack:T1:C1", "10.5", "slack:T1:U1")
    assert (message.thread, message.author, message.text) == ("9.0", "Ada", "hello @Grace")
    assert message.link == "https://acme.slack.com/archives/C1/p105?thread_ts=9.0&cid=C1"
    assert message.changed_at.timestamp() == 10.5
    assert not message.addressed


def test_a_message_outside_of_threads_is_the_root_of_its_own() -> None:
    message = incoming.message(HERE, body(), name)
    assert message
    assert message.thread == message.id


@pytest.mark.parametrize(
    ("event", "addressed"),
    [
        ({"text": "<@U0TWIN> when?"}, True),
        ({"text": "when?", "channel_type": "im"}, True),
        ({"text": "when?", "type": "app_mention"}, True),
        ({"text": "when?"}, False),
        ({"text": "<@U2> when?"}, False),
    ],
)
def test_it_is_spoken_to_by_mention_or_in_private(event: dict[str, Any], addressed: bool) -> None:
    message = incoming.message(HERE, body(**event), name)
    assert message
    assert message.addressed == addressed
    assert message.text in {"when?", "@Grace when?"}


def test_a_mention_and_the_message_it_stands_in_are_one_message() -> None:
    one, other = body(text="<@U0TWIN> when?"), body(text="<@U0TWIN> when?", type="app_mention")
    both = [incoming.message(HERE, told, name) for told in (one, other)]
    assert {(m.place, m.id, m.text, m.addressed) for m in both if m} == {("slack:T1:C1", "10.5", "when?", True)}


@pytest.mark.parametrize(
    "event",
    [
        {"user": "U0TWIN"},
        {"bot_id": "B0TWIN", "subtype": "bot_message"},
        {"subtype": "channel_join"},
        {"subtype": "channel_topic"},
        {"subtype": "message_changed", "message": {"ts": "10.5", "user": "U1", "text": "a"}, "previous_message": {"text": "a"}},
    ],
)
def test_what_nobody_said_is_no_message(event: dict[str, Any]) -> None:
    assert incoming.message(HERE, body(**event), name) is None


def test_another_bot_is_one() -> None:
    message = incoming.message(HERE, body(bot_id="B7", subtype="bot_message", user="U7"), name)
    assert message
    assert message.from_bot


def test_an_edit_is_the_message_as_it_is_since_then() -> None:
    now = {"ts": "10.5", "user": "U1", "text": "<@U0TWIN> and when?", "edited": {"user": "U1", "ts": "12.0"}}
    message = incoming.message(
        HERE, body(subtype="message_changed", ts="12.1", message=now, previous_message={"text": "when?"}), name
    )
    assert message
    assert (message.id, message.text, message.addressed, message.deleted) == ("10.5", "and when?", True, False)
    assert message.changed_at.timestamp() == 12.0


@pytest.mark.parametrize(
    "event",
    [
        {"subtype": "message_deleted", "deleted_ts": "10.5", "previous_message": {"ts": "10.5", "user": "U1"}},
        {
            "subtype": "message_changed",
            "message": {"ts": "10.5", "user": "USLACKBOT", "subtype": "tombstone", "text": "This message was deleted."},
            "previous_message": {"ts": "10.5", "user": "U1", "text": "secret"},
        },
        {"subtype": "message_changed", "message": {"ts": "10.5", "subtype": "ekm_access_denied", "user": "UREVOKEDU"}},
    ],
)
def test_a_deletion_is_one_in_whatever_form_it_comes(event: dict[str, Any]) -> None:
    message = incoming.message(HERE, body(ts="13.0", **event), name)
    assert message
    assert (message.id, message.deleted, message.text) == ("10.5", True, "")


def test_files_that_are_gone_are_not_brought_any_more() -> None:
    files = [
        {"id": "F1", "name": "a.pdf", "size": 7},
        {"id": "F2", "mode": "tombstone"},
        {"id": "F3", "mode": "hidden_by_limit"},
    ]
    message = incoming.message(HERE, body(subtype="file_share", files=files), name)
    assert message
    assert [(one.id, one.name, one.size) for one in message.attachments] == [("F1", "a.pdf", 7)]


@pytest.mark.parametrize(
    ("slack", "said"),
    [
        ("<https://a.example|our page> &amp; more", "[our page](https://a.example) & more"),
        ("<https://a.example>", "https://a.example"),
        ("<mailto:a@b.example|a@b.example>", "a@b.example"),
        ("in <#C7|general> ask <@U9> or <!here>", "in #general ask @somebody or @here"),
        ("<!date^1392734382^{date}|18 February>", "18 February"),
        ("<!subteam^S1|@writers> please", "@writers please"),
        ("1 &lt; 2 &gt; 0", "1 < 2 > 0"),
        ("```\nif (a &lt; b) { }\n```", "```\nif (a < b) { }\n```"),
        ("so <@U0TWIN>, when?", "so when?"),
    ],
)
def test_its_own_forms_become_what_people_meant(slack: str, said: str) -> None:
    assert incoming.plain(HERE, slack, name) == said


@given(st.text(st.sampled_from("<>|@#!&;U0TWINalt \n*_`~"), max_size=60))
def test_whatever_is_written_can_be_read(text: str) -> None:
    said = incoming.plain(HERE, text, name)
    assert said == said.strip()
    assert "<@U0TWIN>" not in said or text.count("<@U0TWIN>") > 1 or "&lt;" in text


@pytest.mark.parametrize(
    ("event", "what", "id", "place"),
    [
        ({"type": "file_deleted", "file_id": "F1"}, Gone.FILE, "F1", ""),
        ({"type": "file_unshared", "file_id": "F1", "channel_id": "C1"}, Gone.FILE, "F1", "slack:T1:C1"),
        ({"type": "channel_left", "channel": "C1"}, Gone.PLACE, "slack:T1:C1", ""),
        ({"type": "group_deleted", "channel": "G1"}, Gone.PLACE, "slack:T1:G1", ""),
        ({"type": "member_left_channel", "channel": "C1", "user": "U0TWIN"}, Gone.PLACE, "slack:T1:C1", ""),
        ({"type": "user_change", "user": {"id": "U1", "deleted": True}}, Gone.ACCOUNT, "slack:T1:U1", ""),
        ({"type": "app_uninstalled"}, Gone.TENANT, "slack:T1", ""),
        ({"type": "tokens_revoked", "tokens": {"bot": ["U0TWIN"]}}, Gone.TENANT, "slack:T1", ""),
    ],
)
def test_what_is_gone_is_said_to_be(event: dict[str, Any], what: Gone, id: str, place: str) -> None:
    gone = removal(HERE, {"event_id": "Ev1", "event": event})
    assert gone
    assert (gone.what, gone.id, gone.place, gone.tenant) == (what, id, place, "slack:T1")


@pytest.mark.parametrize(
    "event",
    [
        {"type": "member_left_channel", "channel": "C1", "user": "U1"},
        {"type": "user_change", "user": {"id": "U1"}},
        {"type": "tokens_revoked", "tokens": {"oauth": ["U1"]}},
        {"type": "channel_archive", "channel": "C1"},
    ],
)
def test_what_only_changed_is_not_gone(event: dict[str, Any]) -> None:
    assert removal(HERE, {"event_id": "Ev1", "event": event}) is None
