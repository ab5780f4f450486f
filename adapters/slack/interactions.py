"""Commands, buttons, shortcuts and the home of the app: what people do in Slack beside talking."""

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import structlog
from slack_bolt.async_app import AsyncApp

from adapters.common import orders, texts
from adapters.slack import home, incoming, modals, names, outgoing
from adapters.slack.handed import Desk, Twin
from adapters.slack.workspace import Failed, Workspace
from adapters.slack.workspaces import Workspaces
from bot.chat import Message, Person, Place

log = structlog.get_logger()

Body = Mapping[str, Any]
Ack = Callable[..., Awaitable[Any]]
Respond = Callable[..., Awaitable[Any]]

TEACH = "teach_message"
_CONFIRM, _CANCEL = "confirm_order", "cancel_order"
_PROMPTS = ("What can you do?", "What was learned this week?", "How do I teach you something?")


class Members(Protocol):
    """Knows who is where."""

    async def confirm(self, workspace: Workspace, place: str, account: str) -> None:
        """Bring what is known of a place and of somebody in it up to date."""

    def name(self, account: str) -> str:
        """Return what somebody is called, as far as it is known."""


class Responses(Protocol):
    """Remembers where a command is answered."""

    def remember(self, message_id: str, response_url: str) -> None:
        """Keep the address for the message that a command becomes."""


@dataclass(frozen=True, slots=True)
class Someone:
    """Who does something, and where; `alone` is where they alone read what is said."""

    workspace: Workspace
    account: str
    person: Person
    place: Place
    alone: Place

    @property
    def here(self) -> orders.Here:
        return {"place": self.place, "person": self.person}

    @property
    def in_private(self) -> orders.Here:
        return {"place": self.alone, "person": self.person}


class Interactions:
    """Does what is clicked and ordered. What fails is told to whoever did it, and to nobody else."""

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
        self._workspaces = workspaces
        self._members = members
        self._responses = responses
        self._explain = explain

    def register(self, app: AsyncApp) -> None:
        """Have the app call what is here."""
        app.command(re.compile(".*"))(self._command)
        app.action(outgoing.FEEDBACK)(self._feedback)
        app.action(outgoing.SOURCES)(self._sources)
        app.action(outgoing.WHY)(self._why)
        app.action(outgoing.AGAIN)(self._again)
        app.action(outgoing.UNDO)(self._undo)
        app.action(_CONFIRM)(self._confirmed)
        app.action(_CANCEL)(self._cancelled)
        app.action(re.compile("^home_"))(self._at_home)
        app.view(modals.REASON)(self._reason)
        app.shortcut(TEACH)(self._teach)
        app.event("app_home_opened")(self._opened)

    async def _someone(self, body: Body, *, channel: str = "", ephemeral: bool = False) -> Someone:
        """Return who acts, once Slack was asked about them."""
        team = body.get("team_id") or (body.get("team") or {}).get("id") or (body.get("user") or {}).get("team_id")
        workspace = await self._workspaces.get(str(team))
        user = str(body.get("user_id") or body["user"]["id"])
        account = names.account(workspace.team, user)
        here = channel or str(body.get("channel_id") or (body.get("channel") or {}).get("id") or user)
        alone = names.place(workspace.team, here, alone=user)
        place = alone if ephemeral or here == user else names.place(workspace.team, here)
        for one in {alone, place}:
            await self._members.confirm(workspace, one, account)
        return Someone(workspace, account, await self._twin.person(account), Place(place), Place(alone))

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
        try:
            team, user, id = str(body["team_id"]), str(body["user_id"]), str(body["trigger_id"])
            workspace = await self._workspaces.get(team)
            account = names.account(team, user)
            self._responses.remember(id, str(body["response_url"]))
            await self._desk.receive(
                Message(
                    event=f"command:{id}",
                    place=names.place(team, str(body["channel_id"]), alone=user),
                    id=id,
                    account=account,
                    text=incoming.plain(workspace, question, self._members.name),
                    changed_at=incoming.now(),
                    addressed=True,
                    author=self._members.name(account),
                )
            )
        except Exception as error:
            await ack(text=self._explain(error))
        else:
            await ack()

    async def _order(self, body: Body, word: str, rest: str, respond: Respond) -> None:
        try:
            who = await self._someone(body)
            order = orders.Order(word, rest, who.place, who.alone, who.person)
            said = await orders.obey(self._twin, order)
        except Exception as error:
            said = orders.Said(self._explain(error))
        blocks = outgoing.body(outgoing.escaped(said.text)[:11_000]) + _asked(said)
        await respond(text=outgoing.fallback(said.text), blocks=blocks, response_type="ephemeral", replace_original=False)

    async def _confirmed(self, ack: Ack, body: dict[str, Any], respond: Respond) -> None:
        await ack()
        await respond(delete_original=True)
        word, rest = orders.parsed(str(body["actions"][0]["value"]))
        await self._order(body, word, rest, respond)

    async def _cancelled(self, ack: Ack, respond: Respond) -> None:
        await ack()
        await respond(delete_original=True)

    # --- buttons below answers

    async def _feedback(self, ack: Ack, body: dict[str, Any], respond: Respond) -> None:
        await ack()
        value, _, message_id = str(body["actions"][0]["value"]).partition(":")
        try:
            who = await self._clicker(body)
            opinion = await self._give(who, message_id, int(value))
            if opinion.value < 0:
                view = modals.reason(message_id, who.place.id)
                await who.workspace.call("views.open", trigger_id=body["trigger_id"], view=view)
                return
            said = texts.opinion(opinion)
        except Exception as error:
            said = self._explain(error)
        await self._tell(respond, said)

    async def _give(self, who: Someone, message_id: str, value: int) -> texts.Opinion:
        """Keep an opinion; the same once more takes it back."""
        opinion = await self._twin.give_feedback(message_id, value, **who.here)
        return await self._twin.give_feedback(message_id, 0, **who.here) if opinion.before == value else opinion

    async def _reason(self, ack: Ack, body: dict[str, Any], view: dict[str, Any]) -> None:
        await ack()
        about = json.loads(view["private_metadata"])
        reason = str(view["state"]["values"]["reason"]["reason"].get("value") or "")
        where = names.where(about["place"])
        try:
            who = await self._someone(body, channel=where.channel, ephemeral=bool(where.alone))
            await self._twin.give_feedback(about["message"], -1, reason, place=who.place, person=who.person)
        except Exception as error:
            log.warning("a reason could not be kept", reason=type(error).__name__)

    async def _sources(self, ack: Ack, body: dict[str, Any]) -> None:
        await ack()
        await self._shown(body, "Sources", lambda told: modals.sources(told.answer))

    async def _why(self, ack: Ack, body: dict[str, Any]) -> None:
        await ack()
        await self._shown(body, "Why this answer", modals.why)

    async def _shown(self, body: Body, title: str, view: Callable[[texts.Why], outgoing.Block]) -> None:
        """Open a modal at once, since a click is good for three seconds only, then show in it what the clicker may see."""
        workspace = await self._workspaces.get(str(body["team"]["id"]))
        opened = await workspace.call("views.open", trigger_id=body["trigger_id"], view=modals.waiting(title))
        try:
            who = await self._clicker(body)
            message_id = str(body["actions"][0]["value"])
            shown = view(await self._twin.why(message_id, place=who.place, person=who.person))
        except Exception as error:
            shown = modals.failed(title, self._explain(error))
        await workspace.call("views.update", view_id=opened["view"]["id"], view=shown)

    async def _again(self, ack: Ack, body: dict[str, Any], respond: Respond) -> None:
        """Hand the click in before Slack is told that it was received."""
        message_id, event = str(body["actions"][0]["value"]), f"again:{body['trigger_id']}"
        try:
            who = await self._clicker(body)
            await self._desk.again(event, message_id, place=who.place, account=who.account)
        except Exception as error:
            await ack()
            await self._tell(respond, self._explain(error))
        else:
            await ack()

    async def _undo(self, ack: Ack, body: dict[str, Any], respond: Respond) -> None:
        await ack()
        try:
            who = await self._clicker(body)
            document = await self._twin.forget(str(body["actions"][0]["value"]), place=who.place, person=who.person)
        except Exception as error:
            await self._tell(respond, self._explain(error))
            return
        said = f"↩️ Forgotten: “{texts.line(document.title)}”. Nothing of it is left."
        if len([one for one in (body.get("message") or {}).get("blocks") or () if one["type"] in {"actions", "section"}]) == 1:
            text = outgoing.escaped(said)
            try:  # the receipt says what is so now
                receipt = {"channel": body["channel"]["id"], "ts": body["container"]["message_ts"]}
                await who.workspace.call("chat.update", **receipt, text=outgoing.fallback(said), blocks=outgoing.body(text))
            except (Failed, ConnectionError):
                await self._tell(respond, said)
        else:
            await self._tell(respond, said)

    async def _clicker(self, body: Body) -> Someone:
        return await self._someone(body, ephemeral=bool((body.get("container") or {}).get("is_ephemeral")))

    async def _tell(self, respond: Respond, text: str) -> None:
        await respond(text=outgoing.mrkdwn(text), response_type="ephemeral", replace_original=False)

    # --- teaching a message

    async def _teach(self, ack: Ack, body: dict[str, Any], respond: Respond) -> None:
        """Have a message learned as it is, files and all, for those who may read where it stands."""
        try:
            who = await self._someone(body)
            await self._twin.may_teach(place=who.place, person=who.person)
            await self._desk.receive(self._taught(who, body))
        except Failed:
            said = "I cannot see this channel. Invite me to it (`/invite @twin`), then teach me the message."
        except Exception as error:
            said = self._explain(error)
        else:
            said = "I am learning it: a ✅ on the message says when I have."
        await ack()
        await self._tell(respond, said)

    def _taught(self, who: Someone, body: Body) -> Message:
        said, channel = body["message"], body["channel"]["id"]
        event = {**said, "type": "message", "channel": channel}
        told = incoming.message(who.workspace, {"event_id": f"teach:{body['trigger_id']}", "event": event}, self._members.name)
        if told is None:
            raise Unteachable
        return incoming.taught(told, by=who.account)

    # --- the home of the app

    async def _opened(self, event: dict[str, Any], body: dict[str, Any]) -> None:
        team, user = str(body["team_id"]), str(event["user"])
        whole = {"team_id": team, "user_id": user, "channel_id": event.get("channel") or user}
        try:
            if event.get("tab") == "home":
                await self._publish(whole)
            elif event.get("tab") == "messages":
                await self._prompt(whole)
        except Exception as error:
            log.warning("a home could not be shown", reason=type(error).__name__)

    async def _prompt(self, body: Body) -> None:
        """Offer questions to begin with."""
        workspace = await self._workspaces.get(str(body["team_id"]))
        prompts = [{"title": one, "message": one} for one in _PROMPTS]
        await workspace.call("assistant.threads.setSuggestedPrompts", channel_id=body["channel_id"], prompts=prompts)

    async def _publish(self, body: Body) -> None:
        who = await self._someone(body)
        documents, notes = await self._twin.documents(**who.in_private), await self._twin.notes(person=who.person)
        shown = home.Home(
            documents=documents,
            own=frozenset(await self._twin.taught_by(person=who.person)),
            notes=len(notes),
            model=texts.model(await self._twin.models(place=who.alone)),
            figures=texts.figures(await self._twin.stats(**who.in_private), 7),
        )
        await who.workspace.call("views.publish", user_id=names.user(who.account), view=home.view(shown))

    async def _at_home(self, ack: Ack, body: dict[str, Any]) -> None:
        await ack()
        action = body["actions"][0]
        who = await self._someone(body)
        try:
            match action["action_id"]:
                case home.FORGET:
                    await self._twin.forget(str(action["value"]), place=who.alone, person=who.person)
                case home.FORGET_ME:
                    await self._twin.forget_me(person=who.person)
                case home.DIGEST:
                    said = await self._twin.digest(place=who.alone, person=who.person)
                    view = modals.modal("This week", {"type": "markdown", "text": outgoing.escaped(said)[:11_000]})
                    await who.workspace.call("views.open", trigger_id=body["trigger_id"], view=view)
        except Exception as error:
            view = modals.failed("Sorry", self._explain(error))
            await who.workspace.call("views.open", trigger_id=body["trigger_id"], view=view)
        await self._publish({"team_id": who.workspace.team, "user_id": names.user(who.account)})


class Unteachable(Exception):
    """A message that nothing can be learned from."""


def _asked(said: orders.Said) -> list[outgoing.Block]:
    """Return the buttons that do what was ordered after all, or not."""
    if not said.confirm:
        return []
    yes: outgoing.Block = {"type": "button", "action_id": _CONFIRM, "value": said.confirm, "style": "danger"}
    no: outgoing.Block = {"type": "button", "action_id": _CANCEL, "value": "no"}
    yes["text"], no["text"] = ({"type": "plain_text", "text": text} for text in ("Yes, forget", "Cancel"))
    return [{"type": "actions", "elements": [yes, no]}]
