"""What can be set for a channel or a private chat, from the home of the app."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncApp

from adapters.common import orders, texts
from adapters.common.handed import Twin
from adapters.slack import modals, names
from adapters.slack.actors import SOON, Ack, Actors, Body, Someone
from adapters.slack.modals import section
from adapters.slack.outgoing import Block, mrkdwn

SETTINGS = "home_settings"  # the button in the home
CHANNEL = "settings_channel"  # for which channel
SAVE = "settings"  # the callback of the modal
_DIGEST, _LEARN, _MODEL = "digest", "learn", "model"
_TITLE = "Settings"
_LONGEST = 300  # characters of the names of models


@dataclass(frozen=True, slots=True)
class Set:
    """What is set; `channel` is empty for the private chat, where chat is never learned."""

    place: str
    channel: str
    digest: bool
    learns: bool
    model: str
    written: str


def view(now: Set) -> Block:
    """Return the modal (pure)."""
    choose: Block = {"type": "conversations_select", "action_id": CHANNEL, "placeholder": _plain("Our private chat")}
    choose["filter"] = {"include": ["public", "private"], "exclude_bot_users": True}
    if now.channel:
        choose["initial_conversation"] = now.channel
    which = f"<#{now.channel}>" if now.channel else "our private chat"
    options = [_option(_DIGEST, "Post a digest every Monday morning")]
    if now.channel:
        options.append(_option(_LEARN, "Learn what is said and posted there, without being asked"))
    blocks = [
        section(f"These are the settings of {which}. Those of channels are for owners to change.") | {"accessory": choose},
        _input("what", "What I do there by myself", _checkboxes(options, {_DIGEST: now.digest, _LEARN: now.learns})),
        _input(
            _MODEL,
            "Which model writes my answers there",
            {"type": "plain_text_input", "action_id": _MODEL, "max_length": _LONGEST, "initial_value": now.model[:_LONGEST]},
            hint="Such as openai:gpt-5-mini, or several to stand in for each other; “extractive” quotes; empty goes back.",
        ),
        section(mrkdwn(now.written)),
    ]
    return modals.modal(_TITLE, *blocks, submit="Save", callback=SAVE, about={"place": now.place})


def _checkboxes(options: Sequence[Block], chosen: Mapping[str, bool]) -> Block:
    shown: Block = {"type": "checkboxes", "action_id": "what", "options": list(options)}
    if initial := [one for one in options if chosen[one["value"]]]:
        shown["initial_options"] = initial
    return shown


def _option(value: str, text: str) -> Block:
    return {"value": value, "text": _plain(text)}


def _input(name: str, label: str, element: Block, hint: str = "") -> Block:
    shown: Block = {"type": "input", "block_id": name, "optional": True, "label": _plain(label), "element": element}
    return shown | ({"hint": _plain(hint)} if hint else {})


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


class Settings:
    """Shows what is set, and sets it for whoever may."""

    def __init__(self, twin: Twin, actors: Actors) -> None:
        self._twin = twin
        self._actors = actors

    def register(self, app: AsyncApp) -> None:
        """Have the app call what is here."""
        app.action(SETTINGS)(self._open)
        app.action(CHANNEL)(self._chosen)
        app.view(SAVE)(self._save)

    async def _open(self, ack: Ack, body: dict[str, Any]) -> None:
        await ack()
        await self._actors.show(body, _TITLE, partial(self._of, body, ""))

    async def _chosen(self, ack: Ack, body: dict[str, Any]) -> None:
        """Show the settings of another channel in the same modal."""
        await ack()
        channel = str(body["actions"][0].get("selected_conversation") or "")
        workspace = await self._actors.workspace(body)
        try:
            shown = await self._of(body, channel)
        except Exception as error:
            shown = modals.failed(_TITLE, self._actors.sentence(error))
        await workspace.call("views.update", view_id=body["view"]["id"], view=shown)

    async def _of(self, body: Body, channel: str) -> Block:
        who = await self._where(body, channel)
        chosen = await self._twin.models(place=who.place)
        return view(
            Set(
                who.place.id,
                channel,
                await self._twin.weekly(**who.here),  # which whoever is not there may not know
                await self._twin.learning(**who.here),
                chosen.model,
                texts.model(chosen),
            )
        )

    async def _where(self, body: Body, channel: str) -> Someone:
        """Return who sets something, in a channel or in their private chat."""
        if not channel:
            workspace, user = await self._actors.workspace(body), str(body["user"]["id"])
            channel = str((await workspace.call("conversations.open", users=user))["channel"]["id"])
        return await self._actors.who(body, channel=channel)

    async def _save(self, ack: Ack, body: dict[str, Any], view: dict[str, Any]) -> None:
        """Set what was changed before the modal closes; what may not be changed is told in it."""
        channel = names.where(json.loads(view["private_metadata"])["place"]).channel
        values = view["state"]["values"]
        wanted = {str(one["value"]) for one in values["what"]["what"].get("selected_options") or ()}
        at, refused = "what", dict[str, str]()
        try:
            async with asyncio.timeout(SOON):
                here = (await self._where(body, channel)).here
                await self._switch(here, wanted)
                at = _MODEL
                await self._written(here, modals.written(view, _MODEL))
        except Exception as error:
            refused = {at: self._actors.sentence(error)}
        await (ack(response_action="errors", errors=refused) if refused else ack())

    async def _switch(self, here: orders.Here, wanted: set[str]) -> None:
        """Switch on and off what is not so already."""
        for name, switch in ((_DIGEST, self._twin.weekly), (_LEARN, self._twin.learning)):
            if (name in wanted) != await switch(**here):
                await switch(name in wanted, **here)

    async def _written(self, here: orders.Here, model: str) -> None:
        """Have another model write, if another one was named."""
        if model == (await self._twin.models(place=here["place"])).model:
            return
        if model:
            await self._twin.use_model({"model": model}, **here)
        else:
            await self._twin.reset_model(**here)
