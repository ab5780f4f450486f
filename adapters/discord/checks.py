"""What is wrong with the connection to Discord, and how to mend it."""

import discord

from adapters.common.findings import Finding
from adapters.discord import calls
from adapters.discord.calls import Failed, Unsure, calling
from adapters.discord.mode import PERMISSIONS, Mode, invitation
from bot.chat import TryLater

_APPS = "https://discord.com/developers/applications"
_NETWORK = "Check the network, the proxy (HTTPS_PROXY) and DISCORD_API_URL."
_LISTED = 5
_WANTED = discord.Permissions(PERMISSIONS)


async def examine(mode: Mode) -> list[Finding]:
    """Try everything that can be tried without a trace in Discord."""
    calls.point_at(mode)
    try:
        async with calls.open_client(mode) as client:
            return [_who(client), _intent(client), *await _guilds(client)]
    except discord.LoginFailure:
        return [
            Finding("discord", False, "Discord does not accept DISCORD_TOKEN", f"Copy a new one: {_APPS} › Bot › Reset Token.")
        ]
    except (Failed, TryLater, Unsure) as error:
        return [Finding("discord", False, str(error), _NETWORK)]


async def application_of(mode: Mode) -> int:
    """Return the id of the app that a token belongs to; raises `discord.LoginFailure`, `Failed` and `Unsure`."""
    calls.point_at(mode)
    async with calls.open_client(mode) as client:
        return client.application_id or 0


def _who(client: discord.Client) -> Finding:
    return Finding("discord", True, f"connects as {client.user}")


def _intent(client: discord.Client) -> Finding:
    flags = client.application.flags if client.application else discord.ApplicationFlags()
    if flags.gateway_message_content or flags.gateway_message_content_limited:
        return Finding("discord intents", True, "Message Content is on: it may learn from channels where that is switched on")
    said = "Message Content is off: it answers where it is spoken to, and cannot learn from channels"
    return Finding(
        "discord intents", False, said, f"{_APPS} › Bot › Privileged Gateway Intents, if you want that.", needed=False
    )


async def _guilds(client: discord.Client) -> list[Finding]:
    found = list[Finding]()
    with calling():
        async for guild in client.fetch_guilds(limit=100, with_counts=False):
            found.append(await _guild(client, guild.id, guild.name))
    address = invitation(client.application_id or 0)
    return found or [Finding("discord servers", False, "it is in none yet", f"Open {address}", needed=False)]


async def _guild(client: discord.Client, id: int, name: str) -> Finding:
    """Say in which channels of a server the twin lacks what it needs."""
    with calling():
        guild = await client.fetch_guild(id, with_counts=False)
        me = await guild.fetch_member(client.user.id if client.user else 0)
        channels = [one for one in await guild.fetch_channels() if not isinstance(one, discord.CategoryChannel)]
    lacking = dict[str, list[str]]()
    for channel in channels:
        has = channel.permissions_for(me)
        if has.view_channel and (missing := [one for one, on in _WANTED if on and not getattr(has, one)]):
            lacking[channel.name] = missing
    seen = sum(channel.permissions_for(me).view_channel for channel in channels)
    what = f"discord server {name}"
    if not lacking:
        return Finding(what, True, f"it sees {seen} of {len(channels)} channels, and may do what it needs there")
    told = "; ".join(f"#{one}: {', '.join(missing)}" for one, missing in list(lacking.items())[:_LISTED])
    more = f" and {len(lacking) - _LISTED} more" if len(lacking) > _LISTED else ""
    return Finding(
        what, False, f"it lacks permissions in {told}{more}", "Give them to its role, or invite it anew.", needed=False
    )
