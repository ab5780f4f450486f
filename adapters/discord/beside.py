"""What is shown beside an answer: a sign on the message that is replied to, and what its author alone is told."""

import discord

from adapters.discord import names, outgoing
from adapters.discord.calls import Failed, calling, quiet
from bot.chat import Mark, Reply

_MARKS = {Mark.RECEIVED: "👀", Mark.LEARNED: "✅", Mark.FAILED: "⚠️"}
_FINE = frozenset({10008, 10014, 30010, 50001, 50013, 90001})
"""No such message, no such reaction, too many of them, not allowed to, blocked: a sign is no more than a sign."""


async def mark(client: discord.Client, reply: Reply, mark: Mark) -> None:
    """Put a reaction on the message, in place of the other ones."""
    channel = client.get_partial_messageable(names.channel(reply.place, reply.thread))
    message = channel.get_partial_message(int(reply.to))
    for other, emoji in _MARKS.items():
        try:
            with calling():
                if other is mark:
                    await message.add_reaction(emoji)
                elif mark is not Mark.RECEIVED and client.user:
                    await message.remove_reaction(emoji, client.user)
        except Failed as error:
            if error.code not in _FINE:
                raise


async def whisper(client: discord.Client, reply: Reply, text: str) -> None:
    """Tell the author of the message something in a private message: Discord lets nobody else see it."""
    with calling():
        direct = await client.create_dm(discord.Object(int(names.user(reply.account))))
        for part in outgoing.growing(text):
            await direct.send(part, allowed_mentions=quiet(), suppress_embeds=True)
