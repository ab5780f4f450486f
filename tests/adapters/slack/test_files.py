"""Files come from Slack alone, whole and in time, or it is said why not."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from adapters.slack.files import HOST, Files
from adapters.slack.workspace import Workspace
from bot.chat import Refused, TryLater
from tests.adapters.slack.worlds import workspace_of
from tests.simulators.slack import Slack

LIMIT = 1_000


@pytest.fixture
async def slack() -> AsyncIterator[Slack]:
    async with Slack.open() as opened:
        yield opened


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture
def workspace(slack: Slack, session: aiohttp.ClientSession) -> Workspace:
    return workspace_of(slack, session)


async def test_a_file_is_fetched_byte_for_byte(
    slack: Slack, session: aiohttp.ClientSession, workspace: Workspace, tmp_path: Path
) -> None:
    file = slack.file("page.html", b"<!doctype html><p>hours", user="U1")
    await Files(session, slack.api_url).fetch(workspace, file.id, tmp_path / "file", LIMIT)
    assert (tmp_path / "file").read_bytes() == file.data


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"size": LIMIT + 1}, "larger than"),
        ({"mode": "external", "is_external": True}, "outside of Slack"),
        ({"filetype": "quip"}, "canvas"),
        ({"filetype": "list"}, "list"),
        ({"subtype": "slack_audio"}, "cannot listen"),
        ({"mimetype": "video/mp4"}, "cannot listen"),
        ({"mode": "tombstone"}, "deleted"),
        ({"url_private_download": "https://evil.example/x", "url_private": ""}, "outside of Slack"),
    ],
)
async def test_what_cannot_be_fetched_is_said_plainly(
    slack: Slack, session: aiohttp.ClientSession, workspace: Workspace, tmp_path: Path, overrides: dict[str, Any], said: str
) -> None:
    file = slack.file("a.pdf", b"%PDF-1.7", user="U1", **overrides)
    with pytest.raises(Refused, match=said):
        await Files(session, slack.api_url).fetch(workspace, file.id, tmp_path / "file", LIMIT)


async def test_a_sign_in_page_is_no_file(
    slack: Slack, session: aiohttp.ClientSession, workspace: Workspace, tmp_path: Path
) -> None:
    file = slack.file("a.pdf", b"%PDF-1.7", user="U1")
    workspace.client.token = "xoxb-1"  # noqa: S105
    files = Files(session, slack.api_url)
    slack.team.scopes = slack.team.scopes.replace(",files:read", "")
    with pytest.raises(Refused, match="files:read"):
        await files._download(workspace, file.about, tmp_path / "file", LIMIT)


async def test_more_than_was_promised_is_cut_off(
    slack: Slack, session: aiohttp.ClientSession, workspace: Workspace, tmp_path: Path
) -> None:
    file = slack.file("a.txt", b"x" * 5_000, user="U1", size=10)
    with pytest.raises(Refused, match="larger than"):
        await Files(session, slack.api_url).fetch(workspace, file.id, tmp_path / "file", LIMIT)


async def test_less_than_was_promised_is_tried_again(
    slack: Slack, session: aiohttp.ClientSession, workspace: Workspace, tmp_path: Path
) -> None:
    file = slack.file("a.txt", b"x" * 10, user="U1", size=500)
    with pytest.raises(ConnectionError):
        await Files(session, slack.api_url).fetch(workspace, file.id, tmp_path / "file", LIMIT)


@pytest.mark.parametrize(("fault", "error"), [(429, TryLater), (500, ConnectionError)])
async def test_trouble_is_no_reason_to_give_up(
    slack: Slack,
    session: aiohttp.ClientSession,
    workspace: Workspace,
    tmp_path: Path,
    fault: int,
    error: type[Exception],
) -> None:
    file = slack.file("a.txt", b"x" * 10, user="U1")
    slack.fault("files.download", fault)
    with pytest.raises(error):
        await Files(session, slack.api_url).fetch(workspace, file.id, tmp_path / "file", LIMIT)


async def test_a_file_that_is_gone_is_said_to_be(
    slack: Slack, session: aiohttp.ClientSession, workspace: Workspace, tmp_path: Path
) -> None:
    file = slack.file("a.txt", b"x", user="U1")
    file.deleted = True
    with pytest.raises(Refused, match="not there any more"):
        await Files(session, slack.api_url).fetch(workspace, file.id, tmp_path / "file", LIMIT)


def test_with_slack_itself_files_come_from_its_own_host(session: Any) -> None:
    assert Files(session, "https://slack.com/api/")._hosts == {HOST}
