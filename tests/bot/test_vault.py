"""Secrets are unreadable in the database, open with their key alone, and move on to a new key."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.db import open_database
from bot.errors import BadSettings
from bot.tables import SECRETS
from bot.vault import Vault

KEY, NEWER = "a key that is long", "another key that is long"


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    async with open_database(f"sqlite+aiosqlite:///{tmp_path / 'twin.db'}") as opened:
        yield opened


async def sealed(engine: AsyncEngine, name: str) -> bytes:
    async with engine.connect() as connection:
        return bytes((await connection.execute(select(SECRETS.c.sealed).where(SECRETS.c.name == name))).scalar_one())


async def test_a_secret_comes_back_and_the_latest_counts(engine: AsyncEngine) -> None:
    vault = Vault(engine, KEY)
    await vault.put("slack/T1", {"token": "xoxb-1"})
    await vault.put("slack/T1", {"token": "xoxb-2", "n": 2})
    assert await Vault(engine, KEY).get("slack/T1") == {"token": "xoxb-2", "n": 2}
    assert await vault.get("slack/T2") is None


async def test_what_is_stored_shows_nothing_of_the_secret(engine: AsyncEngine) -> None:
    await Vault(engine, KEY).put("slack/T1", {"token": "xoxb-hush"})
    assert b"hush" not in await sealed(engine, "slack/T1")


async def test_names_are_found_by_how_they_begin_whatever_is_in_them(engine: AsyncEngine) -> None:
    vault = Vault(engine, KEY)
    for name in ("b%/2", "b%/1", "bb/3", "c"):
        await vault.put(name, {})
    assert await vault.names("b%/") == ["b%/1", "b%/2"]


async def test_a_secret_is_deleted_once_however_many_ask(engine: AsyncEngine) -> None:
    vault = Vault(engine, KEY)
    await vault.put("state", {})
    assert sorted(await asyncio.gather(*(vault.delete("state") for _ in range(4)))) == [False, False, False, True]
    assert await vault.get("state") is None


async def test_a_wrong_key_is_said_to_be_one_and_what_to_do(engine: AsyncEngine) -> None:
    await Vault(engine, KEY).put("slack/T1", {"token": "xoxb-1"})
    with pytest.raises(BadSettings, match=r"TWIN_SECRET_KEY is not the key .* Put the earlier key behind the new one"):
        await Vault(engine, NEWER).get("slack/T1")


async def test_without_a_key_nothing_is_kept(engine: AsyncEngine) -> None:
    vault = Vault(engine, None)
    assert not await vault.sealed()
    with pytest.raises(BadSettings, match="TWIN_SECRET_KEY is missing"):
        await vault.put("slack/T1", {"token": "xoxb-1"})
    assert await vault.names("") == []


async def test_a_new_key_before_the_old_one_takes_over(engine: AsyncEngine) -> None:
    await Vault(engine, KEY).put("slack/T1", {"token": "xoxb-1"})
    both = Vault(engine, f"{NEWER}, {KEY}")
    await both.put("slack/T2", {"token": "xoxb-2"})
    assert await both.get("slack/T1") == {"token": "xoxb-1"}
    await both.renew()
    alone = Vault(engine, NEWER)
    assert [await alone.get(name) for name in ("slack/T1", "slack/T2")] == [{"token": "xoxb-1"}, {"token": "xoxb-2"}]


async def test_a_new_key_before_a_wrong_one_changes_nothing(engine: AsyncEngine) -> None:
    await Vault(engine, KEY).put("slack/T1", {"token": "xoxb-1"})
    with pytest.raises(BadSettings, match="TWIN_SECRET_KEY is not the key"):
        await Vault(engine, f"{NEWER},a key that is wrong").renew()
    assert await Vault(engine, KEY).get("slack/T1") == {"token": "xoxb-1"}
