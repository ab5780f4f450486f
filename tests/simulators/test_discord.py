"""The simulated Discord refuses what Discord refuses, and complains of what its types do not know."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from tests.simulators.discord import Discord
from tests.simulators.discord.schemas import check_dispatch

QUIET: dict[str, Any] = {"allowed_mentions": {"parse": []}}


@pytest.fixture
async def discord() -> AsyncIterator[Discord]:
    async with Discord.open() as opened:
        opened.user(101, "Ada")
        opened.guild(10, members=[101])
        opened.channel(20, "general", guild=10)
        yield opened


async def call(discord: Discord, method: str, path: str, body: object = None, token: str | None = None) -> tuple[int, Any]:
    headers = {"Authorization": f"Bot {token or discord.token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.request(method, f"{discord.api_url}{path}", json=body) as response,
    ):
        return response.status, await response.json() if response.status != 204 else None


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"content": "x" * 2_001}, 50035),
        ({"content": " "}, 50006),
        ({"content": "x", "components": [{"type": 1, "components": []}]}, 50035),
        (
            {"content": "x", "components": [{"type": 1, "components": [{"type": 2, "style": 2, "custom_id": "a" * 101}]}]},
            50035,
        ),
        ({"content": "x", "message_reference": {"message_id": "5", "channel_id": "20"}}, 50035),
    ],
)
async def test_what_discord_refuses_to_post_is_refused(discord: Discord, body: dict[str, Any], code: int) -> None:
    status, said = await call(discord, "POST", "/channels/20/messages", QUIET | body)
    assert (status, said["code"]) == (400, code)
    discord.rest.errors.clear()  # where the OpenAPI document is at hand, it complains too


async def test_a_token_that_is_wrong_is_refused_and_counted(discord: Discord) -> None:
    status, _ = await call(discord, "GET", "/users/@me", token="x.y.z")  # noqa: S106 - it opens nothing
    assert (status, discord.rest.invalid) == (401, 1)


async def test_the_same_nonce_is_one_message(discord: Discord) -> None:
    body = QUIET | {"content": "once", "nonce": "n1", "enforce_nonce": True}
    _, first = await call(discord, "POST", "/channels/20/messages", body)
    _, second = await call(discord, "POST", "/channels/20/messages", body)
    assert first["id"] == second["id"]
    assert len(discord.said(20)) == 1


async def test_a_command_is_answered_in_time_and_once_or_not_at_all(discord: Discord) -> None:
    discord.commands = [{"id": "1", "name": "twin", "type": 1, "options": [{"type": 1, "name": "help"}]}]
    made = await discord.command(20, 101, "help")
    token = next(iter(discord.interactions))
    late = {"type": 5, "data": {"flags": 64}}
    discord.patience = 0.0
    assert (await call(discord, "POST", f"/interactions/1/{token}/callback", late))[1]["code"] == 10062
    discord.patience = 3.0
    assert (await call(discord, "POST", f"/interactions/1/{token}/callback", late))[0] == 200
    assert (await call(discord, "POST", f"/interactions/1/{token}/callback", late))[1]["code"] == 40060
    made.expired = True
    assert (await call(discord, "PATCH", f"/webhooks/900/{token}/messages/@original", QUIET | {"content": "x"}))[0] == 404


async def test_nobody_edits_what_others_said(discord: Discord) -> None:
    said = await discord.say(20, 101, "mine")
    status, _ = await call(discord, "PATCH", f"/channels/20/messages/{said.id}", QUIET | {"content": "yours"})
    assert status == 403


async def test_a_call_that_is_not_simulated_is_complained_of(discord: Discord) -> None:
    await call(discord, "GET", "/guilds/10/bans")
    assert discord.errors
    discord.rest.errors.clear()


def test_a_dispatch_that_discord_would_not_make_is_complained_of() -> None:
    with pytest.raises(Exception, match="is a required property"):
        check_dispatch("MESSAGE_CREATE", {"id": "1", "content": "no author"})
