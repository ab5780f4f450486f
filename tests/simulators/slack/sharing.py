"""Files: what the app asks about them, downloads and uploads."""

import mimetypes
from typing import Any

from aiohttp import web

from tests.simulators.slack.state import Channel, File, Message, Refusal, Team, User
from tests.simulators.slack.streaming import Streaming

SIGN_IN = "<!DOCTYPE html><html><head><title>Sign in | Slack</title></head><body>Sign in to your workspace</body></html>"


class Sharing(Streaming):
    """files.*, and the addresses that the bytes come from and go to."""

    def __init__(self) -> None:
        super().__init__()
        self.url = ""
        self.files: dict[str, File] = {}
        self.users: dict[str, User] = {}
        self._uploads: dict[str, File] = {}
        self.methods |= {
            "files.info": self._file,
            "files.getUploadURLExternal": self._upload_url,
            "files.completeUploadExternal": self._uploaded,
        }

    def new_id(self, kind: str) -> str:
        """Return an id that nothing else has."""
        raise NotImplementedError

    def file(self, name: str, data: bytes, user: str, **overrides: Any) -> File:
        """Make a file, to be shared with a message."""
        id = self.new_id("F")
        link = f"{self.url}/files/{id}/{name}"
        about: dict[str, Any] = {
            "id": id,
            "name": name,
            "title": name,
            "mimetype": mimetypes.guess_type(name)[0] or "application/octet-stream",
            "filetype": name.rpartition(".")[2],
            "user": user,
            "size": len(data),
            "mode": "hosted",
            "url_private": link,
            "url_private_download": link,
            "created": 1,
            "is_external": False,
        }
        team = self.users[user].team if user in self.users else "T1"
        self.files[id] = File(id, name, data, user, about | overrides, team)
        return self.files[id]

    def share(self, channel: Channel, message: Message, file: File) -> None:
        """Have a message carry a file."""
        message.files.append(file.about)
        if channel.id not in file.channels:
            file.channels.append(channel.id)

    async def _file(self, team: Team, given: dict[str, Any]) -> dict[str, Any]:
        file = self.files.get(given["file"])
        if file is None or not self._reachable(team, file):
            raise Refusal("file_not_found")
        if file.deleted:
            raise Refusal("file_deleted")
        return {"file": file.about | {"file_access": "visible", "channels": file.channels}}

    def _reachable(self, team: Team, file: File) -> bool:
        shared = any(self.channels[id].team == team.id for id in file.channels if id in self.channels)
        return shared or file.team == team.id

    async def download(self, request: web.Request) -> web.StreamResponse:
        """Serve the bytes of a file to an app that may have them, and a sign-in page to everyone else."""
        file = self.files.get(request.match_info["id"])
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        allowed = [t for t in self.teams.values() if t.token == token and t.installed and "files:read" in t.scopes.split(",")]
        if not allowed or (file is not None and not self._reachable(allowed[0], file)):
            return web.Response(text=SIGN_IN, content_type="text/html")
        if file is None or file.deleted:
            return web.Response(status=404, text="not found")
        fault = self._faults["files.download"].popleft() if self._faults.get("files.download") else None
        if fault is not None and (failed := await self._failed(request, fault)) is not None:
            return failed
        return web.Response(body=file.data, content_type=str(file.about["mimetype"]))

    # --- uploads

    async def _upload_url(self, team: Team, given: dict[str, Any]) -> dict[str, Any]:
        file = self.file(given["filename"], b"", team.bot_user, size=given["length"])
        self._uploads[file.id] = self.files.pop(file.id)
        return {"upload_url": f"{self.url}/upload/{file.id}", "file_id": file.id}

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """Take the bytes of a file."""
        file = self._uploads[request.match_info["id"]]
        if request.content_type.startswith("multipart/"):
            [part] = [part async for part in await request.multipart()]
            file.data = await part.read()  # type: ignore[union-attr]
        else:
            file.data = await request.read()
        if len(file.data) != file.about["size"]:
            return web.Response(status=400, text="wrong length")
        return web.Response(text=f"OK - {len(file.data)}")

    async def _uploaded(self, team: Team, given: dict[str, Any]) -> dict[str, Any]:
        ids = [one["id"] for one in given["files"]]
        if any(id not in self._uploads for id in ids):
            raise Refusal("file_not_found")
        channel = self.channel_of(team, given["channel_id"]) if "channel_id" in given else None
        for id in ids:
            self.files[id] = self._uploads.pop(id)
        if channel is not None:
            said = {"text": given.get("initial_comment"), "thread_ts": given.get("thread_ts")}
            message = self.new_message(team, channel, said)
            for id in ids:
                self.share(channel, message, self.files[id])
            await self._said(channel, message, team)
        return {"files": [self.files[id].about for id in ids]}
