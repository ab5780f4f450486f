"""The face: everything a person can ask of the twin, one short method each, with what they must be allowed to."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.access import GUIDE, LOCAL, Act, NotAllowed
from bot.chat import Person, Pieces, Place, PlaceKind
from bot.engine import Asked
from bot.errors import TwinError, UnknownMessage
from bot.limits import NOTE, QUERY, REASON, What, bounded
from bot.llm.models import EVERYWHERE, Changes, Chosen
from bot.parts import Parts
from bot.people.register import UnknownPlace
from bot.record import export
from bot.record.digest import Digest
from bot.record.feedback import Opinion
from bot.record.said import Said
from bot.record.usage import Figures
from bot.record.why import Why, explained
from bot.teaching import Progress
from knowledge import Audience, Document, Filters, Found, Receipt


class Twin:
    """What adapters and the command line talk to. `place` is where something is said or shown, `person` who asks for it."""

    def __init__(self, parts: Parts) -> None:
        self._ = parts
        self._knowledge = parts.knowledge

    # --- asking

    async def ask(self, question: str, *, place: Place, person: Person, conversation: str | None = None) -> Pieces:
        """Answer a question: pieces as they are written, then the whole with its sources."""
        await self._.access.require(Act.ASK, person, place)
        async with aclosing(self._.engine.answer(Asked(question, place, person, conversation))) as pieces:
            async for piece in pieces:
                yield piece

    async def regenerate(self, message_id: str, *, place: Place, person: Person) -> Pieces:
        """Answer the question of an answer anew; the answer before is superseded. Raises `UnknownMessage`."""
        conversation = await self._conversation(message_id, place, person)
        question_id, text = await self._.recall.question(message_id)
        return self._.engine.answer(Asked(text, place, person, conversation, question_id=question_id, again=True))

    async def why(self, message_id: str, *, place: Place, person: Person) -> Why:
        """Tell how an answer came about: what was searched for, what was considered, and what became of it."""
        await self._conversation(message_id, place, person)
        query, candidates = await self._.recall.candidates(message_id)
        audience = await self._.access.audience(place, person)
        answer = await self._.engine.stored(message_id, place=place, person=person)
        living = await self._knowledge.catalogue.passages([one.passage_id for one in candidates], audience)
        return explained(answer, query, candidates, living)

    async def search(
        self, query: str, *, place: Place, person: Person, where: Filters = Filters(), limit: int = 10
    ) -> tuple[Found, ...]:
        """Return what is nearest to a query, best first, passages that follow each other joined for reading."""
        await self._.access.require(Act.SEARCH, person, place)
        audience = await self._.access.audience(place, person)
        query = bounded(query, QUERY)
        results = await self._knowledge.retrieval.search(query, audience=audience, where=where, limit=limit)
        return await self._knowledge.retrieval.joined(results.found)

    # --- conversations

    async def conversations(self, *, person: Person) -> list[tuple[str, str, datetime]]:
        """Return id, place and beginning of a person's conversations, newest first."""
        return await self._.recall.conversations(person)

    async def conversation(self, conversation: str, *, place: Place, person: Person) -> list[Said]:
        """Return what was said, as it may be shown in a place now. Raises `UnknownMessage`."""
        conversation = await self._conversation(conversation, place, person)
        visible = self._.engine.visible(await self._.access.audience(place, person))
        return await self._.recall.conversation(conversation, visible=visible)

    async def export(self, conversation: str, format: export.Format, *, place: Place, person: Person) -> str:
        """Return a conversation as Markdown or JSON."""
        self._take(What.EXPORT, person)
        return export.rendered(await self.conversation(conversation, place=place, person=person), format)

    async def give_feedback(self, message_id: str, value: int, reason: str = "", *, place: Place, person: Person) -> Opinion:
        """Keep what a person thinks of an answer: 1, -1, or 0 to take it back."""
        await self._conversation(message_id, place, person)
        self._take(What.FEEDBACK, person)
        return await self._.feedback.give(message_id, person, value, bounded(reason, REASON))

    # --- teaching and forgetting

    def files_in(self, paths: Sequence[Path]) -> list[Path]:
        """Return the files that are meant by files and folders; what is not there stays named."""
        return self._.teaching.files_in(paths)

    def learn(
        self,
        files: Sequence[Path],
        *,
        scope: str,
        by: Person,
        tags: Sequence[str] = (),
        progress: Callable[[Path, int, int], None] = lambda path, done, total: None,
    ) -> AsyncGenerator[tuple[Path, Receipt]]:
        """Learn files, several at a time; yield each with its receipt as it is ready."""
        return self._.teaching.learn(files, scope=scope, by=by, tags=tags, progress=progress)

    async def documents(self, *, place: Place, person: Person) -> list[Document]:
        """Return every version of every document that may be seen, newest first."""
        return await self._knowledge.catalogue.documents(await self._sight(place, person))

    async def document(self, document_id: str, *, place: Place, person: Person) -> Document:
        """Return one document by its id or the unambiguous beginning of it."""
        return await self._knowledge.catalogue.document(document_id, await self._sight(place, person))

    async def text(self, document_id: str, *, place: Place, person: Person) -> str:
        """Return the stored text of a document."""
        return await self._knowledge.catalogue.text(await self.document(document_id, place=place, person=person))

    async def forget(self, document_id: str, *, place: Place, person: Person) -> Document:
        """Forget a document: text, passages, vectors, file, and what answers say of it, down to the bytes on disk.

        Who taught it may, and teachers.
        """
        document = await self.document(document_id, place=place, person=person)
        if document.added_by != person.id:
            await self._.access.require(Act.FORGET_ANY, person, place)
        family = await self._knowledge.catalogue.family(document.id)
        await self._knowledge.library.hide(family)  # so that no answer that is being written rests on it
        await self._.memory.forget(family)
        await self._.retell()
        await self.optimize()
        return document

    async def relearn(
        self,
        document_id: str,
        *,
        place: Place,
        person: Person,
        progress: Progress = lambda done, total: None,
    ) -> Receipt:
        """Read a document anew from its kept file."""
        document = await self.document(document_id, place=place, person=person)
        await self._.access.require(Act.TEACH, person, place)
        return await self._knowledge.library.relearn(document.id, progress=progress)

    # --- memory of people

    async def remember(self, text: str, *, place: Place, person: Person) -> Receipt:
        """Keep a note for a person, who alone is told of it in private."""
        self._take(What.NOTE, person)
        if not (text := bounded(text, NOTE)):
            raise TwinError("Tell me what to remember.")
        return await self._.memory.remember(text, person)

    async def notes(self, *, person: Person) -> list[Document]:
        """Return what a person had remembered, newest first."""
        return await self._.memory.notes(person)

    async def forget_me(self, *, person: Person) -> tuple[int, int]:
        """Forget what a person had remembered, wrote and asked; return how many documents and questions went."""
        gone = await self._.memory.forget_person(person)
        await self._.retell()
        await self.optimize()
        return gone

    # --- models and figures

    async def models(self, *, place: Place) -> Chosen:
        """Return how the twin writes in a place."""
        return await self._.models.of(EVERYWHERE if place.id == LOCAL else place.id)

    async def use_model(self, changes: Changes, *, place: Place, person: Person) -> Chosen:
        """Change how the twin writes in a place, at the terminal everywhere; raises `BadModel` for one that is not there."""
        await self._.access.require(Act.CONFIGURE, person, place)
        if name := changes.get("model"):
            await self._.shelf.chain(name)
        return await self._.models.use(EVERYWHERE if place.id == LOCAL else place.id, person, **changes)

    async def reset_model(self, *, place: Place, person: Person) -> Chosen:
        """Leave how the twin writes to what is more general; return how it wrote before."""
        await self._.access.require(Act.CONFIGURE, person, place)
        return await self._.models.reset(EVERYWHERE if place.id == LOCAL else place.id)

    async def stats(self, *, place: Place, person: Person, days: int = 7, all_people: bool = False) -> Figures:
        """Sum up what was asked and what it took in the last days: a person's own, or, for owners, of all."""
        if all_people:
            await self._.access.require(Act.STATS_ALL, person, place)
        since = datetime.now(UTC) - timedelta(days=days)
        await self._.usage.flush()
        return await self._.usage.figures(since, None if all_people else person.id)

    # --- people and places

    async def person(self, account: str) -> Person:
        """Return whose account this is."""
        return await self._.access.person(account)

    async def link_code(self, *, person: Person) -> str:
        """Return a code by which a person shows that another account is theirs."""
        self._take(What.LINK, person)
        return await self._.linking.code(person)

    async def link_to(self, code: str, *, person: Person) -> str:
        """Return the name of whoever was given a code; raises `UnknownCode` and `SamePerson`."""
        self._take(What.LINK, person)
        return await self._.linking.holder(code, person)

    async def link(self, code: str, *, account: str, person: Person) -> None:
        """Make whoever shows a code the person it was given to: what one of them may see and do, the other may from now on."""
        self._take(What.LINK, person)
        await self._.linking.use(code, account, person)

    async def unlink(self, *, account: str) -> bool:
        """Make an account somebody of their own again; tell whether it was one of several."""
        return await self._.linking.unlink(account)

    async def may_teach(self, *, place: Place, person: Person) -> None:
        """Raise `NotAllowed` unless a person may teach in a place."""
        await self._.access.require(Act.TEACH, person, place)

    async def may_forget_any(self, *, place: Place, person: Person) -> bool:
        """Say whether a person may have forgotten what others taught."""
        try:
            await self._.access.require(Act.FORGET_ANY, person, place)
        except NotAllowed:
            return False
        return True

    async def learning(self, on: bool | None = None, *, place: Place, person: Person) -> bool:
        """Say whether chat and files are learned in a place without being asked; owners switch that on and off."""
        if on is not None:
            await self._.access.require(Act.CONFIGURE, person, place)
            await self._.people.learning(place.id, on)
        return await self._.access.learns(place)

    async def weekly(self, on: bool | None = None, *, place: Place, person: Person) -> bool:
        """Say whether a digest is posted in a place each week; whoever is alone there switches that on and off, else owners."""
        await self._.access.require(Act.SEARCH, person, place)
        if on is not None:
            if await self._.access.kind(place) is not PlaceKind.DIRECT:
                await self._.access.require(Act.CONFIGURE, person, place)
            await self._.people.digesting(place.id, person.id if on else "")
        return await self._.access.digested(place)

    async def digest(self, *, place: Place, person: Person, since: datetime | None = None) -> Digest:
        """Sum up what was learned in a place, asked and left unanswered since then (a week ago).

        Where a person is alone, it is whatever they may see that is new, wherever it was learned. Raises `UnknownPlace`.
        """
        await self._.access.require(Act.SEARCH, person, place)
        kind = await self._.access.kind(place)
        if kind is None and place.id != LOCAL:
            raise UnknownPlace(place.id)
        audience = await self._.access.audience(place, person)
        scopes = audience.scopes - {GUIDE} if kind in {None, PlaceKind.DIRECT} else {place.id}
        begin = since or datetime.now(UTC) - timedelta(days=7)
        return await self._.digests.of(place, begin, scopes=scopes, audience=audience)

    # --- upkeep, for whoever runs the twin

    async def resume(self) -> AsyncIterator[Receipt]:
        """Take up what was being learned when the twin last stopped."""
        await self._.linking.finish()
        async for receipt in self._knowledge.library.resume():
            yield receipt

    async def reindex(self, progress: Progress = lambda done, total: None) -> int:
        """Rebuild the index from the database; return how many passages it holds."""
        return await self._knowledge.indexing.reindex(progress=progress)

    async def optimize(self) -> None:
        """Build the index's graphs and reclaim what was deleted, in the index and the database, while searches go on."""
        try:
            await self._knowledge.index.optimize()
        finally:
            await self._.compact()

    async def mend(self) -> int:
        """Make the index equal to the database; return how many points were wrong."""
        return await self._knowledge.indexing.mend()

    # ---

    async def _sight(self, place: Place, person: Person) -> Audience | None:
        """Return what may be seen; whoever runs the twin sees all documents at their terminal."""
        if place.id == LOCAL and person.id == LOCAL:
            return None
        return await self._.access.audience(place, person)

    async def _conversation(self, id: str, place: Place, person: Person) -> str:
        """Return the conversation of a message, if the person may read it there; else it is as if there were none."""
        conversation, held_in, held_by = await self._.recall.held(id)
        mine = person.id in {held_by.id, LOCAL}
        if held_in != place or not (mine or await self._.access.may_read(held_in, person)):
            raise UnknownMessage()
        return conversation

    def _take(self, what: What, person: Person) -> None:
        if person.id != LOCAL:
            self._.rates.take(what, person.id)
