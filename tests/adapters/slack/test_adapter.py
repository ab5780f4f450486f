"""What the twin asks of Slack beside showing answers."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from adapters.slack.adapter import SlackAdapter
from adapters.slack.alone import Responses
from adapters.slack.files import Files
from adapters.slack.members import Members
from adapters.slack.stream import Shows
from adapters.slack.workspace import Workspace
from adapters.slack.workspaces import NotInstalled, Workspaces
from bot.chat import Reply, Spoken
from tests.adapters.slack.worlds import World, workspace_of
from tests.simulators.slack import Slack


@pytest.fixture
async def slack() -> AsyncIterator[Slack]:
    async with Slack.open() as opened:
        opened.user("U1", name="Ada")
        opened.user("U2", name="Grace")
        opened.channel("C1", members=["U1", "U2"])
        yield opened


@pytest.fixture
async def adapter(slack: Slack, here: World) -> AsyncIterator[SlackAdapter]:
    async with aiohttp.ClientSession() as session:

        async def connect(_token: str) -> Workspace:
            return workspace_of(slack, session)

        async def token(team: str) -> str | None:
            return "xoxb-1" if team == "T1" else None

        members: Members = here.members
        await members.start(workspace_of(slack, session))
        files = Files(session, slack.api_url)
        yield SlackAdapter(Workspaces(connect, token), Shows(Responses(session)), members, files.fetch)


def reply(ts: str, thread: str, place: str = "slack:T1:C1") -> Reply:
    return Reply(f"reply/{place}/{ts}", place, thread, ts, "slack:T1:U2")


async def test_a_thread_is_what_people_said_to_each_other_in_it_before(slack: Slack, adapter: SlackAdapter) -> None:
    root = await slack.say("C1", "U1", "We move on <https://a.example|Friday>.")
    await slack.say("C1", "U2", "<@U0TWIN> when?", thread_ts=root)
    second = await slack.say("C1", "U2", "Not sooner?", thread_ts=root)
    question = await slack.say("C1", "U2", "<@U0TWIN> who pays?", thread_ts=root)
    await slack.say("C1", "U1", "I do.", thread_ts=root)
    heard = await adapter.thread(reply(question, root))
    assert heard == (Spoken(root, "Ada", "We move on [Friday](https://a.example)."), Spoken(second, "Grace", "Not sooner?"))


async def test_a_question_outside_of_threads_asks_slack_for_nothing(slack: Slack, adapter: SlackAdapter) -> None:
    question = await slack.say("C1", "U2", "<@U0TWIN> who pays?")
    assert await adapter.thread(reply(question, question)) == ()
    assert await adapter.thread(reply("tr1", "tr1", "slack:T1:C1~U2")) == ()
    assert slack.calls["conversations.replies"] == 0


async def test_a_workspace_without_the_app_is_refused(adapter: SlackAdapter) -> None:
    with pytest.raises(NotInstalled):
        await adapter.confirm("slack:T9:C1", "slack:T9:U1")
