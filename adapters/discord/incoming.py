"""What Discord tells, in the twin's own words (pure)."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import discord

from adapters.discord import names
from bot.chat import Attachment, Message

Name = Callable[[str], str]

_SAID = frozenset({discord.MessageType.default, discord.MessageType.reply})
_FORM = re.compile(r"<(?P<kind>@!?|@&|#|/[^:>]+:|a?:(?P<emoji>\w+):|t:)(?P<id>-?\d+)(?::\w)?>")


@dataclass(frozen=True, slots=True)
class Here:
    """Where a message stands: its place, and the thread within it; `direct` in a private chat."""

    place: str
    thread: str | None = None
    direct: bool = False


def here(channel: object, guild: int | None) -> Here:
    """Return where the messages of a channel stand; a private thread is a place of its own, another one is of its channel."""
    id = int(getattr(channel, "id", 0))
    if guild is None:
        return Here(names.place(names.PRIVATE, id), direct=True)
    if isinstance(channel, discord.Thread) and not channel.is_private():
        return Here(names.place(guild, channel.parent_id), names.thread(id))
    return Here(names.place(guild, id))


def is_said(message: discord.Message, me: int) -> bool:
    """Say whether a message is something that somebody else said."""
    return message.type in _SAID and message.author.id != me


def answers_to(message: discord.Message, me: int) -> int | None:
    """Return the message that a message of the twin answers, to which this one is an answer."""
    before = message.reference.resolved if message.reference else None
    if not isinstance(before, discord.Message) or before.author.id != me or before.reference is None:
        return None
    return before.reference.message_id


def is_to(message: discord.Message, me: int) -> bool:
    """Say whether the twin is mentioned or replied to."""
    before = message.reference.resolved if message.reference else None
    replied = isinstance(before, discord.Message) and before.author.id == me
    return replied or any(one.id == me for one in message.mentions)


def is_to_others(message: discord.Message, me: int) -> bool:
    """Say whether somebody else is spoken to."""
    before = message.reference.resolved if message.reference else None
    replied = isinstance(before, discord.Message) and before.author.id not in {me, message.author.id}
    return replied or any(one.id != me for one in message.mentions)


def message(said: discord.Message, where: Here, me: int, *, thread: str | None) -> Message:
    """Return what somebody said, as of its last edit."""
    changed = said.edited_at or said.created_at
    guild = names.guild(where.place)
    return Message(
        event=f"{said.id}@{changed.isoformat()}",
        place=where.place,
        id=str(said.id),
        account=names.account(guild, said.author.id),
        text=plain(said, me),
        changed_at=changed,
        thread=thread,
        addressed=where.direct or is_to(said, me),
        from_bot=said.author.bot or said.webhook_id is not None,
        attachments=tuple(attachment(said, one) for one in said.attachments),
        link=said.jump_url,
        author=said.author.display_name,
    )


def deleted(id: int, where: Here) -> Message:
    """Return that a message is gone; who said it is not told."""
    account = names.account(names.guild(where.place), 0)
    return Message(f"{id}@deleted", where.place, str(id), account, "", datetime.now(UTC), thread=where.thread, deleted=True)


def spoken_to(said: Message) -> Message:
    """Return a message as one that is meant for the twin."""
    return replace(said, addressed=True)


def taught(said: Message, by: str) -> Message:
    """Return a message as one that somebody had learned as it is."""
    return replace(said, event=f"{said.event}+{by}", taught_by=by, addressed=False)


def attachment(said: discord.Message, one: discord.Attachment) -> Attachment:
    """Name a file by its message: its address is good for a day only, and asked for anew."""
    return Attachment(f"{said.channel.id}-{said.id}-{one.id}", one.filename, one.size)


def plain(said: discord.Message, me: int) -> str:
    """Return what somebody wrote as they meant it: Discord's own forms become words."""
    called = {one.id: one.display_name for one in said.mentions}
    roles = {one.id: one.name for one in said.role_mentions}
    channels = {one.id: one.name for one in said.channel_mentions if hasattr(one, "name")}

    def form(found: re.Match[str]) -> str:
        id = int(found["id"])
        match found["kind"]:
            case "@" | "@!":
                return f"@{called.get(id, 'somebody')}"
            case "@&":
                return f"@{roles.get(id, 'role')}"
            case "#":
                return f"#{channels.get(id, 'channel')}"
            case "t:":
                return _moment(id)
        return f":{found['emoji']}:" if found["emoji"] else found["kind"].rstrip(":")

    own = re.sub(rf"\s*<@!?{me}>[,:]?\s*", " ", said.content, count=1)
    return _FORM.sub(form, own).strip()


def _moment(seconds: int) -> str:
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"
    except (OverflowError, ValueError, OSError):
        return "some time"
