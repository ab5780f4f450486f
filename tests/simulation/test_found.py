"""What worlds have found, told step by step: a twin under a platform that does nothing unforeseen."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from pathlib import Path

from bot.chat import Message, Person
from bot.delivery.inbox import RECEIPT, REPLY
from tests.simulation.checks import rest
from tests.simulation.driver import Database
from tests.simulation.house import Weather
from tests.simulation.life import run
from tests.simulation.people import CLOSED, MEMBERS, OTHER
from tests.simulation.world import World
from tests.simulators.platform import said

ADA = MEMBERS[1]
CALM = Weather("none", 0.0, 0.0, 0.0, 0.0, 0.01)


def in_a_calm_world(database: Database, template: Path, folder: Path, story: Callable[[World], Awaitable[None]]) -> None:
    """Let a story happen."""

    async def life() -> None:
        world = World(1, database, folder, template)
        world.weather, world.platform.trouble = CALM, 0.0
        await world.begin()
        await story(world)
        await world.house.life.bury()

    run(life)


def shown(world: World, message: Message, what: str) -> list[str]:
    posts = world.platform.visible(message.place, message.id)
    return [post.text for post in posts if post.final and post.reply.key.startswith(what)]


def upload(world: World, text: str, name: str, content: str, at: int) -> Message:
    world.platform.files[name] = content.encode()
    return said(text, "m", place=CLOSED, account=ADA, files=(name,), at=at)


def test_a_file_that_an_edit_brings_in_the_place_of_another_is_learned_too(
    database: Database, template: Path, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        for at, name in enumerate(("first.txt", "second.txt")):
            message = upload(world, "", name, f"The content of {name} is {at}.", at)
            await world.house.desk.receive(message)
            await rest(world)
            [receipt] = shown(world, message, RECEIPT)
            assert name in receipt
        assert {point.document for point in world.points.values()} == {
            document.id for document in await world.house.knowledge.catalogue.in_scope(CLOSED)
        }
        assert len(world.points) == 1

    in_a_calm_world(database, template, tmp_path, story)


def test_a_question_that_cannot_be_answered_does_not_take_back_that_its_file_was_learned(
    database: Database, template: Path, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        async def fails(*_arguments: object, **_named: object) -> None:
            raise RuntimeError("nobody thought of this")

        world.house.knowledge.retrieval.search = fails  # type: ignore[method-assign, assignment]
        message = upload(world, "What is the walrus code?", "walrus.txt", "The walrus code is nine.", 0)
        await world.house.desk.receive(message)
        await rest(world)
        assert "Learned" in shown(world, message, RECEIPT)[0]
        assert "sorry" in shown(world, message, REPLY)[0]

    in_a_calm_world(database, template, tmp_path, story)


def test_an_edited_question_is_answered_without_what_it_asked_before(
    database: Database, template: Path, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        question = said("What is the walrus code?", "m", place=CLOSED, account=ADA)
        await world.house.desk.receive(question)
        await rest(world)
        await world.house.desk.receive(replace(said("And since when?", "m", place=CLOSED, account=ADA, at=1), event="edit"))
        await rest(world)
        [(conversation, place, _)] = await world.house.twin.conversations(person=Person(ADA))
        assert place == CLOSED
        recorded = await world.house.recall.conversation(conversation, visible=_all)
        assert [(one.text, one.query) for one in recorded if one.role == "user"] == [("And since when?", "And since when?")]

    in_a_calm_world(database, template, tmp_path, story)


def test_what_is_being_learned_while_its_author_has_everything_forgotten_is_not_kept(
    database: Database, template: Path, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        chat = said("The walrus code is nine.", "m", place=OTHER, account=ADA, addressed=False)
        await world.house.desk.receive(chat)
        while not world.points:  # noqa: ASYNC110 - until it is in the index, and not in the database yet
            await asyncio.sleep(0.001)
        await world.house.twin.forget_me(person=Person(ADA))
        await rest(world)
        assert await world.house.knowledge.catalogue.in_scope(OTHER) == []

    in_a_calm_world(database, template, tmp_path, story)


async def _all(documents: Iterable[str]) -> set[str]:
    return set(documents)
