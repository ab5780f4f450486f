"""What is told to one user alone: in answer to their command as long as Discord takes that, else in a private message."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import discord

from adapters.discord import names, outgoing
from adapters.discord.calls import Failed, Unsure, calling, quiet
from adapters.discord.outgoing import Button
from adapters.discord.stream import row
from bot.chat import Answer, Notice, Reply, TryLater

SHOWN = "alone"
"""The id of what is told to somebody alone: it is told once, and cannot be found again."""

_KEPT = 2_000


class Alone:
    """Keeps the commands that wait for an answer; a kill loses them, and the answer takes the other way."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client
        self._waiting: OrderedDict[str, discord.Interaction[Any]] = OrderedDict()
        self._told: OrderedDict[str, None] = OrderedDict()

    def remember(self, interaction: discord.Interaction[Any]) -> None:
        """Keep a command that is deferred, for the message that it becomes."""
        self._waiting[str(interaction.id)] = interaction
        while len(self._waiting) > _KEPT:
            self._waiting.popitem(last=False)

    async def finish(self, reply: Reply, content: Answer | Notice) -> None:
        """Tell the whole, once."""
        if reply.key in self._told:
            return
        texts, below = outgoing.texts(content), outgoing.beneath(reply.key, content)
        below = [one for one in below if outgoing.action(one.id)[0] != outgoing.AGAIN]  # it cannot be shown anew
        interaction = self._waiting.pop(reply.to, None)
        if interaction is None or interaction.is_expired() or not await respond(interaction, texts, below):
            await self._direct(reply, texts, below)
        self._told[reply.key] = None
        while len(self._told) > _KEPT:
            self._told.popitem(last=False)

    async def _direct(self, reply: Reply, texts: Sequence[str], below: Sequence[Button]) -> None:
        with calling():
            direct = await self._client.create_dm(discord.Object(int(names.user(reply.account))))
        for n, text in enumerate(texts):
            with calling():
                await direct.send(
                    text,
                    nonce=outgoing.nonce(reply.key, n),
                    view=row(list(below) if n + 1 == len(texts) else []),  # type: ignore[arg-type]
                    allowed_mentions=quiet(),
                    suppress_embeds=True,
                )


async def respond(interaction: discord.Interaction[Any], texts: Sequence[str], below: Sequence[Button] = ()) -> bool:
    """Answer a deferred interaction; tell whether that was possible."""
    try:
        for n, text in enumerate(texts):
            view = row(list(below) if n + 1 == len(texts) else [])
            with calling():
                if n == 0:
                    await interaction.edit_original_response(content=text, view=view, allowed_mentions=quiet())
                else:
                    await interaction.followup.send(
                        text, ephemeral=True, view=view or discord.utils.MISSING, allowed_mentions=quiet(), suppress_embeds=True
                    )
    except (Failed, TryLater, Unsure):
        return False
    return True


def is_alone(place: str) -> bool:
    """Say whether what is said in a place is for one user alone."""
    return bool(names.where(place).alone)
