"""The buttons below answers and receipts: opinions, sources, reasons, another answer, forgetting."""

import asyncio
import json
from collections.abc import Callable
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncApp

from adapters.common import texts
from adapters.common.handed import Desk, Twin
from adapters.slack import modals, names, outgoing
from adapters.slack.actors import SOON, Ack, Actors, Body, Respond, Someone
from adapters.slack.outgoing import Block
from adapters.slack.workspace import Failed, Unsure
from bot.chat import TryLater


class Clicks:
    """Does what is clicked; each click is for whoever clicked, as they may see and do now."""

    def __init__(self, twin: Twin, desk: Desk, actors: Actors) -> None:
        self._twin = twin
        self._desk = desk
        self._actors = actors

    def register(self, app: AsyncApp) -> None:
        """Have the app call what is here."""
        app.action(outgoing.FEEDBACK)(self._feedback)
        app.view(modals.REASON)(self._reason)
        app.action(outgoing.SOURCES)(self._sources)
        app.action(outgoing.WHY)(self._why)
        app.action(outgoing.AGAIN)(self._again)
        app.action(outgoing.UNDO)(self._undo)

    # --- opinions

    async def _feedback(self, ack: Ack, body: dict[str, Any], respond: Respond) -> None:
        await ack()
        value, _, message_id = str(body["actions"][0]["value"]).partition(":")
        async with self._actors.telling(respond):
            who = await self._actors.clicker(body)
            opinion = await self._give(who, message_id, int(value))
            if opinion.value >= 0 or not await _asked_why(who, body, message_id):
                await self._actors.tell(respond, texts.opinion(opinion))

    async def _give(self, who: Someone, message_id: str, value: int) -> texts.Opinion:
        """Keep an opinion; the same once more takes it back."""
        opinion = await self._twin.give_feedback(message_id, value, **who.here)
        return await self._twin.give_feedback(message_id, 0, **who.here) if opinion.before == value else opinion

    async def _reason(self, ack: Ack, body: dict[str, Any], view: dict[str, Any]) -> None:
        """Keep what was wrong, before the modal closes: what fails is told in it, and what was written stays there."""
        about, reason = json.loads(view["private_metadata"]), modals.written(view, "reason")
        where = names.where(about["place"])
        try:
            async with asyncio.timeout(SOON):
                if reason:
                    who = await self._actors.who(body, channel=where.channel, ephemeral=bool(where.alone))
                    await self._twin.give_feedback(about["message"], -1, reason, **who.here)
        except Exception as error:
            await ack(response_action="errors", errors={"reason": self._actors.sentence(error)})
        else:
            await ack()

    # --- how an answer came about

    async def _sources(self, ack: Ack, body: dict[str, Any], respond: Respond) -> None:
        await ack()
        async with self._actors.telling(respond):
            await self._actors.show(body, "Sources", partial(self._told, body, lambda told: modals.sources(told.answer)))

    async def _why(self, ack: Ack, body: dict[str, Any], respond: Respond) -> None:
        await ack()
        async with self._actors.telling(respond):
            await self._actors.show(body, "Why this answer", partial(self._told, body, modals.why))

    async def _told(self, body: Body, view: Callable[[texts.Why], Block]) -> Block:
        who = await self._actors.clicker(body)
        return view(await self._twin.why(str(body["actions"][0]["value"]), **who.here))

    # --- doing it again, and undoing it

    async def _again(self, ack: Ack, body: dict[str, Any], respond: Respond) -> None:
        """Hand the click in before Slack is told that it was received."""
        message_id, event = str(body["actions"][0]["value"]), f"again:{body['trigger_id']}"
        try:
            async with asyncio.timeout(SOON):
                who = await self._actors.clicker(body)
                await self._desk.again(event, message_id, place=who.place, account=who.account)
        except Exception as error:
            await ack()
            await self._actors.tell(respond, self._actors.sentence(error))
        else:
            await ack()

    async def _undo(self, ack: Ack, body: dict[str, Any], respond: Respond) -> None:
        await ack()
        document_id = str(body["actions"][0]["value"])
        async with self._actors.telling(respond):
            who = await self._actors.clicker(body)
            document = await self._twin.forget(document_id, **who.here)
            await self._actors.tell(respond, f"↩️ Forgotten: “{texts.line(document.title)}”. Nothing of it is left.")


async def _asked_why(who: Someone, body: Body, message_id: str) -> bool:
    """Ask what was wrong with an answer; tell whether there was still time to."""
    view = modals.reason(message_id, who.place.id)
    try:
        await who.workspace.call("views.open", trigger_id=body["trigger_id"], view=view)
    except (Failed, TryLater, Unsure):
        return False
    return True
