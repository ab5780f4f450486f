"""A chat platform in memory: one key is one post, calls are slow and fail, and every reader sees what is shown."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from bot.chat import Answer, Attachment, Mark, Notice, Refused, Reply, Spoken, TryLater
from tests.simulation.life import GLANCE, Life

_MOST_FAILURES = 6  # of one reply: four are borne by the job, and two by the apology


@dataclass
class Post:
    """Something that stands in a place."""

    id: str
    reply: Reply
    text: str = ""
    final: bool = False
    removed: bool = False
    answer: str | None = None  # the id of the answer in the history


Shown = Callable[[Reply, str, int], None]
"""Told of a text that people see, and since when its writer knows what may be seen."""


@dataclass
class Platform:
    """What is on the platform, whatever happens to the twin."""

    random: Random
    trouble: float
    tick: Callable[[], int]
    shown: Shown
    posts: dict[str, Post] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    whispers: list[tuple[Reply, str]] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    failures: Counter[str] = field(default_factory=Counter)

    def visible(self, place: str, message: str) -> list[Post]:
        """Return what stands there in reply to a message."""
        found = (post for post in self.posts.values() if (post.reply.place, post.reply.to) == (place, message))
        return [post for post in found if not post.removed]

    def fails(self, key: str, *, matters: bool) -> str:
        """Return what goes wrong with a call for a reply, if anything does; without parts of an answer one can do."""
        if self.random.random() >= self.trouble or (matters and self.failures[key] >= _MOST_FAILURES):
            return ""
        if self.random.random() < 0.03:
            self.refused.add(key)
        kind = self.random.choice(["later", "before", "before", "after", "after", "slow", "odd", "odd"])
        self.failures[key] += matters and kind in {"before", "after", "odd"}
        return kind


class Adapter:
    """A life's way to the platform."""

    def __init__(self, platform: Platform, life: Life) -> None:
        self._platform = platform
        self._life = life

    async def open(self, reply: Reply) -> str:
        async def act() -> str:
            posts = self._platform.posts
            known = next((post for post in posts.values() if post.reply.key == reply.key and not post.removed), None)
            if known is None:
                known = Post(f"p{len(posts)}", reply)
                posts[known.id] = known
            return known.id

        return await self._call(reply, act)

    async def write(self, reply: Reply, shown: str, text: str) -> None:
        since = GLANCE.get().written

        async def act() -> str:
            self._show(reply, shown, text, since)
            return ""

        await self._call(reply, act, matters=False)
        await asyncio.sleep(0.01)

    async def finish(self, reply: Reply, shown: str, content: Answer | Notice) -> None:
        glance = GLANCE.get()
        since = glance.stored if isinstance(content, Answer) and glance.stored else self._platform.tick()

        async def act() -> str:
            notice = f"\n{content.notice}" if isinstance(content, Answer) and content.notice else ""
            quotes = "\n".join(source.quote for source in content.sources) if isinstance(content, Answer) else ""
            post = self._show(reply, shown, f"{content.text}{notice}\n{quotes}", since)
            post.final = True
            post.answer = content.message_id if isinstance(content, Answer) else None
            return ""

        await self._call(reply, act)

    async def withdraw(self, reply: Reply, shown: str) -> None:
        async def act() -> str:
            self._platform.posts[shown].removed = True
            return ""

        await self._call(reply, act, odd="before")  # given up, it would have to be done by hand

    async def whisper(self, reply: Reply, text: str) -> None:
        async def act() -> str:
            self._platform.whispers.append((reply, text))
            return ""

        await self._call(reply, act)

    async def fetch(self, attachment: Attachment, to: Path, limit: int, *, place: str) -> None:
        await self._life.step()
        if attachment.id not in self._platform.files:
            raise Refused("The file is gone.")
        to.write_bytes(self._platform.files[attachment.id])

    async def mark(self, reply: Reply, mark: Mark) -> None:
        await self._life.step()

    async def confirm(self, place: str, account: str) -> None:
        await self._life.step()

    async def thread(self, reply: Reply) -> tuple[Spoken, ...]:
        await self._life.step()
        return ()

    def _show(self, reply: Reply, shown: str, text: str, since: int) -> Post:
        post = self._platform.posts[shown]
        assert post.reply == reply, f"{reply.key} is written over {post.reply.key}"
        if post.removed:
            raise Refused("It was removed.")
        post.text = text
        self._platform.shown(reply, text, since)
        return post

    async def _call(self, reply: Reply, act: Callable[[], Awaitable[str]], *, matters: bool = True, odd: str = "odd") -> str:
        await self._life.step()
        failure = self._platform.fails(reply.key, matters=matters)
        if reply.key in self._platform.refused:
            raise Refused("The twin is not in there.")
        match odd if failure == "odd" else failure:
            case "later":
                raise TryLater("too many requests", self._life.random.random() * 3)
            case "before":
                raise ConnectionError("reset")
            case "odd":
                raise RuntimeError("nobody thought of this")
            case "after":
                await act()
                raise TimeoutError
            case "slow":
                await asyncio.sleep(self._life.random.random() * 20)
                self._life.check()
        done = await act()
        await self._life.step()
        return done
