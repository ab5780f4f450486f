"""`twin people …` and `twin places …`: who may do what, and where chat is learned."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli import frame, shapes
from bot.cli.options import Json

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from bot.people.directory import Someone, Somewhere
    from bot.settings import Settings

app = typer.Typer()
people = typer.Typer(help="Who is known from chat platforms, and who may teach and configure.", no_args_is_help=True)
places = typer.Typer(help="Where the twin is on chat platforms, and where it learns what is said.", no_args_is_help=True)
app.add_typer(people, name="people")
app.add_typer(places, name="places")


class Granted(StrEnum):
    """What a person can be made."""

    OWNER = "owner"
    TEACHER = "teacher"


class Switch(StrEnum):
    """On or off."""

    ON = "on"
    OFF = "off"


AccountId = Annotated[
    str, typer.Argument(metavar="ACCOUNT", callback=frame.one_word, help="An account on a platform, e.g. slack:T1:U2.")
]
RoleName = Annotated[
    Granted, typer.Argument(metavar="owner|teacher", help="owner: configures and sees all figures; teacher: teaches everyone.")
]


@people.command("list", epilog="Example: `twin people list --json | jq '.people[] | select(.roles != [])'`")
def list_people(json: Json = False) -> None:
    """List the people whom chat platforms have told of, with their accounts and the roles that they were given."""

    async def command(settings: "Settings") -> int:
        from bot.people.directory import Directory

        async with _database(settings) as database:
            known = await Directory(database).people()
        if json:
            frame.show_json({"people": [shapes.someone(each) for each in known]})
        else:
            frame.show("\n".join(map(_person, known)) or "Nobody yet: no chat platform has told of anybody.")
        return frame.DONE

    frame.run(command)


@people.command(epilog="Example: `twin people grant slack:T1:U2 teacher`")
def grant(account: AccountId, role: RoleName) -> None:
    """Make a person an owner or a teacher of the workspace that their account is of.

    It counts from the next question on, also in a twin that is running, and for as long as they are a full member there.
    """

    async def command(settings: "Settings") -> int:
        from bot.chat import Person
        from bot.people.directory import Directory
        from bot.people.kinds import Role
        from bot.people.register import People

        async with _database(settings) as database:
            known = await Directory(database).account(account)
            await People(database).granted(Person(known.person), known.tenant, Role(role.value))
        article = "an" if role is Granted.OWNER else "a"
        frame.show(f"{account} is {article} {role.value} of {known.tenant} now.")
        return frame.DONE

    frame.run(command)


@people.command(epilog="Example: `twin people revoke slack:T1:U2 teacher`")
def revoke(account: AccountId, role: RoleName) -> None:
    """Take a role away that was granted to a person in the workspace that their account is of.

    It counts from the next question on, also in a twin that is running.
    """

    async def command(settings: "Settings") -> int:
        from bot.chat import Person
        from bot.people.directory import Directory
        from bot.people.kinds import Role
        from bot.people.register import People

        async with _database(settings) as database:
            known = await Directory(database).account(account)
            await People(database).revoked(Person(known.person), known.tenant, Role(role.value))
        frame.show(f"{account} is no {role.value} of {known.tenant} any more.")
        return frame.DONE

    frame.run(command)


@places.command("list", epilog="Example: `twin places list --json | jq '.places[] | select(.learns)'`")
def list_places(json: Json = False) -> None:
    """List the places that chat platforms have told of: what kind each is, and whether what is said there is learned."""

    async def command(settings: "Settings") -> int:
        from bot.people.directory import Directory

        async with _database(settings) as database:
            known = await Directory(database).places()
        if json:
            frame.show_json({"places": [shapes.somewhere(each) for each in known]})
        else:
            frame.show("\n".join(map(_place, known)) or "None yet: the twin is on no chat platform.")
        return frame.DONE

    frame.run(command)


@places.command(epilog="Example: `twin places learn slack:T1:C9 on`")
def learn(
    place: Annotated[str, typer.Argument(metavar="PLACE", callback=frame.one_word, help="A place, e.g. slack:T1:C9.")],
    switch: Annotated[Switch, typer.Argument(metavar="on|off", help="Whether messages are learned there.")],
) -> None:
    """Have the twin learn what is said in a place, or no longer. Without it no chat is learned anywhere.

    Tell the people there: each message is kept with its author, until it is edited or deleted. What was learned already stays.
    """

    async def command(settings: "Settings") -> int:
        from bot.people.register import People

        on = switch is Switch.ON
        async with _database(settings) as database:
            await People(database).learning(place, on)
        frame.show(
            f"What is said in {place} is learned from now on."
            if on
            else f"Nothing that is said in {place} is learned any more."
        )
        return frame.DONE

    frame.run(command)


@asynccontextmanager
async def _database(settings: "Settings") -> "AsyncIterator[AsyncEngine]":
    """Open the database alone: these commands must work while the twin runs, and it heeds them with its next question."""
    from bot.app import database_url
    from bot.db import open_database

    if settings.database_url is None:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    async with open_database(database_url(settings)) as database:
        yield database


def _person(person: "Someone") -> str:
    accounts = [f"  {each.id} ({each.kind}{'' if each.active else ', gone'})" for each in person.accounts]
    roles = [f"  {role} of {tenant}" for tenant, role in person.roles]
    return "\n".join([f"{person.name or person.id}", *accounts, *roles])


def _place(place: "Somewhere") -> str:
    remarks = [place.kind, f"{place.members} known in it"]
    remarks += ["learns what is said"] if place.learns else []
    remarks += ["closed"] if place.closed else []
    return f"{place.id}  {place.name} ({', '.join(remarks)})"
