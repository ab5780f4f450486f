"""Commands and shortcuts, and all else that people do in Slack beside talking, registered."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

from slack_bolt.async_app import AsyncApp

from adapters.common import orders
from adapters.common.handed import Desk, Twin
from adapters.slack import incoming, modals, names, outgoing
from adapters.slack.actors import SOON, Ack, Actors, Body, Members, Respond, Someone, Sorry
from adapters.slack.clicks import Clicks
from adapters.slack.home import Homes
from adapters.slack.settings import Settings
from adapters.slack.workspace import Failed, Workspace
from adapters.slack.workspaces import Workspaces
from bot.chat import Message

TEACH, ASK = "teach_message", "ask_global"
_CONFIRM, _CANCEL = "confirm_order", "cancel_order"
_SAID = 11_000  # characters; Slack takes 12,000 in a Markdown block
_NOT_THERE = "I am not in this channel. Invite me to it (`/invite @twin`), then have me learn the message."


class Responses(Protocol):
    """Remembers where a command is answered."""

    def remember(self, message_id: str, response_url: str) -> None:
        """Keep the address for the message that a command becomes."""


class Interactions:
    """Does what is ordered and clicked. What fails is told to whoever did it, and to nobody else."""

    def __init__(
        self,
        *,
        twin: Twin,
        desk: Desk,
        workspaces: Workspaces,
        members: Members,
        responses: Responses,
        explain: Callable[[BaseException], str],
    ) -> None:
        self._twin = twin
        self._desk = desk
        self._actors = Actors(twin, workspaces, members, explain)
        self._responses = responses

    def register(self, app: AsyncApp) -> None:
        """Have the app call what is here, and acknowledge whatever else is clicked."""
        app.command(re.compile(".*"))(self._command)
        app.action(_CONFIRM)(self._confirmed)
        app.action(_CANCEL)(self._cancelled)
        app.shortcut(TEACH)(self._teach)
        app.shortcut(ASK)(self._ask_anywhere)
        app.view(modals.QUESTION)(self._asked_anywhere)
        Clicks(self._twin, self._desk, self._actors).register(app)
        Homes(self._twin, self._actors).register(app)
        Settings(self._twin, self._actors).register(app)
        app.action(re.compile(".*"))(_acknowledged)  # such as a link: Slack waits for an answer there too

    # --- commands

    async def _command(self, ack: Ack, body: dict[str, Any], respond: Respond) -> None:
        word, rest = orders.parsed(str(body.get("text") or ""))
        if word == "ask" and rest:
            await self._ask(ack, body, rest)
            return
        await ack()
        await self._order(body, word, rest, respond)

    async def _ask(self, ack: Ack, body: Body, question: str) -> None:
        """Hand a question in before Slack is told that it was received; it is answered to its asker alone."""
        user, id = str(body["user_id"]), str(body["trigger_id"])
        try:
            async with asyncio.timeout(SOON):
                workspace = await self._actors.workspace(body)
                place = names.place(workspace.team, str(body["channel_id"]), alone=user)
                self._responses.remember(id, str(body["response_url"]))
                question = incoming.plain(workspace, question, self._actors.name)
                await self._desk.receive(self._question(workspace, user, question, event=f"command:{id}", place=place, id=id))
        except Exception as error:
            await ack(text=outgoing.mrkdwn(self._actors.sentence(error)))
        else:
            await ack()

    def _question(self, workspace: Workspace, user: str, text: str, *, event: str, place: str, id: str) -> Message:
        account = names.account(workspace.team, user)
        return Message(
            event=event,
            place=place,
            id=id,
            account=account,
            text=text,
            changed_at=incoming.now(),
            addressed=True,
            author=self._actors.name(account),
        )

    async def _order(self, body: Body, word: str, rest: str, respond: Respond) -> None:
        async with self._actors.telling(respond):
            who = await self._actors.who(body)
            rest = incoming.plain(who.workspace, rest, self._actors.name)
            said = await orders.obey(self._twin, orders.Order(word, rest, who.place, who.alone, who.person, who.account))
            blocks = outgoing.body(outgoing.escaped(said.text)[:_SAID]) + _asked(said)
            await respond(text=outgoing.fallback(said.text), blocks=blocks, response_type="ephemeral", replace_original=False)

    async def _confirmed(self, ack: Ack, body: dict[str, Any], respond: Respond) -> None:
        await ack()
        await respond(delete_original=True)
        await self._order(body, *orders.parsed(str(body["actions"][0]["value"])), respond)

    async def _cancelled(self, ack: Ack, respond: Respond) -> None:
        await ack()
        await respond(delete_original=True)

    # --- shortcuts

    async def _ask_anywhere(self, ack: Ack, body: dict[str, Any]) -> None:
        await ack()
        workspace = await self._actors.workspace(body)
        await workspace.call("views.open", trigger_id=body["trigger_id"], view=modals.question())

    async def _asked_anywhere(self, ack: Ack, body: dict[str, Any], view: dict[str, Any]) -> None:
        """Post the question where its answer is to stand, and hand it in, before the modal closes."""
        question, user = modals.written(view, "question"), str(body["user"]["id"])
        try:
            async with asyncio.timeout(SOON):
                workspace = await self._actors.workspace(body)
                channel = str((await workspace.call("conversations.open", users=user))["channel"]["id"])
                blocks = outgoing.body("\n".join(f"> {line}" for line in outgoing.escaped(question).splitlines()))
                said = {"text": outgoing.fallback(question), "blocks": blocks, **outgoing.QUIET}
                ts = str((await workspace.call("chat.postMessage", channel=channel, **said))["ts"])
                place = names.place(workspace.team, channel)
                asked = self._question(workspace, user, question, event=f"asked:{view['id']}", place=place, id=ts)
                await self._desk.receive(replace(asked, thread=ts))
        except Exception as error:
            await ack(response_action="errors", errors={"question": self._actors.sentence(error)})
        else:
            await ack()

    async def _teach(self, ack: Ack, body: dict[str, Any], respond: Respond) -> None:
        """Have a message learned as it is, files and all, for those who may read where it stands."""
        said = "I am learning it: a ✅ on the message says when I have."
        try:
            async with asyncio.timeout(SOON):
                who = await self._actors.who(body)
                await self._may_teach(who)
                await self._desk.receive(self._taught(who, body))
        except Exception as error:
            said = self._actors.sentence(error)
        await ack()
        await self._actors.tell(respond, said)

    async def _may_teach(self, who: Someone) -> None:
        """Raise unless they may; where the app is not, its menu is there all the same, and that is the reason to tell."""
        try:
            await self._twin.may_teach(**who.here)
        except Exception:
            if await self._is_outside(who):
                raise Sorry(_NOT_THERE) from None
            raise

    async def _is_outside(self, who: Someone) -> bool:
        try:
            channel = (await who.workspace.call("conversations.info", channel=names.where(who.place.id).channel))["channel"]
        except Failed as error:
            return error.code == "channel_not_found"
        return not any(channel.get(flag) for flag in ("is_member", "is_im", "is_mpim"))

    def _taught(self, who: Someone, body: Body) -> Message:
        said, channel = body["message"], body["channel"]["id"]
        event = {**said, "type": "message", "channel": channel}
        told = incoming.message(who.workspace, {"event_id": f"teach:{body['trigger_id']}", "event": event}, self._actors.name)
        if told is None or not (told.text.strip() or told.attachments):
            raise Sorry("There is nothing in this message that I could learn.")
        return incoming.taught(told, by=who.account)


async def _acknowledged(ack: Ack) -> None:
    await ack()


def _asked(said: orders.Said) -> list[outgoing.Block]:
    """Return the buttons that do what was ordered after all, or not."""
    if not said.confirm:
        return []
    yes: outgoing.Block = {"type": "button", "action_id": _CONFIRM, "value": said.confirm, "style": "danger"}
    no: outgoing.Block = {"type": "button", "action_id": _CANCEL, "value": "no"}
    yes["text"], no["text"] = ({"type": "plain_text", "text": text} for text in ("Yes, forget", "Cancel"))
    return [{"type": "actions", "elements": [yes, no]}]
