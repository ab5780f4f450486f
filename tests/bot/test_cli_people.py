"""The commands of whoever runs the twin, on a real database: who may do what, and where chat is learned."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from bot import app, db, lock
from bot.access import Access
from bot.chat import Person, Place
from bot.people.kinds import Kind, PlaceKind, Role
from bot.people.register import People
from bot.settings import Settings
from tests.bot.cli_fakes import lines, run

pytestmark = pytest.mark.usefixtures("log_as_before")

ADA, CHANNEL = "slack:T1:U1", "slack:T1:C9"


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    monkeypatch.setenv("TWIN_DATA_DIR", str(tmp_path / "data"))
    return Settings()


@pytest.fixture
def told(settings: Settings) -> Settings:
    """A platform has told of two accounts and a channel."""

    async def tell(people: People, _access: Access) -> None:
        await people.met(ADA, tenant="slack:T1", kind=Kind.MEMBER, name="Ada")
        await people.met("slack:T1:U2", tenant="slack:T1", kind=Kind.GUEST, name="Bob")
        await people.gone("slack:T1:U2")
        await people.placed(CHANNEL, tenant="slack:T1", kind=PlaceKind.PUBLIC, name="general")
        await people.members(CHANNEL, [ADA])

    within(settings, tell)
    return settings


def within(settings: Settings, what: Callable[[People, Access], Awaitable[None]]) -> None:
    async def run_it() -> None:
        settings.data_dir.mkdir(exist_ok=True)
        async with db.open_database(app.database_url(settings)) as database:
            await what(People(database), Access(database))

    asyncio.run(run_it())


@pytest.mark.usefixtures("settings")
def test_before_any_platform_is_connected_nobody_is_known() -> None:
    assert run("people", "list").stdout == "Nobody yet: no chat platform has told of anybody.\n"
    assert run("places", "list").stdout == "None yet: the twin is on no chat platform.\n"
    assert lines(run("people", "list", "--json")) == [{"people": []}]


@pytest.mark.usefixtures("told")
def test_people_are_listed_with_accounts_and_roles() -> None:
    run("people", "grant", ADA, "teacher")
    assert run("people", "list").stdout.splitlines() == [
        "Ada",
        "  slack:T1:U1 (member)",
        "  teacher of slack:T1",
        "Bob",
        "  slack:T1:U2 (guest, gone)",
    ]
    [shape] = lines(run("people", "list", "--json"))
    assert shape["people"][0] == {
        "id": ADA,
        "name": "Ada",
        "accounts": [{"id": ADA, "person": ADA, "tenant": "slack:T1", "kind": "member", "active": True}],
        "roles": [{"tenant": "slack:T1", "role": "teacher"}],
    }


def test_a_role_is_granted_and_revoked(told: Settings) -> None:
    roles: list[Role] = []

    async def look(_people: People, access: Access) -> None:
        roles.append(await access.role(Person(ADA), Place(CHANNEL)))

    for command, said in (
        ("grant", f"{ADA} is an owner of slack:T1 now.\n"),
        ("revoke", f"{ADA} is no owner of slack:T1 any more.\n"),
    ):
        assert run("people", command, ADA, "owner").stdout == said
        within(told, look)
    assert roles == [Role.OWNER, Role.MEMBER]


@pytest.mark.usefixtures("told")
def test_an_account_that_nobody_told_of_is_a_failure_in_a_sentence() -> None:
    result = run("people", "grant", "slack:T1:U9", "owner")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "I do not know the account 'slack:T1:U9' yet. Say something to me from it first.\n"
    assert run("people", "grant", ADA, "king").exit_code == 2


@pytest.mark.usefixtures("told")
def test_chat_is_learned_where_it_was_switched_on() -> None:
    assert run("places", "list").stdout == f"{CHANNEL}  general (public, 1 known in it)\n"
    assert run("places", "learn", CHANNEL, "on").stdout == f"What is said in {CHANNEL} is learned from now on.\n"
    assert run("places", "list").stdout == f"{CHANNEL}  general (public, 1 known in it, learns what is said)\n"
    [shape] = lines(run("places", "list", "--json"))
    place = {"id": CHANNEL, "name": "general", "tenant": "slack:T1", "kind": "public", "learns": True, "closed": False}
    assert shape == {"places": [place | {"members": 1}]}
    assert run("places", "learn", CHANNEL, "off").stdout.startswith("Nothing that is said in")
    assert run("places", "learn", "slack:T1:C1", "on").exit_code == 1


def test_these_commands_work_while_the_twin_runs(told: Settings) -> None:
    with lock.hold(told.data_dir):
        assert run("people", "grant", ADA, "teacher").exit_code == 0
        assert run("ask", "Who are you?").exit_code == 3
