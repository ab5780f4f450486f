"""Files of Slack, fetched: only from Slack itself, no larger than allowed, and never a sign-in page in place of a file."""

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from adapters.slack.workspace import Failed, Workspace
from bot.chat import Refused, TryLater

HOST = "files.slack.com"
_TIMEOUT = aiohttp.ClientTimeout(total=600, sock_read=60)
_GONE = frozenset({"file_not_found", "file_deleted", "channel_not_found", "access_denied"})
_PAGE = re.compile(rb"\s*<!doctype html|\s*<html", re.IGNORECASE)
_KINDS = {
    "quip": "It is a canvas. I cannot read canvases yet: export it as a PDF and post that.",
    "canvas": "It is a canvas. I cannot read canvases yet: export it as a PDF and post that.",
    "list": "It is a list. I cannot read lists yet: export it as CSV and post that.",
}
NO_ACCESS = (
    "Slack showed me a sign-in page instead of the file: the app lacks the scope files:read, or may not see this file. "
    "`twin doctor` says which."
)


class Files:
    """Fetches files. `api_url` is where the Web API is: with another server than Slack's own, files come from there."""

    def __init__(self, session: aiohttp.ClientSession, api_url: str) -> None:
        self._session = session
        host = urlsplit(api_url).hostname or ""
        self._hosts = {HOST} if host == "slack.com" or host.endswith(".slack.com") else {host}

    async def fetch(self, workspace: Workspace, id: str, to: Path, limit: int) -> None:
        """Write a file to a path; raises `Refused`, with a sentence for whoever posted it, when that cannot be done."""
        try:
            about = (await workspace.call("files.info", file=id))["file"]
        except Failed as error:
            if error.code in _GONE:
                raise Refused("It is not there any more, or I may not see it.") from error
            raise
        if reason := unreadable(about, limit):
            raise Refused(reason)
        await self._download(workspace, about, to, limit)

    async def _download(self, workspace: Workspace, about: Mapping[str, Any], to: Path, limit: int) -> None:
        url = str(about.get("url_private_download") or about.get("url_private") or "")
        if urlsplit(url).hostname not in self._hosts:
            raise Refused("It is kept outside of Slack, where I do not fetch anything from.")
        headers = {"Authorization": f"Bearer {workspace.client.token}"}
        request = self._session.get(url, headers=headers, allow_redirects=False, timeout=_TIMEOUT)
        async with request as response:
            _check(response, about)
            with await asyncio.to_thread(to.open, "wb") as file:
                size, first = 0, b""
                async for piece in response.content.iter_chunked(1 << 16):
                    size += len(piece)
                    first = first or piece
                    if size > limit:
                        raise Refused(_too_large(limit))
                    await asyncio.to_thread(file.write, piece)
        if not _is_page(about) and _PAGE.match(first):
            raise Refused(NO_ACCESS)
        if (expected := about.get("size")) and size != expected:
            raise ConnectionError("a file came incomplete")


def unreadable(about: Mapping[str, Any], limit: int) -> str:
    """Say why a file is not even fetched, if it is not (pure)."""
    kind, mode = str(about.get("filetype") or ""), str(about.get("mode") or "")
    if reason := _KINDS.get(kind) or _KINDS.get(mode):
        return reason
    if str(about.get("subtype") or "") == "slack_audio" or str(about.get("mimetype") or "").startswith(("audio/", "video/")):
        return "It is a recording, and I cannot listen yet."
    if about.get("is_external") or mode == "external":
        return "It is kept outside of Slack, where I do not fetch anything from. Post the file itself."
    if mode == "tombstone":
        return "It was deleted."
    if mode == "hidden_by_limit":
        return "Slack hides it, since the workspace is over its limit."
    return _too_large(limit) if int(about.get("size") or 0) > limit else ""


def _check(response: aiohttp.ClientResponse, about: Mapping[str, Any]) -> None:
    if response.status == 429:
        raise TryLater("Slack asks for patience with files.", float(response.headers.get("Retry-After") or 1))
    if response.status >= 500:
        raise ConnectionError(f"Slack failed to give a file ({response.status})")
    if response.status != 200:
        raise Refused(NO_ACCESS if 300 <= response.status < 400 else "Slack does not give it to me: it may be gone.")
    if response.content_type == "text/html" and not _is_page(about):
        raise Refused(NO_ACCESS)


def _is_page(about: Mapping[str, Any]) -> bool:
    return str(about.get("mimetype") or "") == "text/html" or str(about.get("filetype") or "") in {"html", "htm"}


def _too_large(limit: int) -> str:
    return f"It is larger than {limit >> 20} MB, the limit set by TWIN_MAX_UPLOAD_MB."
