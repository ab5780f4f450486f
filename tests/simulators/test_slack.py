"""The simulated Slack does to the real slack_bolt and slack_sdk what Slack does, and notices what Slack would refuse."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.simulators.slack import Slack, delivering

MARKDOWN = {"type": "markdown", "text": "**March**"}
BUTTON = {"type": "button", "action_id": "why", "text": {"type": "plain_text", "text": "Why?"}, "value": "m1"}
MODAL = {"type": "modal", "title": {"type": "plain_text", "text": "Teach"}, "blocks": [{"type": "divider"}]}


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivering, "PATIENCE", 0.5)
    monkeypatch.setattr(delivering, "RETRIES", (0.02, 0.05, 0.1))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
async def slack() -> AsyncIterator[Slack]:
    async with Slack.open() as opened:
        opened.user("U1", name="Ada")
        opened.user("U2", name="Grace")
        opened.channel("C1", name="general", members=["U1", "U2"])
        yield opened


@pytest.fixture
def client(slack: Slack) -> AsyncWebClient:
    return client_of(slack, "T1")


def client_of(slack: Slack, team: str) -> AsyncWebClient:
    return AsyncWebClient(token=slack.teams[team].token, base_url=slack.api_url, retry_handlers=[])


class App:
    """An app that remembers every event with its headers, and acknowledges all but the first `failing`."""

    def __init__(self, slack: Slack, client: AsyncWebClient) -> None:
        self.events: list[Mapping[str, Any]] = []
        self.tries: list[str] = []
        self.failing = 0
        self.bolt = AsyncApp(client=client, signing_secret=slack.signing_secret, before_authorize=self._first)
        self.bolt.event(re.compile(""))(self._listen)

    async def _first(self, payload: dict[str, Any], body: dict[str, Any], context: Any, req: Any, next: Any) -> None:
        if "event" in body:
            self.tries.append("".join(req.headers.get("x-slack-retry-num", ["0"])))
        if self.failing:
            self.failing -= 1
            raise RuntimeError("not kept")
        if "event" in body:
            self.events.append(body)
        await next()

    async def _listen(self) -> None:
        """Have the event acknowledged."""

    def types(self) -> list[str]:
        return [body["event"]["type"] for body in self.events]

    @asynccontextmanager
    async def connected(self, slack: Slack, ping_interval: float = 10) -> AsyncIterator[None]:
        handler = AsyncSocketModeHandler(self.bolt, "xapp-1", ping_interval=ping_interval)
        await handler.connect_async()  # type: ignore[no-untyped-call]
        try:
            await slack.until(lambda: slack.sockets)
            yield
        finally:
            await handler.close_async()  # type: ignore[no-untyped-call]


@pytest.fixture
def app(slack: Slack, client: AsyncWebClient) -> App:
    return App(slack, client)


@asynccontextmanager
async def refused(code: str) -> AsyncIterator[None]:
    with pytest.raises(SlackApiError) as caught:
        yield
    assert caught.value.response["error"] == code


async def stream(slack: Slack, client: AsyncWebClient, text: str = "It is ") -> tuple[str, str]:
    """Start a stream in answer to a message; return the ts of both."""
    root = await slack.say("C1", "U1", "when?")
    begun = await client.chat_startStream(
        channel="C1", thread_ts=root, markdown_text=text, recipient_user_id="U1", recipient_team_id="T1"
    )
    return root, str(begun["ts"])


# --- events


async def test_a_mention_arrives_as_two_events_where_the_app_is_a_member(slack: Slack, app: App) -> None:
    slack.channel("C2", members=["U1"], bot=False)
    async with app.connected(slack):
        ts = await slack.say("C1", "U1", "<@U0TWIN> when?")
        await slack.say("C2", "U1", "<@U0TWIN> when?")
        await slack.until(lambda: len(slack.acks) == 2)
    assert sorted(app.types()) == ["app_mention", "message"]
    assert {body["event"]["ts"] for body in app.events} == {ts}
    assert len({body["event_id"] for body in app.events}) == 2


async def test_what_is_not_acknowledged_comes_again_and_says_so(slack: Slack, app: App) -> None:
    app.failing = 1
    async with app.connected(slack):
        await slack.say("C1", "U1", "lunch?")
        await slack.until(lambda: app.events)
    assert app.tries == ["0", "1"]


async def test_an_event_can_be_delivered_again_and_in_another_order(slack: Slack, app: App) -> None:
    slack.delivery.reorder, slack.delivery.duplicates = True, 1
    async with app.connected(slack):
        for text in ("one", "two"):
            await slack.say("C1", "U1", text)
        await slack.until(lambda: len(app.events) == 4)
        assert [body["event"]["text"] for body in app.events] == ["two", "two", "one", "one"]
        slack.redeliver(app.events[0]["event_id"], 3)
        await slack.until(lambda: len(app.events) == 7)
    assert len({body["event_id"] for body in app.events}) == 2


async def test_a_half_dead_socket_swallows_an_event_that_arrives_over_the_next_one(slack: Slack, app: App) -> None:
    async with app.connected(slack, ping_interval=0.2):
        [before] = slack.sockets
        slack.silence()
        await slack.say("C1", "U1", "lunch?")
        await slack.until(lambda: app.events)
        assert before not in slack.sockets
    assert app.tries != ["0"]


async def test_over_http_only_what_is_signed_now_is_taken(slack: Slack, app: App) -> None:
    runner = web.AppRunner(app.bolt.web_app("/slack/events"))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    slack.transport, slack.request_url = "http", f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    slack.delivery.bad_signature = True
    await slack.say("C1", "U1", "forged")
    slack.delivery.bad_signature, slack.delivery.seconds_old = False, 400
    await slack.say("C1", "U1", "old")
    slack.delivery.seconds_old = 0
    await slack.say("C1", "U1", "lunch?")
    await slack.until(lambda: "lunch?" in [body["event"]["text"] for body in app.events])
    await slack.until(lambda: len(slack.acks) == 1)
    await runner.cleanup()


async def test_a_deleted_root_with_replies_is_a_tombstone_and_anything_else_is_gone(
    slack: Slack, app: App, client: AsyncWebClient
) -> None:
    root = await slack.say("C1", "U1", "when?")
    reply = await slack.say("C1", "U2", "in March", thread_ts=root)
    async with app.connected(slack):
        await slack.delete("C1", root)
        await slack.delete("C1", reply)
        await slack.until(lambda: len(app.events) == 4)
    changed, deleted = sorted((one["event"] for one in app.events if "subtype" in one["event"]), key=lambda one: one["subtype"])
    assert (changed["message"]["subtype"], changed["message"]["text"]) == ("tombstone", "This message was deleted.")
    assert (deleted["deleted_ts"], deleted["previous_message"]["text"]) == (reply, "in March")
    left = (await client.conversations_replies(channel="C1", ts=root))["messages"]
    assert [one["subtype"] for one in left] == ["tombstone"]


async def test_whatever_happens_to_places_and_people_is_told_as_slack_tells_it(slack: Slack, app: App) -> None:
    slack.channel("C2", members=["U1"])
    slack.channel("P1", members=["U1"], is_private=True)
    file = slack.file("a.txt", b"x", user="U1")
    async with app.connected(slack):
        await slack.say("C1", "U1", "read this", files=[file])
        await slack.edit("C1", slack.channel_messages("C1")[0].ts, "read that")
        for channel in ("C2", "P1"):
            await slack.join(channel, "U2")
            await slack.leave(channel, "U2")
            await slack.archive(channel)
            await slack.unarchive(channel)
            await slack.rename(channel, "plans")
            await slack.kick_bot(channel)
            await slack.join(channel, "U0TWIN")
            await slack.remove(channel)
        await slack.unshare(file, "C1")
        await slack.delete_file(file)
        await slack.make_private("C1")
        await slack.deactivate("U2")
        await slack.home("U1")
        await slack.until(lambda: len(slack.acks) == len(slack.sent))
        await slack.uninstall()
        await slack.until(lambda: len(slack.acks) == len(slack.sent))
        await slack.say("C1", "U1", "anybody?")
    assert {"group_archive", "group_unarchive", "group_rename", "group_left", "group_deleted"} <= set(app.types())
    assert len(app.events) == len(slack.sent) == 25


# --- what people do with what the app shows


async def test_clicks_orders_and_modals_reach_the_app_and_its_answers_come_back(
    slack: Slack, app: App, client: AsyncWebClient
) -> None:
    done: list[Any] = []

    async def order(ack: Any, command: Any, respond: Any) -> None:
        await ack("at once")
        await respond("later")
        done.append(command["text"])

    async def press(ack: Any, body: Any, action: Any) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=MODAL)
        with pytest.raises(SlackApiError, match="invalid_trigger_id"):
            await client.views_open(trigger_id=body["trigger_id"], view=MODAL)
        done.append(action["value"])

    async def send(ack: Any) -> None:
        await ack(response_action="errors", errors={"title": "No."})

    app.bolt.command("/twin")(order)
    app.bolt.action("why")(press)
    app.bolt.view("teach")(send)
    app.bolt.shortcut("teach_message")(press_nothing)
    async with app.connected(slack):
        assert await slack.command("U1", "C1", "/twin", "search audit") == {"text": "at once"}
        await slack.until(lambda: slack.responses)
        assert slack.responses[0][1]["text"] == "later"
        await client.chat_postMessage(channel="C1", text="March", blocks=[{"type": "actions", "elements": [BUTTON]}])
        [message] = slack.channel_messages("C1")
        assert await slack.click("U1", message, "why") == {}
        await slack.until(lambda: "m1" in done)
        assert list(slack.views.modals.values()) == [MODAL | {"id": "V1"}]
        assert await slack.shortcut("U1", "C1", message.ts, "teach_message") == {}
        answer = await slack.submit("U1", {**MODAL, "callback_id": "teach"}, {})
        assert answer == {"response_action": "errors", "errors": {"title": "No."}}
    assert (done, slack.unanswered) == (["search audit", "m1"], [])


async def press_nothing(ack: Any) -> None:
    await ack()


# --- streams


async def test_a_stream_is_begun_written_and_ended_by_the_real_client(slack: Slack, client: AsyncWebClient) -> None:
    root = await slack.say("C1", "U1", "when?")
    streamer = await client.chat_stream(
        channel="C1", thread_ts=root, recipient_user_id="U1", recipient_team_id="T1", buffer_size=1
    )
    await streamer.append(markdown_text="It is ")
    [_, message] = slack.thread("C1", root)
    assert (message.streaming, slack.shown(message)) == (True, "It is ")
    async with refused("streaming_state_conflict"):
        await client.chat_update(channel="C1", ts=message.ts, text="no")
    await streamer.append(markdown_text="in March.")
    await streamer.stop(blocks=[{"type": "actions", "elements": [BUTTON]}])
    assert (message.streaming, slack.shown(message)) == (False, "It is in March.")
    assert message.edits == ["It is ", "It is in March.", "It is in March."]
    async with refused("message_not_in_streaming_state"):
        await client.chat_appendStream(channel="C1", ts=message.ts, markdown_text="!")
    await client.chat_update(channel="C1", ts=message.ts, text="In March.", blocks=[MARKDOWN])
    assert slack.shown(message) == "**March**"


async def test_a_stream_ends_by_itself_or_by_whoever_reads_it(slack: Slack, app: App, client: AsyncWebClient) -> None:
    _, ts = await stream(slack, client)
    slack.expire_streams_after(0)
    async with refused("message_not_in_streaming_state"):
        await client.chat_stopStream(channel="C1", ts=ts)
    slack.expire_streams_after(None)
    root, ts = await stream(slack, client)
    async with app.connected(slack):
        await slack.stop_stream("U1", slack.channels["C1"].messages[ts])
        async with refused("stopped_by_user"):
            await client.chat_appendStream(channel="C1", ts=ts, markdown_text="more")
        await slack.until(lambda: "agent_session_stopped" in app.types())
    [stopped] = [body["event"] for body in app.events if body["event"]["type"] == "agent_session_stopped"]
    assert (stopped["thread_ts"], stopped["streaming_message_ts"]) == (root, [ts])


async def test_what_is_refused_changes_nothing_of_a_stream(slack: Slack, client: AsyncWebClient) -> None:
    root = await slack.say("C1", "U1", "when?")
    async with refused("missing_recipient_user_id"):
        await client.chat_startStream(channel="C1", thread_ts=root, recipient_team_id="T1")
    async with refused("invalid_thread_ts"):
        await client.chat_startStream(channel="C1", thread_ts="1.0", recipient_user_id="U1", recipient_team_id="T1")
    _, ts = await stream(slack, client, "a" * 12_000)
    async with refused("msg_too_long"):
        await client.chat_appendStream(channel="C1", ts=ts, markdown_text="b" * 1_791)
    async with refused("invalid_blocks"):
        await client.chat_stopStream(channel="C1", ts=ts, blocks=[{"type": "divider"}] * 51)
    message = slack.channels["C1"].messages[ts]
    assert (message.streaming, slack.shown(message)) == (True, "a" * 12_000)


# --- limits


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"markdown_text": "a" * 12_001}, "msg_too_long"),
        ({"markdown_text": "a", "text": "b"}, "invalid_arguments"),
        ({"text": "a", "blocks": [{"type": "markdown", "text": "a" * 6_001}] * 2}, "msg_blocks_too_long"),
        ({"text": "a", "blocks": [section("a")] * 51}, "invalid_blocks"),
        ({"text": "a", "blocks": [section("a" * 3_001)]}, "invalid_blocks"),
        ({"text": "a", "blocks": [section("")]}, "invalid_blocks"),
        ({"text": "a", "blocks": [section("a") | {"block_id": "b"}] * 2}, "invalid_blocks"),
        ({"text": "a", "blocks": [{"type": "actions", "elements": [BUTTON, BUTTON]}]}, "invalid_blocks"),
        ({"text": "a", "blocks": [{"type": "actions", "elements": [BUTTON | {"value": "a" * 2_001}]}]}, "invalid_blocks"),
        ({"text": "a", "thread_ts": "1.0"}, "thread_not_found"),
        ({"text": "a", "channel": "C7"}, "channel_not_found"),
        ({"text": "a", "channel": "C2"}, "not_in_channel"),
        ({"text": "a", "channel": "C3"}, "is_archived"),
    ],
)
async def test_a_message_that_slack_does_not_take_is_refused(client: AsyncWebClient, given: dict[str, Any], code: str) -> None:
    async with Slack.open() as slack:
        slack.channel("C1")
        slack.channel("C2", bot=False)
        slack.channel("C3", is_archived=True)
        client.base_url = slack.api_url
        async with refused(code):
            await client.chat_postMessage(**{"channel": "C1", **given})
        assert slack.channel_messages("C1") == []
        slack.problems.clear()


async def test_what_the_app_says_can_be_changed_and_marked_as_far_as_slack_lets_it(
    slack: Slack, client: AsyncWebClient
) -> None:
    theirs = await slack.say("C1", "U1", "when?")
    metadata = {"event_type": "reply", "event_payload": {"key": "k1"}}
    ours = str((await client.chat_postMessage(channel="C1", text="…", thread_ts=theirs, metadata=metadata))["ts"])
    async with refused("msg_too_long"):
        await client.chat_update(channel="C1", ts=ours, text="é" * 2_001)
    async with refused("cant_update_message"):
        await client.chat_update(channel="C1", ts=theirs, text="no")
    async with refused("cant_delete_message"):
        await client.chat_delete(channel="C1", ts=theirs)
    async with refused("user_not_in_channel"):
        await client.chat_postEphemeral(channel="C1", user="U3", text="psst")
    await client.reactions_add(channel="C1", timestamp=theirs, name="eyes")
    async with refused("already_reacted"):
        await client.reactions_add(channel="C1", timestamp=theirs, name="eyes")
    await client.reactions_remove(channel="C1", timestamp=theirs, name="eyes")
    async with refused("no_reaction"):
        await client.reactions_remove(channel="C1", timestamp=theirs, name="eyes")
    plain = await client.conversations_replies(channel="C1", ts=theirs)
    whole = await client.conversations_replies(channel="C1", ts=theirs, include_all_metadata=True)
    assert [one.get("metadata") for one in plain["messages"]] == [None, None]
    assert [one.get("metadata") for one in whole["messages"]] == [None, metadata]
    await client.chat_delete(channel="C1", ts=ours)
    async with refused("message_not_found"):
        await client.chat_getPermalink(channel="C1", message_ts=ours)


async def test_home_and_modals_take_no_blocks_that_stand_in_messages_only(slack: Slack, client: AsyncWebClient) -> None:
    async with refused("invalid_arguments"):
        await client.views_publish(user_id="U1", view={"type": "home", "blocks": [MARKDOWN]})
    await client.views_publish(user_id="U1", view={"type": "home", "blocks": [{"type": "divider"}]})
    assert slack.views.home["U1"]["blocks"] == [{"type": "divider"}]


# --- what is there


async def test_lists_come_in_pages(slack: Slack, client: AsyncWebClient) -> None:
    slack.page = 2
    for n in range(5):
        await slack.say("C1", "U1", f"{n}")
    pages = [list(page["messages"]) async for page in await client.conversations_history(channel="C1", limit=100)]
    assert [[one["text"] for one in page] for page in pages] == [["4", "3"], ["2", "1"], ["0"]]
    members = [page["members"] async for page in await client.conversations_members(channel="C1")]
    assert members == [["U1", "U2"], ["U0TWIN"]]


async def test_a_workspace_knows_nothing_of_another(slack: Slack, client: AsyncWebClient) -> None:
    slack.add_team("T2", "xoxb-2")
    file = slack.file("a.txt", b"secret", user="U1")
    ts = await slack.say("C1", "U1", "lunch?", files=[file])
    other = client_of(slack, "T2")
    calls = {
        "channel_not_found": other.conversations_info(channel="C1"),
        "user_not_found": other.users_info(user="U1"),
        "file_not_found": other.files_info(file=file.id),
    }
    for code, call in calls.items():
        async with refused(code):
            await call
    async with refused("channel_not_found"):
        await other.reactions_add(channel="C1", timestamp=ts, name="eyes")
    assert (await other.users_list())["members"][0]["id"] == "U0TWINT2"
    assert (await client.auth_test())["user_id"] == "U0TWIN"


async def test_a_file_is_for_whoever_may_read_files_and_a_sign_in_page_for_everyone_else(slack: Slack) -> None:
    file = slack.file("handbook.pdf", b"%PDF-1.7", user="U1")
    async with aiohttp.ClientSession() as session:

        async def fetched(token: str) -> tuple[int, str, bytes]:
            headers = {"Authorization": f"Bearer {token}"}
            async with session.get(file.about["url_private_download"], headers=headers) as response:
                return response.status, response.content_type, await response.read()

        assert await fetched("xoxb-1") == (200, "application/pdf", b"%PDF-1.7")
        assert (await fetched("xoxb-7"))[:2] == (200, "text/html")
        slack.team.scopes = slack.team.scopes.replace("files:read,", "")
        assert (await fetched("xoxb-1"))[:2] == (200, "text/html")


async def test_the_real_client_uploads_a_file_into_a_channel(slack: Slack, client: AsyncWebClient) -> None:
    await client.files_upload_v2(channel="C1", filename="digest.md", content="# Digest", initial_comment="This week")
    [message] = slack.channel_messages("C1")
    assert (message.text, [one["name"] for one in message.files]) == ("This week", ["digest.md"])
    assert slack.files[message.files[0]["id"]].data == b"# Digest"


# --- tokens, scopes, faults and problems


async def test_a_method_without_its_scope_says_which(slack: Slack, client: AsyncWebClient) -> None:
    slack.team.scopes = "channels:read,users:read"
    assert (await client.auth_test()).headers["x-oauth-scopes"] == "channels:read,users:read"
    for call, scope in (
        (client.chat_postMessage(channel="C1", text="hello"), "chat:write"),
        (client.conversations_history(channel="C1"), "channels:history"),
        (client.conversations_list(types="public_channel,private_channel"), "groups:read"),
        (client.team_info(), "team:read"),
    ):
        with pytest.raises(SlackApiError) as caught:
            await call
        said = caught.value.response
        assert (said["error"], said["needed"], said["provided"]) == ("missing_scope", scope, slack.team.scopes)


@pytest.mark.filterwarnings("ignore:BasicAuth is deprecated")  # slack_sdk still uses it
async def test_each_token_is_good_for_its_own_as_long_as_the_app_is_there(slack: Slack, client: AsyncWebClient) -> None:
    for token, code in (("xoxb-1", "not_allowed_token_type"), ("xapp-7", "invalid_auth")):
        async with refused(code):
            await client.apps_connections_open(app_token=token)
    async with refused("not_allowed_token_type"):
        await client.auth_test(token=slack.team.app_token)
    await slack.uninstall()
    async with refused("account_inactive"):
        await client.auth_test()
    slack.codes["c1"] = slack.team
    told = await client.oauth_v2_access(client_id="1", client_secret=slack.signing_secret, code="c1")
    assert (told["access_token"], (await client.auth_test())["team_id"]) == ("xoxb-1", "T1")
    async with refused("invalid_code"):
        await client.oauth_v2_access(client_id="1", client_secret=slack.signing_secret, code="c1")


async def test_calls_fail_as_told_and_then_no_more(slack: Slack, client: AsyncWebClient) -> None:
    slack.fault("chat.postMessage", 429)
    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel="C1", text="one")
    assert (caught.value.response.status_code, caught.value.response.headers["Retry-After"]) == (429, "1")
    slack.fault("chat.postMessage", "reset")
    with pytest.raises(aiohttp.ClientError):
        await client.chat_postMessage(channel="C1", text="one")
    slack.fault("chat.postMessage", "restricted_action", times=2)
    for _ in range(2):
        async with refused("restricted_action"):
            await client.chat_postMessage(channel="C1", text="one")
    assert slack.channel_messages("C1") == []
    slack.fault("chat.postMessage", "timeout after")
    client.timeout = 1
    with pytest.raises(asyncio.TimeoutError):
        await client.chat_postMessage(channel="C1", text="one")
    await client.chat_postMessage(channel="C1", text="two")
    assert [one.text for one in slack.channel_messages("C1")] == ["one", "two"]
    assert (slack.calls["chat.postMessage"], len(slack.moments["chat.postMessage"])) == (6, 6)


@pytest.mark.parametrize(
    ("method", "given", "problem"),
    [
        ("chat.postMessage", {"channel": "C1", "text": "a", "thraed_ts": "1.0"}, "thraed_ts"),
        ("chat.postMessage", {"channel": "C1", "text": "a", "blocks": [{"type": "sectoin"}]}, "sectoin"),
        ("chat.appendStream", {"channel": "C1", "ts": "1.0", "chunks": [{"type": "text", "text": "a"}]}, "chunks"),
        ("chat.scribble", {"channel": "C1"}, "unknown method chat.scribble"),
    ],
)
async def test_what_slack_would_not_understand_fails_the_test(method: str, given: dict[str, Any], problem: str) -> None:
    with pytest.raises(AssertionError, match=problem):
        async with Slack.open() as slack:
            with pytest.raises(SlackApiError):
                await client_of(slack, "T1").api_call(method, json=given)


async def test_an_event_that_slack_would_not_send_fails_the_test() -> None:
    with pytest.raises(AssertionError, match="channel_archive"):
        async with Slack.open() as slack:
            await slack.emit({"type": "channel_archive", "channel": "C1"})
