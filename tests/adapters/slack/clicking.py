"""People who click and give orders in the simulated Slack: the real Bolt, a twin with its engines, and a desk that keeps."""

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler

from adapters.slack import connection, names, outgoing
from adapters.slack.interactions import Interactions
from adapters.slack.members import Members
from adapters.slack.workspace import Workspace, client
from adapters.slack.workspaces import Workspaces
from bot.apology import explain
from bot.app import House
from bot.chat import Answer, Notice, Person, Place, Taught
from tests.adapters.slack.desks import Desk
from tests.adapters.slack.worlds import workspace_of
from tests.simulators.slack import Message, Slack

HANDBOOK = "# Handbook\n\n## Audit\n\nThe audit of the warehouse takes place on the third of March.\n"
QUESTION = "When does the audit of the warehouse take place?"


@dataclass
class Responses:
    """Where commands are answered, by the message that they became."""

    known: dict[str, str]

    def remember(self, message_id: str, response_url: str) -> None:
        self.known[message_id] = response_url


class Unheard:
    """Takes no events in."""

    async def take(self, workspace: Workspace, body: Mapping[str, Any]) -> None:
        """Do nothing."""


@dataclass
class Office:
    """Ada and Grace work together and Eve is a guest; all are in C1, Ada alone is in P1, and the app is not in C2."""

    slack: Slack
    house: House
    desk: Desk
    members: Members
    responses: Responses
    workspace: Workspace

    async def person(self, user: str) -> Person:
        return await self.house.twin.person(names.account("T1", user))

    async def taught(self, folder: Path, name: str, text: str, channel: str = "C1", by: str = "U1") -> str:
        """Teach a file in a channel; return the id of the document."""
        file = folder / name
        file.write_text(text)
        learning = self.house.twin.learn([file], scope=names.place("T1", channel), by=await self.person(by))
        async with aclosing(learning) as receipts:
            [document] = [receipt.document async for _, receipt in receipts]
        assert document
        return document.id

    async def answered(self, user: str, place: str, question: str = QUESTION) -> tuple[Answer, Message]:
        """Have a question answered in a place, and show the answer in its channel as it is shown to people."""
        await self.members.confirm(self.workspace, place, names.account("T1", user))
        person = await self.person(user)
        async with aclosing(self.house.twin.ask(question, place=Place(place), person=person)) as pieces:
            [answer] = [piece async for piece in pieces if isinstance(piece, Answer)]
        where = names.where(place)
        blocks = [*outgoing.body(outgoing.escaped(answer.text)), *outgoing.beneath(answer, alone=bool(where.alone))]
        if where.alone:
            return answer, Message("1.1", where.channel, "U0TWIN", blocks=blocks)
        return answer, await self.posted(where.channel, blocks)

    async def receipt(self, channel: str, *taught: Taught) -> Message:
        """Show the receipt of what was taught."""
        said = Notice("\n".join(f"✅ Learned “{one.title}”." for one in taught), taught)
        return await self.posted(channel, [*outgoing.body(said.text), *outgoing.beneath(said)])

    async def posted(self, channel: str, blocks: list[outgoing.Block]) -> Message:
        said = await self.workspace.call("chat.postMessage", channel=channel, text="…", blocks=blocks)
        return self.slack.channels[channel].messages[str(said["ts"])]

    async def told(self) -> str:
        """Wait for what whoever clicked is told next, and return it."""
        await self.slack.until(lambda: self.slack.responses, 15)
        _, said = self.slack.responses.pop(0)
        assert said.get("delete_original") or said["response_type"] == "ephemeral"
        shown: str = self.slack.shown(Message("1.1", "C1", "U0TWIN", said.get("text", ""), blocks=said.get("blocks") or []))
        return shown

    async def modal(self, number: int = 1) -> str:
        """Wait until a modal shows what there is to see, and return it."""
        id = f"V{number}"
        waiting = "One moment…"
        await self.slack.until(lambda: id in self.slack.views.modals and waiting not in str(self.slack.views.modals[id]), 15)
        return str(self.slack.views.modals[id]["blocks"])


@asynccontextmanager
async def office(house: House) -> AsyncIterator[Office]:
    """Open it, with the app connected."""
    async with Slack.open() as slack, aiohttp.ClientSession() as session:
        slack.user("U1", name="Ada")
        slack.user("U2", name="Grace")
        slack.user("U3", name="Eve", is_restricted=True)
        slack.channel("C1", name="general", members=["U1", "U2", "U3"])
        slack.channel("P1", name="board", members=["U1"], is_private=True)
        slack.channel("C2", name="elsewhere", members=["U1", "U2"], bot=False)
        workspace = workspace_of(slack, session)
        desk, members, responses = Desk(), Members(house.people), Responses({})
        await members.start(workspace)

        async def connect(_token: str) -> Workspace:
            return workspace

        async def token(_team: str) -> str | None:
            return "xoxb-1"

        workspaces = Workspaces(connect, token)
        bolt = connection.bolt(client("", api_url=slack.api_url, session=session), workspaces, Unheard(), None)
        Interactions(
            twin=house.twin, desk=desk, workspaces=workspaces, members=members, responses=responses, explain=explain
        ).register(bolt)
        connection.acknowledge_the_rest(bolt)
        handler = AsyncSocketModeHandler(bolt, "xapp-1")
        await handler.connect_async()  # type: ignore[no-untyped-call]
        await slack.until(lambda: slack.sockets)
        try:
            yield Office(slack, house, desk, members, responses, workspace)
        finally:
            await handler.close_async()  # type: ignore[no-untyped-call]
        assert slack.unanswered == []
