"""Commands and buttons: what is ordered and clicked is for whoever did it, as they may see and do now."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import discord
import structlog

from adapters.common import orders, texts
from adapters.common.handed import Desk, Twin
from adapters.discord import commands, names, outgoing
from adapters.discord.alone import Alone, is_alone, respond
from adapters.discord.calls import Failed, Unsure, calling
from adapters.discord.intake import Intake
from adapters.discord.members import Members
from adapters.discord.outgoing import Button
from bot.chat import Attachment, Message, Person, Place, TryLater

log = structlog.get_logger()

_SOON = 2.0  # seconds for what is done before Discord is told that a command was received; it waits for three
_CHOICES, _NAME = 25, 100  # what Discord takes of completions
_LISTED = 12  # passages in an explanation

Interaction = discord.Interaction[Any]


class Sorry(Exception):
    """Something that cannot be done; its text tells people why."""


@dataclass(frozen=True, slots=True)
class Someone:
    """Who does something, and where; `alone` is where they alone read what is said."""

    account: str
    person: Person
    place: Place
    alone: Place

    @property
    def here(self) -> orders.Here:
        return {"place": self.place, "person": self.person}


class Interactions:
    """Does what is ordered and clicked. What fails is told to whoever did it, and to nobody else."""

    def __init__(
        self, *, twin: Twin, desk: Desk, intake: Intake, members: Members, alone: Alone, explain: Callable[[BaseException], str]
    ) -> None:
        self._twin = twin
        self._desk = desk
        self._intake = intake
        self._members = members
        self._alone = alone
        self._explain = explain

    async def take(self, interaction: Interaction) -> None:
        """Do it, and tell whoever wanted it what became of it."""
        if interaction.type is discord.InteractionType.autocomplete:
            await self._complete(interaction)
            return
        if interaction.type not in {discord.InteractionType.application_command, discord.InteractionType.component}:
            return
        with calling():
            await interaction.response.defer(ephemeral=True, thinking=True)
        try:
            if interaction.type is discord.InteractionType.component:
                await self._clicked(interaction)
            else:
                await self._command(interaction)
        except Exception as error:
            await respond(interaction, outgoing.growing(self._sentence(error))[:1])

    def _sentence(self, error: Exception) -> str:
        match error:
            case Sorry():
                return str(error)
            case TimeoutError():
                return "That took too long. Please try again."
            case Failed() | TryLater() | Unsure():
                return f"{error} Please try again in a moment."
        return self._explain(error)

    async def _who(self, interaction: Interaction, *, alone: bool = False) -> Someone:
        """Return who acts, once Discord was asked about them."""
        guild, user = interaction.guild_id, interaction.user.id
        account = names.account(guild or names.PRIVATE, user)
        here = self._intake.here(interaction.channel or discord.Object(interaction.channel_id or 0), guild).place
        own = here if guild is None else names.place(guild, names.where(here).channel, alone=user)
        if isinstance(interaction.user, discord.Member):
            await self._members.met(interaction.user)
        for one in dict.fromkeys((own, here)):
            await self._members.confirm(one, account)
        return Someone(account, await self._twin.person(account), Place(own if alone else here), Place(own))

    # --- commands

    async def _command(self, interaction: Interaction) -> None:
        data: dict[str, Any] = dict(interaction.data or {})
        if data.get("name") == commands.TEACH:
            await self._teach(interaction, data)
            return
        word, rest = _ordered(data)
        if word == "ask" and rest:
            await self._ask(interaction, rest)
        else:
            await self._order(interaction, word, rest)

    async def _order(self, interaction: Interaction, word: str, rest: str) -> None:
        who = await self._who(interaction)
        said = await orders.obey(self._twin, orders.Order(word, rest, who.place, who.alone, who.person, who.account))
        below = [Button(f"twin:do:{said.confirm}:{interaction.id}", "Yes, do it", danger=True)] if said.confirm else []
        await respond(interaction, outgoing.growing(said.text), below)

    async def _ask(self, interaction: Interaction, question: str) -> None:
        """Hand a question in; it is answered to its asker alone."""
        who = await self._who(interaction, alone=True)
        if is_alone(who.alone.id):
            self._alone.remember(interaction)
        await self._desk.receive(self._said(interaction, who, who.alone.id, text=question, addressed=True))
        if not is_alone(who.alone.id):  # a private chat, where the answer is a message like any other
            await respond(interaction, ["The answer comes below."])

    def _said(self, interaction: Interaction, who: Someone, place: str, *, text: str, addressed: bool) -> Message:
        return Message(
            event=f"command:{interaction.id}",
            place=place,
            id=str(interaction.id),
            account=who.account,
            text=text,
            changed_at=datetime.now(UTC),
            addressed=addressed,
            attachments=tuple[Attachment, ...](),
            author=interaction.user.display_name,
        )

    async def _teach(self, interaction: Interaction, data: dict[str, Any]) -> None:
        """Have a message learned as it is, files and all, for those who may read where it stands."""
        who = await self._who(interaction)
        await self._twin.may_teach(place=who.place, person=who.person)
        channel = interaction.channel
        if channel is None or not hasattr(channel, "fetch_message"):
            raise Sorry("I cannot read messages here.")
        try:
            with calling():
                message = await channel.fetch_message(int(data["target_id"]))
        except Failed as error:
            raise Sorry("I cannot read this message: I may not see this channel, or its history.") from error
        if not (message.content.strip() or message.attachments):
            raise Sorry("There is nothing in this message that I could learn.")
        await self._intake.taught(message, by=who.account)
        await respond(interaction, ["I am learning it: a ✅ on the message says when I have."])

    async def _complete(self, interaction: Interaction) -> None:
        """Offer documents while somebody types which one to forget."""
        _, typed = _ordered(dict(interaction.data or {}))
        choices = list[discord.app_commands.Choice[str]]()
        try:
            async with asyncio.timeout(_SOON):
                who = await self._who(interaction)
                for one in await self._twin.documents(place=who.alone, person=who.person):
                    if typed.casefold() in one.title.casefold() and len(choices) < _CHOICES:
                        title = texts.line(one.title)[:_NAME] or "Untitled"
                        choices.append(discord.app_commands.Choice(name=title, value=one.id))
        except Exception as error:
            log.info("nothing could be offered", reason=type(error).__name__)
        with calling():
            await interaction.response.autocomplete(choices)

    # --- buttons

    async def _clicked(self, interaction: Interaction) -> None:
        data: dict[str, Any] = dict(interaction.data or {})
        what, about = outgoing.action(str(data.get("custom_id") or ""))
        match what:
            case outgoing.UP | outgoing.DOWN:
                await self._feedback(interaction, about, 1 if what == outgoing.UP else -1)
            case outgoing.SOURCES | outgoing.WHY:
                who = await self._clicker(interaction)
                why = await self._twin.why(about, **who.here)
                said = _sources(why) if what == outgoing.SOURCES else _why(why)
                await respond(interaction, outgoing.parts_of(said))
            case outgoing.AGAIN:
                who = await self._clicker(interaction)
                await self._desk.again(f"again:{interaction.id}", about, place=who.place, account=who.account)
                await respond(interaction, ["I am answering it anew."])
            case outgoing.UNDO:
                who = await self._clicker(interaction)
                document = await self._twin.forget(about, **who.here)
                told = f"↩️ Forgotten: “{texts.line(document.title)}”. Nothing of it is left."
                await respond(interaction, outgoing.growing(told))
            case outgoing.STOP:
                await self._stop(interaction)
            case "do":
                await self._order(interaction, *orders.parsed(about))
            case _:
                raise Sorry("I do not know this button any more.")

    async def _clicker(self, interaction: Interaction) -> Someone:
        """Return who clicks below a message; what only they see stands in a place of its own."""
        ephemeral = interaction.message is not None and interaction.message.flags.ephemeral
        return await self._who(interaction, alone=ephemeral)

    async def _feedback(self, interaction: Interaction, about: str, value: int) -> None:
        """Keep an opinion; the same once more takes it back."""
        who = await self._clicker(interaction)
        opinion = await self._twin.give_feedback(about, value, **who.here)
        opinion = await self._twin.give_feedback(about, 0, **who.here) if opinion.before == value else opinion
        await respond(interaction, outgoing.growing(texts.opinion(opinion)))

    async def _stop(self, interaction: Interaction) -> None:
        """Stop an answer that is being written, for whoever asked."""
        who = await self._clicker(interaction)
        asked = interaction.message.reference.message_id if interaction.message and interaction.message.reference else None
        if asked is None:
            raise Sorry("There is nothing to stop.")
        thread = await self._desk.thread(who.place, str(asked)) or str(asked)
        await self._desk.stop(f"stop:{interaction.id}", who.place, thread, who.account)
        await respond(interaction, ["If you asked this, it stops now."])


def _ordered(data: dict[str, Any]) -> tuple[str, str]:
    """Return the word of a command, and what was said to it (pure)."""
    options = data.get("options") or []
    word = str(data.get("name") or "")
    if options and options[0].get("type") == discord.AppCommandOptionType.subcommand.value:
        word, options = str(options[0]["name"]), options[0].get("options") or []
    said = " ".join(str(one["value"]) for one in options if one["type"] == discord.AppCommandOptionType.string.value)
    return word, said.strip()


def _sources(told: texts.Why) -> list[str]:
    """Return what the sources say, word for word (pure)."""
    return [f"{outgoing.source(one)}\n> {outgoing.quoted(one.quote)}" for one in told.answer.sources]


def _why(told: texts.Why) -> list[str]:
    """Return how an answer came about (pure)."""
    considered = [
        f"-# {one.score:.0%} {outgoing.line(one.title)}{f', p. {one.page}' if one.page is not None else ''}: {one.fate}"
        for one in told.considered[:_LISTED]
    ]
    by = f"Written by {outgoing.line(told.answer.model or told.answer.provider)}."
    return ["\n".join([f"**Searched for** {outgoing.line(told.query)}", by, *considered])]
