"""The home of the app: what the twin knows that somebody may see, and what they can do about it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from slack_bolt.async_app import AsyncApp

from adapters.common import orders, texts
from adapters.common.handed import Twin
from adapters.slack import modals, names
from adapters.slack.actors import Ack, Actors, Body, Someone
from adapters.slack.modals import section, told_in
from adapters.slack.outgoing import Block, mrkdwn
from adapters.slack.settings import SETTINGS
from adapters.slack.workspace import Unsure
from bot.chat import Refused, TryLater

log = structlog.get_logger()

FORGET = "home_forget"  # value: the document
FORGET_ME = "home_forget_me"
DIGEST = "home_digest"
_NEWEST = 10
_TITLE = 150
_PROMPTS = ("What can you do?", "How do I teach you a file?", "Which file types can you read?")
_RECENT = 60  # characters of a title in a suggested question


@dataclass(frozen=True, slots=True)
class Home:
    """What stands in it: documents newest first, and who writes answers.

    `person` may have forgotten what they taught, and with `any` what others taught too. `told` is what became of what was
    clicked there last.
    """

    documents: Sequence[texts.Document]
    person: str
    any: bool
    notes: int
    model: str
    figures: str
    told: str = ""


def view(home: Home) -> Block:
    """Return the view (pure)."""
    files = [one for one in texts.known(home.documents) if one.kind not in {"message", "note"}]
    more = f"… and {len(files) - _NEWEST:,} more. `/twin docs` lists them, `/twin search WORDS` looks into them."
    blocks: list[Block] = [
        *([section(mrkdwn(home.told))] if home.told else []),
        _header("What I know that you may see"),
        section(f"*{texts.counted(len(files), 'document')}*. {mrkdwn(home.figures)}"),
        *(_document(one, theirs=home.any or one.added_by == home.person) for one in files[:_NEWEST]),
        *([section(more)] if len(files) > _NEWEST else []),
        {
            "type": "actions",
            "elements": [_button("What was learned this week", DIGEST, "week"), _button("Settings", SETTINGS, "settings")],
        },
        {"type": "divider"},
        *(_header("How to teach me"), *told_in(orders.TEACH)),
        *(_header("Who writes my answers"), section(mrkdwn(home.model))),
        *(_header("You"), section(_notes(home.notes)), {"type": "actions", "elements": [_forget_me()]}),
        *({"type": "divider"}, _header("What I can do"), *told_in(orders.HELP)),
    ]
    return {"type": "home", "blocks": blocks}


def _document(one: texts.Document, *, theirs: bool) -> Block:
    title = mrkdwn(texts.line(one.title)[:_TITLE]) or "Untitled"
    block = section(f"*{title}*\n{texts.size(one)}, {texts.day(one.added_at)}, {_shared(one.scopes)}")
    return block | {"accessory": _forget(one)} if theirs else block


def _shared(scopes: Sequence[str]) -> str:
    """Return for whom something is known, as far as it concerns the person."""
    channels = [f"<#{scope.split(':')[2]}>" for scope in scopes if scope.startswith(f"{names.PLATFORM}:")]
    if channels:
        return f"in {', '.join(channels[:5])}"
    return "for you alone" if any(scope.startswith("person:") for scope in scopes) else "for everyone"


def _notes(count: int) -> str:
    notes = {0: "I keep no notes of yours", 1: "I keep one note of yours"}.get(count, f"I keep {count:,} notes of yours")
    return (
        f"{notes}. I infer nothing about you. What you delete in Slack I forget, with the answers that rested on it; "
        "chat is learned only in channels where an owner switched that on."
    )


def _forget(one: texts.Document) -> Block:
    asked = _confirm("Forget this document?", f"“{texts.line(one.title)[:_TITLE]}” is no longer found.", "Forget it")
    return _button("Forget", FORGET, one.id) | {"confirm": asked}


def _forget_me() -> Block:
    asked = _confirm(
        "Forget you?", "Your notes, your questions with their answers, and your opinions go for good.", "Forget me"
    )
    return _button("Forget me", FORGET_ME, "me") | {"style": "danger", "confirm": asked}


def _confirm(title: str, text: str, yes: str) -> Mapping[str, Any]:
    return {"title": _plain(title), "text": _plain(text), "confirm": _plain(yes), "deny": _plain("Cancel"), "style": "danger"}


def _button(text: str, action: str, value: str) -> Block:
    return {"type": "button", "text": _plain(text), "action_id": action, "value": value}


def _header(text: str) -> Block:
    return {"type": "header", "text": _plain(text)}


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


class Homes:
    """Shows everybody their own, anew after each change, and suggests what to ask in the private chat."""

    def __init__(self, twin: Twin, actors: Actors) -> None:
        self._twin = twin
        self._actors = actors

    def register(self, app: AsyncApp) -> None:
        """Have the app call what is here."""
        app.event("app_home_opened")(self._opened)
        app.action(DIGEST)(self._digest)
        app.action(re.compile(f"^({FORGET}|{FORGET_ME})$"))(self._clicked)

    async def _opened(self, event: dict[str, Any], body: dict[str, Any]) -> None:
        try:
            who = await self._actors.who({"team_id": body["team_id"], "user_id": event["user"]})
            if event.get("tab") == "home":
                await self._publish(who)
            elif event.get("tab") == "messages" and who.workspace.agent:
                await self._suggest(who, str(event["channel"]))
        except (Refused, TryLater, Unsure) as error:  # opened again, it is shown
            log.info("a home could not be shown", reason=str(error))

    async def _suggest(self, who: Someone, channel: str) -> None:
        """Offer questions to begin with: what the twin can do, and what is in the newest file that they may see."""
        files = [
            one for one in texts.known(await self._twin.documents(**who.in_private)) if one.kind not in {"message", "note"}
        ]
        newest = [f"What is in “{texts.line(one.title)[:_RECENT]}”?" for one in files[:1]]
        prompts = [{"title": one, "message": one} for one in (*newest, *_PROMPTS)]
        await who.workspace.call("assistant.threads.setSuggestedPrompts", channel_id=channel, prompts=prompts)

    async def _digest(self, ack: Ack, body: dict[str, Any]) -> None:
        await ack()
        await self._actors.show(body, "This week", partial(self._this_week, body))

    async def _this_week(self, body: Body) -> Block:
        who = await self._actors.who(body)
        return modals.modal("This week", *told_in(texts.digest(await self._twin.digest(**who.in_private))))

    async def _clicked(self, ack: Ack, body: dict[str, Any]) -> None:
        await ack()
        who = await self._actors.who(body)
        try:
            told = await self._forgotten(who, body["actions"][0])
        except Exception as error:
            told = self._actors.sentence(error)
        await self._publish(who, told)

    async def _forgotten(self, who: Someone, action: Mapping[str, Any]) -> str:
        if action["action_id"] == FORGET_ME:
            return texts.forgotten_person(*await self._twin.forget_me(person=who.person))
        document = await self._twin.forget(str(action["value"]), **who.in_private)
        return f"Forgotten: “{texts.line(document.title)[:_TITLE]}”. Nothing of it is left."

    async def _publish(self, who: Someone, told: str = "") -> None:
        shown = Home(
            documents=await self._twin.documents(**who.in_private),
            person=who.person.id,
            any=await self._twin.may_forget_any(**who.in_private),
            notes=len(await self._twin.notes(person=who.person)),
            model=texts.model(await self._twin.models(place=who.alone)),
            figures=texts.figures(await self._twin.stats(**who.in_private), 7),
            told=told,
        )
        await who.workspace.call("views.publish", user_id=names.user(who.account), view=view(shown))
