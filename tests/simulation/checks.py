"""The invariants, looked at when everything has come to rest."""

import asyncio
import sqlite3
from collections.abc import Iterator
from dataclasses import replace

from bot.chat import Message
from bot.delivery.inbox import RECEIPT, REFUSAL, REPLY
from tests.simulation.minds import TOKEN
from tests.simulation.people import LEARNING, scope_of
from tests.simulation.platform import Post
from tests.simulation.rules import Rules
from tests.simulation.story import Canary, Written
from tests.simulation.world import World

_PATIENCE = 3600.0  # seconds that everything may take to come to rest
_ROUNDS = 50  # deliveries of what was not acknowledged


async def come_to_rest(world: World, rules: Rules) -> None:
    """End all trouble, deliver everything until it is acknowledged, and wait until nothing is left to do."""
    world.weather = replace(world.weather, model_fails=0.0, trouble=0.0, away=0.0, full=0.0)
    world.house.life.steps_left, world.house.life.full = None, 0.0
    world.platform.trouble = 0.0
    if not world.house.life.alive:
        await world.restart()
    await world.crowd.told(world.house.people, world.house.life.now())
    for written in world.story.written.values():
        for message in world.random.sample(written.versions, len(written.versions)):
            for _ in range(_ROUNDS):
                if message.event in written.acknowledged:
                    break
                await rules.acknowledged(message)
            else:
                world.complaints.append(f"{message.event} is never acknowledged")
    await rest(world)
    await world.restart()  # what was stopped between the database and the index, or the files, is mended at the start
    await rest(world)


async def rest(world: World) -> None:
    """Wait until nothing is left to do."""
    async with asyncio.timeout(_PATIENCE):
        while await world.house.jobs.unfinished():  # noqa: ASYNC110 - the world goes by while this looks
            await asyncio.sleep(1.0)
    await asyncio.sleep(60.0)  # and what nobody waits for


def complaints(world: World) -> Iterator[str]:
    """Yield what does not hold, now that the world is at rest."""
    yield from [*world.complaints, *world.house.life.surprises]
    with sqlite3.connect(world.folder / "twin.db") as database:
        for written in world.story.written.values():
            if not written.erased:
                yield from _kept(world, database, written)
        yield from _gone(world, database)
        chunks = {row[0] for row in database.execute("SELECT id FROM chunks")}
        if set(world.points) != chunks:
            yield f"the index differs: {set(world.points) ^ chunks}"
        yield from (
            f"a job came to nothing: {row}" for row in database.execute("SELECT * FROM simulated_jobs WHERE state LIKE 'lost%'")
        )
    database.close()
    for reply, _ in world.platform.whispers:
        asker = world.story.written[reply.place, reply.to].versions[0].account
        if reply.account != asker:
            yield f"{reply.account} hears what is for {asker}"


def _kept(world: World, database: sqlite3.Connection, written: Written) -> Iterator[str]:
    """Say what a message was owed and did not get."""
    message = written.latest
    name = f"{written.kind} {message.id} in {message.place}"
    posts = world.platform.visible(message.place, message.id)
    said = {what: [post for post in posts if post.reply.key.startswith(f"{what}/")] for what in (REPLY, RECEIPT, REFUSAL)}
    yield from (f"{name}: {post.reply.key} stays unfinished" for post in posts if not _settled(world, post))
    if any(f"{what}/{message.place}/{message.id}" in world.platform.refused for what in said):
        return
    if message.deleted:
        yield from (f"{name} is deleted, and {post.reply.key} still stands: {post.text}" for post in posts)
        return
    finals = said[REPLY] + said[REFUSAL]
    if len(finals) > 1:
        yield f"{name} has several answers: {[post.text for post in finals]}"
    if said[REFUSAL] or (written.kind == "chat" and not message.addressed):
        yield from _learned(world, database, written, name) if not said[REFUSAL] else ()
        return
    if written.kind == "file":
        if len(said[RECEIPT]) != 1:
            yield f"{name} has {len(said[RECEIPT])} receipts"
        elif "✅" in said[RECEIPT][0].text:
            yield from _learned(world, database, written, name)
    given_up = any("failed again and again" in post.text for post in said[RECEIPT])
    if not given_up and (written.kind != "file" or message.text.endswith("?")):
        yield from _answered(database, said[REPLY], message, name)


def _settled(world: World, post: Post) -> bool:
    return post.final or post.reply.key in world.platform.refused


def _answered(database: sqlite3.Connection, replies: list[Post], message: Message, name: str) -> Iterator[str]:
    if not replies:
        yield f"{name} has no answer"
        return
    post = replies[0]
    if post.answer is None:
        if "sorry" not in post.text:
            yield f"{name} is answered by no answer: {post.text}"
        return
    query = "SELECT asked.text FROM messages AS asked JOIN messages AS said ON said.answers = asked.id WHERE said.id = ?"
    asked = database.execute(query, (post.answer,)).fetchone()
    if asked is None or asked[0] != message.text:
        yield f"{name}: what is answered is {asked}, and not {message.text!r}"


def _learned(world: World, database: sqlite3.Connection, written: Written, name: str) -> Iterator[str]:
    """Say which canaries of a message cannot be found in its scope."""
    learns = written.kind == "file" or written.latest.place in LEARNING
    owed = [canary for canary in written.canaries if canary.subject and not canary.unsure] if learns else []
    scope = scope_of(written.latest.place, written.versions[0].account)
    query = (
        "SELECT count(*) FROM chunks JOIN document_versions AS v ON v.id = chunks.version_id"
        " JOIN document_scopes AS s ON s.document_id = v.document_id"
        " WHERE v.state = 'ready' AND s.scope = ? AND instr(chunks.text, ?)"
    )
    for canary in owed:
        if not database.execute(query, (scope, canary.word)).fetchone()[0]:
            yield f"{name}: {canary.word} of {canary.subject} is not found in {scope}"


def _gone(world: World, database: sqlite3.Connection) -> Iterator[str]:
    """Say where something stands that should be gone."""
    dead = set(_dead(world))
    standing = {canary.word for one in world.story.written.values() if not one.gone for canary in one.canaries}
    tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    for table in tables:
        for row in database.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 - a table has no other name
            for word in dead.intersection(TOKEN.findall(str(row))):
                if table == "posts" and word in standing:  # a document was forgotten: the message it was made of still stands
                    continue
                yield f"{word} stands in {table}: {row}"
    files = {path.name for path in (world.folder / "files").glob("??/*")}
    if unknown := files - {row[0] for row in database.execute("SELECT sha256 FROM files")}:
        yield f"files that nobody knows: {unknown}"


def _dead(world: World) -> Iterator[str]:
    undone: list[Canary] = [
        canary for written in world.story.written.values() for dying in written.dying.values() for canary in dying
    ]
    yield from (canary.word for canary in undone)
    yield from (canary.word for canary in world.story.canaries.values() if canary.dead is not None)
