"""Files of Discord, fetched: from Discord alone, no larger than allowed, by an address that is asked for anew."""

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import discord

from adapters.discord.calls import Failed, Unsure, calling
from adapters.discord.mode import CDN, Mode
from bot.chat import Refused, TryLater

_TIMEOUT = aiohttp.ClientTimeout(total=600, sock_read=60)
_CHUNK = 1 << 16


class Files:
    """Fetches files by the message that they are attached to."""

    def __init__(self, client: discord.Client, session: aiohttp.ClientSession, mode: Mode) -> None:
        self._client = client
        self._session = session
        self._hosts = {urlsplit(mode.api_url).netloc} if mode.own_server else set(CDN)
        self._scheme = urlsplit(mode.api_url).scheme

    async def fetch(self, id: str, to: Path, limit: int) -> None:
        """Download a file; raises `Refused` when it is gone, too large, or not at Discord."""
        channel, message, attachment = (int(part) for part in id.split("-"))
        try:
            with calling():
                said = await self._client.get_partial_messageable(channel).fetch_message(message)
        except Failed as error:
            raise Refused("The message that brought this file is gone, or I may not read it any more.") from error
        found = next((one for one in said.attachments if one.id == attachment), None)
        if found is None:
            raise Refused("This file is not attached to its message any more.")
        if found.is_voice_message():
            raise Refused("This is a voice message, and I cannot listen yet. Please write it, or attach a document.")
        if found.size > limit:
            raise Refused(f"This file has {found.size / 1e6:,.0f} MB; I read up to {limit / 1e6:,.0f}.")
        await self._download(found.url, to, limit)

    async def _download(self, url: str, to: Path, limit: int) -> None:
        address = urlsplit(url)
        if address.scheme != self._scheme or address.netloc not in self._hosts:
            raise Refused("This file is not at Discord.")
        try:
            async with self._session.get(url, allow_redirects=False, timeout=_TIMEOUT) as response:
                _check(response)
                await self._kept(response, to, limit)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unsure(f"The file could not be fetched ({type(error).__name__}).") from error

    async def _kept(self, response: aiohttp.ClientResponse, to: Path, limit: int) -> None:
        size = 0
        with to.open("wb") as file:
            async for chunk in response.content.iter_chunked(_CHUNK):
                size += len(chunk)
                if size > limit:
                    raise Refused(f"This file is larger than the {limit / 1e6:,.0f} MB that I read.")
                await asyncio.to_thread(file.write, chunk)


def _check(response: aiohttp.ClientResponse) -> None:
    if response.status == 429:
        raise TryLater("Discord asks for patience with a file.", float(response.headers.get("Retry-After", 5)))
    if response.status >= 500:
        raise Unsure(f"Discord answered {response.status} to the request for a file.")
    if response.status != 200:
        raise Refused(f"Discord does not give this file out (it answered {response.status}).")
