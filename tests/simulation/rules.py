"""What happens in a world, one thing after the other and many at once."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from typing import Any

from sqlalchemy.exc import DBAPIError

from bot.access import LOCAL
from bot.chat import Answer, Delta, Message, Person, Place
from bot.delivery.inbox import LEARN, Errand
from bot.errors import TwinError
from knowledge import KnowledgeError, State
from knowledge.errors import UnknownDocument
from tests.simulation.life import GLANCE, Glance
from tests.simulation.minds import TOKEN
from tests.simulation.people import CLOSED, DIRECT, GUEST, LEARNING, MEMBERS, PUBLIC, SECRET, own
from tests.simulation.story import Canary, Written
from tests.simulation.world import World

_TROUBLE = (DBAPIError, TwinError, KnowledgeError)
_HERE, _OWNER = Place(LOCAL), Person(LOCAL)
_WEIGHTS = {
    "asks": 7,
    "uploads": 3,
    "chats": 3,
    "thanks": 1,
    "edits": 4,
    "deletes": 3,
    "redelivers": 5,
    "moves": 3,
    "slips": 3,
    "forgets": 2,
    "judges": 1,
    "regenerates": 1,
    "remembers": 1,
    "forgets_person": 0.3,
    "waits": 2,
    "confirms": 1,
    "crashes": 2,
}


class Rules:
    """What can happen; each rule begins something and does not wait for it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.random = world.random
        self.story = world.story
        self.late: list[Message] = []  # deliveries that are held up

    async def play(self) -> None:
        """Let a number of things happen."""
        for _ in range(self.random.randint(20, 45)):
            name = self.random.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
            self.world.trace.append(name)
            getattr(self, name)()
            waits = [30.0, 300.0, 1200.0] if name == "waits" else [0.0, 0.05, 0.5, 3.0]
            await self._passes(self.random.choice(waits))

    async def _passes(self, seconds: float) -> None:
        """Let time pass, in which the process may die."""
        life = self.world.house.life
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await life.died.wait()
        if not life.alive:
            await self.world.restart()

    def _spawn(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        self.world.house.life.spawn(name, _in_trouble(work))

    # --- writing

    def asks(self) -> None:
        place, account = self._somewhere()
        written = self.story.asks(place, account)
        self._deliver(written.latest)
        if self.random.random() < 0.4:  # some platforms tell of a mention twice, once as any other message
            self._deliver(replace(written.latest, event=f"{written.latest.event}-twin", addressed=False))

    def uploads(self) -> None:
        self._deliver(self.story.uploads(*self._somewhere()).latest)

    def chats(self) -> None:
        place = self.random.choice([*LEARNING, *LEARNING, PUBLIC])
        self._deliver(self.story.chats(place, self.random.choice(self.world.crowd.members(place))).latest)

    def thanks(self) -> None:
        self._deliver(self.story.thanks(*self._somewhere()).latest)

    def edits(self) -> None:
        if written := self._any():
            self._deliver(self.story.edits(written))

    def deletes(self) -> None:
        if written := self._any():
            self._deliver(self.story.deletes(written))

    def redelivers(self) -> None:
        """Deliver old news again, and what was held up at last."""
        known = [message for written in self.story.written.values() for message in written.versions]
        for _ in range(self.random.randint(1, 4)):
            if known:
                self._deliver(self.random.choice(known), again=True)
        while self.late:
            self._deliver(self.late.pop(self.random.randrange(len(self.late))), again=True)

    def _deliver(self, message: Message, *, again: bool = False) -> None:
        if not again and self.random.random() < 0.2:
            self.late.append(message)
            return
        for _ in range(1 if self.random.random() < 0.8 else 2):
            self._spawn(f"deliver {message.event}", self.delivered(message))

    async def acknowledged(self, message: Message) -> None:
        """Hand a message in as a platform does that was not told of its arrival."""
        await _in_trouble(self.delivered(message))

    async def delivered(self, message: Message) -> None:
        """Hand a message in, and note that it was acknowledged when it was."""
        await self.world.house.desk.receive(message)
        self.world.house.life.check()
        self.story.written[message.place, message.id].acknowledged.add(message.event)

    def _somewhere(self) -> tuple[str, str]:
        places = [place for place in self.world.crowd.inside if self.world.crowd.members(place)]
        place = self.random.choice(places)
        return place, self.random.choice(self.world.crowd.members(place))

    def _any(self) -> Written | None:
        """Return a message that still stands, rather a late one."""
        standing = [one for one in self.story.written.values() if not one.latest.deleted and not one.erased]
        return self.random.choice(standing[-6:]) if standing else None

    # --- people and time

    def moves(self) -> None:
        self._spawn("moves", self.world.crowd.moves(self.world.house.people))

    def slips(self) -> None:
        """Have somebody ask among few, and a guest come in, or leave, while that is answered; then somebody asks on."""
        place = self.random.choice([CLOSED, SECRET])
        first, then = (self.story.asks(place, self.random.choice(self.world.crowd.members(place))) for _ in range(2))
        self._deliver(first.latest)
        self._spawn("slips", self._slipped(place, self.random.random() * self.random.choice([1.0, 10.0]), then))

    async def _slipped(self, place: str, seconds: float, then: Written) -> None:
        await asyncio.sleep(seconds)
        await self.world.crowd.moves(self.world.house.people, place, GUEST)
        await self.delivered(then.latest)

    def confirms(self) -> None:
        life = self.world.house.life
        told = self.random.choice([self.world.crowd.told, self.world.crowd.confirmed])
        self._spawn("confirms", told(self.world.house.people, life.now()))

    def waits(self) -> None:
        """Let time alone pass."""

    def crashes(self) -> None:
        self.world.house.life.steps_left = self.random.choice([1, self.random.randint(1, 20), self.random.randint(1, 200)])

    # --- the face

    def judges(self) -> None:
        if post := self._answer():
            message_id, place, person = post
            value = self.random.choice([-1, 0, 1])
            give = self.world.house.twin.give_feedback(message_id, value, place=place, person=person)
            self._spawn("judges", _dropped(give))

    def regenerates(self) -> None:
        if post := self._answer():
            self._spawn("regenerates", self._regenerated(*post))

    async def _regenerated(self, message_id: str, place: Place, person: Person) -> None:
        glance = Glance()
        GLANCE.set(glance)
        text = ""
        async for piece in await self.world.house.twin.regenerate(message_id, place=place, person=person):
            text += piece.text if isinstance(piece, Answer | Delta) else ""
            self.world.judge(place.id, person.id, text, glance.written, "an answer given anew")

    def _answer(self) -> tuple[str, Place, Person] | None:
        posts = [post for post in self.world.platform.posts.values() if post.answer and not post.removed]
        if not posts:
            return None
        post = self.random.choice(posts)
        readers = self.world.crowd.members(post.reply.place) or list(MEMBERS)
        return post.answer or "", Place(post.reply.place), Person(self.random.choice(readers))

    def remembers(self) -> None:
        person = Person(self.random.choice(MEMBERS))
        text, canary = self.story.note(own(person.id))
        canary.unsure = True  # nobody waits for a note: it is there or it is not
        self._spawn("remembers", _dropped(self.world.house.twin.remember(text, place=Place(DIRECT), person=person)))

    def forgets(self) -> None:
        self._spawn("forgets", self._forgotten())

    async def _forgotten(self) -> None:
        twin, jobs = self.world.house.twin, self.world.house.jobs
        learning = {Errand.of(LEARN, job.argument).message for job in await jobs.unfinished() if job.kind == LEARN}
        documents = [
            one for one in await twin.documents(place=_HERE, person=_OWNER) if one.url.rpartition("/")[2] not in learning
        ]
        whole = (one for one in documents if one.state is State.READY and not one.name.startswith("inner"))
        ready = sorted(whole, key=lambda one: one.id)
        if not ready:
            return
        document = self.random.choice(ready)
        gone = await self._canaries(document.id)
        for canary in gone:
            canary.unsure = True
        await self._until_done(lambda: twin.forget(document.id, place=_HERE, person=_OWNER))
        self.world.bury(gone)

    def forgets_person(self) -> None:
        self._spawn("forgets person", self._forgotten_person(self.random.choice(MEMBERS)))

    async def _forgotten_person(self, account: str) -> None:
        mine = self._erased(account)
        certain = [one for one in mine if one.acknowledged and one.kind != "file"]
        known = [one for one in certain if all(message.event in one.acknowledged for message in one.versions)]
        await self._until_done(lambda: self.world.house.twin.forget_me(person=Person(account)))
        self._erased(account)  # what came meanwhile is gone, or not
        for one in known:
            one.gone = True
            self.world.bury(one.canaries)

    def _erased(self, account: str) -> list[Written]:
        mine = [one for one in self.story.written.values() if one.versions[0].account == account]
        for one in mine:
            one.erased = True
            for canary in one.canaries:
                canary.unsure = True
        return mine

    async def _canaries(self, document_id: str) -> list[Canary]:
        """Return what stands in a document and in what came inside it."""
        house = self.world.house
        words: set[str] = set()
        for one in await house.knowledge.catalogue.family(document_id):
            words.update(TOKEN.findall(await house.twin.text(one, place=_HERE, person=_OWNER)))
        found = [self.story.canaries[word] for word in sorted(words)]
        return [canary for canary in found if canary.subject]  # a question that was learned as chat is still asked

    async def _until_done(self, act: Callable[[], Awaitable[object]]) -> None:
        """Try again, as people do, while something is away."""
        while True:
            try:
                await act()
            except UnknownDocument:
                return
            except (DBAPIError, KnowledgeError):
                await asyncio.sleep(0.5)
            else:
                return


async def _in_trouble(work: Coroutine[Any, Any, None]) -> None:
    """Do something that people and platforms try again when it fails."""
    try:
        await work
    except _TROUBLE:
        return


async def _dropped(work: Awaitable[object]) -> None:
    await work
