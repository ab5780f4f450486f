"""The simulated Discord: what tests do in it, and look at."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic
from typing import Any
from uuid import uuid4

from aiohttp import web

from tests.simulators.discord.gateway import CONTENT, Gateway, Session
from tests.simulators.discord.rest import Rest
from tests.simulators.discord.state import (
    DIRECT,
    EPHEMERAL,
    MEMBER,
    PRIVATE_THREAD,
    PUBLIC_THREAD,
    TEXT,
    VOICE_MESSAGE,
    Channel,
    Guild,
    Json,
    Message,
    User,
    moment,
    snowflake,
)

_SLASH, _MESSAGE = 1, 3


@dataclass
class Interaction:
    """A command or a click, and what became of it; `reply` is what whoever did it is told."""

    channel: Channel
    user: int
    made: float = field(default_factory=monotonic)
    acknowledged: bool = False
    answered: bool = False
    expired: bool = False
    kind: int = 0
    choices: list[Json] | None = None
    reply: Message | None = None


class Discord:
    """Everything in it, and its server at `url`; tests end with `errors`, which must be none."""

    def __init__(self) -> None:
        self.token = "a.token.of-the-bot"  # noqa: S105 - it opens nothing
        self.application = 900
        self.content_allowed = True
        self.patience = 3.0
        self.shards = 1
        self.url = ""
        self.bot = User(900, "Twin", bot=True)
        self.users: dict[int, User] = {1: User(1, "Owner"), 900: self.bot}
        self.guilds: dict[int, Guild] = {}
        self.channels: dict[int, Channel] = {}
        self.closed: set[int] = set()
        self.files: dict[str, bytes] = {}
        self.commands: list[Json] = []
        self.interactions: dict[str, Interaction] = {}
        self.gateway = Gateway(self)
        self.rest = Rest(self)
        self._news = asyncio.Event()

    @classmethod
    @asynccontextmanager
    async def open(cls) -> AsyncIterator["Discord"]:
        """Serve on a free port of the loopback address; complain of everything that Discord would not understand."""
        discord = cls()
        app = web.Application(client_max_size=1 << 24)
        app.add_routes([web.get("/gateway", discord.gateway.serve), web.get("/gateway/", discord.gateway.serve)])
        app.add_routes([web.get("/cdn/{name:.*}", discord._file)])
        app.add_routes(discord.rest.routes("/api/v10"))
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        discord.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield discord
        finally:
            await discord.gateway.drop(code=1001)
            await runner.cleanup()
        assert not discord.errors, discord.errors

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/v10"

    @property
    def errors(self) -> list[str]:
        return [*self.rest.errors, *self.gateway.errors]

    # --- what there is

    def guild(self, id: int, name: str = "Globex", *, members: Sequence[int] = ()) -> Guild:
        """Add a guild in which everyone sees everything."""
        made = Guild(id, name, owner=1, roles={id: ("@everyone", MEMBER)})
        made.members = {1: [], self.bot.id: [], **{user: [] for user in members}}
        self.guilds[id] = made
        return made

    def user(self, id: int, name: str) -> User:
        """Add somebody."""
        self.users[id] = User(id, name)
        return self.users[id]

    def channel(self, id: int, name: str, *, guild: int, only: Sequence[int] | None = None, **about: Any) -> Channel:
        """Add a channel; with `only`, one that these roles alone see."""
        made = Channel(id, name, guild, **about)
        if only is not None:
            made.overwrites = [{"id": str(guild), "type": 0, "allow": "0", "deny": str(1 << 10)}]
            made.overwrites += [{"id": str(role), "type": 0, "allow": str(1 << 10 | 1 << 16), "deny": "0"} for role in only]
        self.channels[id] = made
        return made

    def direct(self, user: int) -> Channel:
        """Return the private chat of somebody with the twin."""
        for one in self.channels.values():
            if one.kind == DIRECT and one.user == user:
                return one
        made = Channel(700_000 + user, "", kind=DIRECT, user=user)
        self.channels[made.id] = made
        return made

    async def thread(self, channel: int, name: str, *, private: bool = False) -> Channel:
        """Open a thread."""
        kind = PRIVATE_THREAD if private else PUBLIC_THREAD
        made = Channel(snowflake(), name, self.channels[channel].guild, kind=kind, parent=channel)
        self.channels[made.id] = made
        await self.gateway.dispatch("THREAD_CREATE", made.json() | {"newly_created": True})
        return made

    # --- what people do

    async def say(
        self,
        channel: int,
        user: int,
        text: str,
        *,
        files: Sequence[tuple[str, bytes]] = (),
        reply_to: Message | None = None,
        voice: bool = False,
    ) -> Message:
        """Say something."""
        made = self.posted(self.channels[channel], self.users[user], text, reference=reply_to.id if reply_to else None)
        for name, data in files:
            made.attachments.append(
                self._attached(made, name, data) | ({"duration_secs": 2, "waveform": "AA=="} if voice else {})
            )
        made.flags |= VOICE_MESSAGE if voice else 0
        if reply_to and reply_to.author not in made.mentions:
            made.mentions.append(reply_to.author)
        await self.gateway.dispatch("MESSAGE_CREATE", self.teller(made))
        return made

    async def edit(self, message: Message, text: str) -> None:
        """Edit a message."""
        message.content, message.edited = text, datetime.now(UTC).isoformat()
        message.mentions = self._mentioned(text)
        await self.gateway.dispatch("MESSAGE_UPDATE", self.teller(message))

    async def delete(self, message: Message) -> None:
        """Delete a message."""
        message.deleted = True
        told = {"id": str(message.id), "channel_id": str(message.channel.id)}
        guild = message.channel.guild
        await self.gateway.dispatch("MESSAGE_DELETE", told | ({"guild_id": str(guild)} if guild else {}))
        await self.changed()

    async def delete_channel(self, channel: int) -> None:
        """Delete a channel or a thread."""
        gone = self.channels.pop(channel)
        await self.gateway.dispatch("THREAD_DELETE" if gone.is_thread else "CHANNEL_DELETE", gone.json())

    async def allow(self, channel: int, overwrites: list[Json]) -> None:
        """Change who sees a channel."""
        self.channels[channel].overwrites = overwrites
        await self.gateway.dispatch("CHANNEL_UPDATE", self.channels[channel].json())

    async def click(self, message: Message, label: str, user: int) -> Interaction:
        """Click a button."""
        data = {"custom_id": message.buttons[label], "component_type": 2, "id": 2}
        return await self._interact(message.channel, user, 3, data, message=message)

    async def command(self, channel: int, user: int, word: str, said: str = "", *, kind: int = 2) -> Interaction:
        """Give a command: `/twin WORD SAID`; with kind 4, while it is typed."""
        known = next(one for one in self.commands if one["name"] == "twin")
        sub = next(one for one in known["options"] if one["name"] == word)
        option = [{"type": 3, "name": sub["options"][0]["name"], "value": said}] if said or kind == 4 else []
        option = [{**one, "focused": True} for one in option] if kind == 4 else option
        data: Json = {
            "id": known["id"],
            "name": "twin",
            "type": _SLASH,
            "options": [{"type": 1, "name": word, "options": option}],
        }
        return await self._interact(self.channels[channel], user, kind, data)

    async def teach(self, message: Message, user: int) -> Interaction:
        """Choose “Teach this to Twin” in the menu of a message."""
        known = next(one for one in self.commands if one["type"] == _MESSAGE)
        resolved = {"messages": {str(message.id): message.json()}}
        data = {"id": known["id"], "name": known["name"], "type": _MESSAGE, "target_id": str(message.id), "resolved": resolved}
        return await self._interact(message.channel, user, 2, data)

    async def _interact(
        self, channel: Channel, user: int, kind: int, data: Json, message: Message | None = None
    ) -> Interaction:
        token = uuid4().hex
        made = self.interactions[token] = Interaction(channel, user)
        told: Json = {"id": str(snowflake()), "application_id": str(self.application), "type": kind, "data": data}
        told |= {"token": token, "version": 1, "channel_id": str(channel.id), "channel": channel.json(), "locale": "en-US"}
        told |= {"entitlements": [], "authorizing_integration_owners": {}, "attachment_size_limit": 10 << 20}
        told["app_permissions"] = str(MEMBER)
        if message:
            told["message"] = message.json() | {"flags": message.flags | (EPHEMERAL if message.only_for else 0)}
        if channel.guild:
            guild = self.guilds[channel.guild]
            member = self.member(guild, user) | {"user": self.users[user].json(), "permissions": str(MEMBER)}
            about = {"id": str(guild.id), "features": [], "locale": "en-US"}
            told |= {"guild_id": str(guild.id), "guild": about, "guild_locale": "en-US", "member": member, "context": 0}
        else:
            told |= {"user": self.users[user].json(), "context": 1}
        await self.gateway.dispatch("INTERACTION_CREATE", told)
        return made

    # --- what is looked at

    def said(self, channel: int, *, after: int = 0) -> list[Message]:
        """Return what the twin has said in a channel."""
        there = self.channels[channel].messages.values()
        return [one for one in there if one.author is self.bot and not one.deleted and one.id > after and not one.only_for]

    def answers(self, to: Message) -> list[Message]:
        """Return the messages in which the twin answers another one, those in which an answer goes on too."""
        found = [one for one in self.said(to.channel.id) if one.reference == to.id]
        firsts = {one.id for one in found}
        return found + [one for one in self.said(to.channel.id) if one.reference in firsts]

    async def until(self, condition: Callable[[], object], seconds: float = 30) -> None:
        """Wait until something holds."""
        async with asyncio.timeout(seconds):
            while not condition():
                self._news.clear()
                try:
                    async with asyncio.timeout(0.1):
                        await self._news.wait()
                except TimeoutError:
                    continue

    async def changed(self) -> None:
        """Have everybody look who waits."""
        self._news.set()

    # --- how it is told

    def posted(
        self,
        channel: Channel,
        author: User,
        text: str,
        *,
        reference: int | None = None,
        nonce: str | None = None,
        only_for: int | None = None,
    ) -> Message:
        """Keep a message."""
        made = Message(snowflake(), channel, author, text, reference=reference, nonce=nonce, only_for=only_for)
        made.mentions = self._mentioned(text)
        channel.messages[made.id] = made
        return made

    def _mentioned(self, text: str) -> list[User]:
        return [self.users[int(id)] for id in dict.fromkeys(re.findall(r"<@!?(\d+)>", text)) if int(id) in self.users]

    def _attached(self, message: Message, name: str, data: bytes) -> Json:
        id = snowflake()
        path = f"attachments/{message.channel.id}/{id}/{name}"
        self.files[path] = data
        url = f"{self.url}/cdn/{path}?ex=6a0&is=6a0&hm=0"
        return {"id": str(id), "filename": name, "size": len(data), "url": url, "proxy_url": url}

    def told(self, message: Message, *, content: bool | None = None) -> Json:
        """Return a message as the twin is told of it: without the intent, only what is said to it has a content."""
        content = self.content_allowed if content is None else content
        mine = message.author is self.bot or message.channel.kind == DIRECT or self.bot in message.mentions
        return message.json(hidden=not (content or mine))

    def teller(self, message: Message) -> Callable[[Session], Json]:
        """Return what tells a session of a message."""

        def tell(session: Session) -> Json:
            told = self.told(message, content=bool(session.intents & CONTENT))
            if message.nonce:
                told["nonce"] = message.nonce
            told["channel_type"] = message.channel.kind
            if guild := message.channel.guild:
                told["guild_id"] = str(guild)
                if message.author.id in self.guilds[guild].members:
                    told["member"] = self.member(self.guilds[guild], message.author.id)
                    told["mentions"] = [
                        one.json() | {"member": self.member(self.guilds[guild], one.id)}
                        for one in message.mentions
                        if one.id in self.guilds[guild].members
                    ]
            return told

        return tell

    def member(self, guild: Guild, user: int) -> Json:
        """Return somebody as they are in a guild."""
        return {
            "nick": None,
            "avatar": None,
            "banner": None,
            "roles": [str(role) for role in guild.members[user]],
            "joined_at": moment(snowflake()),
            "premium_since": None,
            "deaf": False,
            "mute": False,
            "flags": 0,
            "pending": False,
            "communication_disabled_until": None,
        }

    def ready(self, session: Session) -> Json:
        """Return what a session is told first."""
        user = self.bot.json() | {"verified": True, "mfa_enabled": False, "email": None, "flags": 0}
        guilds = [{"id": str(id), "unavailable": True} for id in self.guilds]
        gateway = self.url.replace("http", "ws") + "/gateway"
        about = {"id": str(self.application), "flags": 1 << 19, "flags_new": str(1 << 19)}
        return {
            "v": 10,
            "user": user,
            "guilds": guilds,
            "session_id": session.id,
            "resume_gateway_url": gateway,
            "application": about,
            **({"shard": session.shard} if session.shard else {}),
        }

    def guild_creates(self) -> list[Json]:
        """Return all guilds as they are told of at the beginning."""
        return [self.whole(one) for one in self.guilds.values()]

    def whole(self, guild: Guild) -> Json:
        """Return everything of a guild."""
        mine = [one for one in self.channels.values() if one.guild == guild.id]
        nothing = dict.fromkeys(
            (
                *("afk_channel_id", "application_id", "banner", "description", "discovery_splash", "icon", "incidents_data"),
                *("hub_type", "public_updates_channel_id", "rules_channel_id", "safety_alerts_channel_id", "splash"),
                *("system_channel_id", "vanity_url_code"),
            )
        )
        lists = (
            "emojis",
            "features",
            "guild_scheduled_events",
            "presences",
            "soundboard_sounds",
            "stage_instances",
            "voice_states",
        )
        return {
            **nothing,
            **{name: [] for name in (*lists, "stickers")},
            "id": str(guild.id),
            "name": guild.name,
            "owner_id": str(guild.owner),
            "roles": [guild.role(id) for id in guild.roles],
            "members": [self.member(guild, self.bot.id) | {"user": self.bot.json()}],
            "channels": [one.json() for one in mine if not one.is_thread],
            "threads": [one.json() for one in mine if one.is_thread],
            "member_count": len(guild.members),
            "joined_at": moment(snowflake()),
            "large": False,
            "afk_timeout": 60,
            "default_message_notifications": 0,
            "explicit_content_filter": 0,
            "mfa_level": 0,
            "nsfw_level": 0,
            "preferred_locale": "en-US",
            "premium_progress_bar_enabled": False,
            "premium_tier": 0,
            "system_channel_flags": 0,
            "verification_level": 0,
        }

    async def _file(self, request: web.Request) -> web.Response:
        data = self.files.get(request.match_info["name"])
        return web.Response(status=404) if data is None else web.Response(body=data)


__all__ = ["TEXT", "Discord", "Interaction"]
