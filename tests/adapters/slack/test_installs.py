"""Workspaces that install the app by themselves: begun here, finished once, kept encrypted, refused with a reason."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from slack_sdk.oauth.installation_store import Installation

from adapters.slack.installs import Installs, NotSupported, States, routes
from adapters.slack.manifest import scopes
from adapters.slack.mode import Mode
from adapters.slack.workspace import client
from bot.db import open_database
from bot.vault import Vault
from tests.simulators.slack import Slack

pytestmark = pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning")  # slack_sdk still uses it

Browser = TestClient[web.Request, web.Application]
SECRET, OTHER, ANEW = "xapp-hush", "xoxb-3", "xoxb-anew"


@pytest.fixture
async def vault(tmp_path: Path) -> AsyncIterator[Vault]:
    async with open_database(f"sqlite+aiosqlite:///{tmp_path / 'twin.db'}") as engine:
        yield Vault(engine, "a key that is long")


def given(**more: Any) -> Installation:
    return Installation(**{"team_id": "T2", "user_id": "U1", "bot_token": "xoxb-2", **more})


async def test_what_a_workspace_gave_is_kept_until_it_takes_it_back(vault: Vault) -> None:
    installs = Installs(vault, ["*"])
    await installs.async_save(given())
    await installs.async_save(given(team_id="T3", enterprise_id="E1", bot_token=OTHER))
    await installs.async_save(given(bot_token=ANEW))
    assert (await installs.teams(), await installs.token("T2"), await installs.token("T3")) == (
        ["T2", "T3"],
        "xoxb-anew",
        "xoxb-3",
    )
    await installs.async_delete_all(enterprise_id=None, team_id="T2")
    assert (await installs.teams(), await installs.token("T2")) == (["T3"], None)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"is_enterprise_install": True, "team_id": None, "enterprise_id": "E1"}, "not in a whole organisation"),
        ({"bot_refresh_token": "xoxe-1", "bot_token_expires_in": 43_200}, "token rotation is on"),
        ({"bot_token": None}, "no bot token"),
        ({"team_id": "T9"}, "may not install"),
    ],
)
async def test_what_cannot_be_worked_with_is_refused_with_a_reason(vault: Vault, more: dict[str, object], reason: str) -> None:
    with pytest.raises(NotSupported, match=reason):
        await Installs(vault, ["T2", "T3"]).async_save(given(**more))
    assert await Installs(vault).teams() == []


async def test_an_installation_can_be_finished_once_and_only_one_that_was_begun_here(vault: Vault) -> None:
    states = States(vault)
    state = await states.async_issue()
    assert [await states.async_consume(state), await states.async_consume(state)] == [True, False]
    assert not await states.async_consume("9999999999.made-up")


async def test_an_installation_that_takes_too_long_is_over_and_leaves_nothing(vault: Vault) -> None:
    now = 1_000_000.0
    states = States(vault, clock=lambda: now)
    state, forgotten = await states.async_issue(), await states.async_issue()
    now += 601
    assert not await states.async_consume(state)
    assert await states.async_issue() != forgotten
    assert len(await vault.names("slack/state/")) == 1


# --- the pages


MODE = Mode(
    client_id="1.2",
    client_secret=SECRET,
    public_url="https://twin.example.com",
    app_token=SECRET,
    teams=("T2",),
    secret_key=True,
)


class Site:
    """The pages, as somebody sees them in their browser; `installed` are the workspaces that were told of."""

    def __init__(self, slack: Slack, browser: Browser, installed: list[str]) -> None:
        self.slack = slack
        self.browser = browser
        self.installed = installed
        self.cookie = ""

    async def begin(self) -> dict[str, str]:
        """Open the page that begins an installation; return what it asks Slack for."""
        async with self.browser.get("/slack/install", allow_redirects=False) as page:
            self.cookie = page.headers["Set-Cookie"].partition(";")[0]
            asked = urlsplit(page.headers["Location"])
        assert (page.status, f"{asked.scheme}://{asked.netloc}{asked.path}") == (302, "https://slack.com/oauth/v2/authorize")
        return {name: values[0] for name, values in parse_qs(asked.query).items()}

    async def finish(self, **arguments: str) -> tuple[int, str]:
        """Come back from Slack; return the status and what the page says."""
        headers = {"Cookie": self.cookie} if self.cookie else {}
        async with self.browser.get("/slack/oauth_redirect", params=arguments, headers=headers) as page:
            assert page.headers["Referrer-Policy"] == "no-referrer"
            return page.status, await page.text()


@pytest.fixture
async def site(vault: Vault) -> AsyncIterator[Site]:
    installed: list[str] = []

    async def told(team: str) -> None:
        installed.append(team)

    async with Slack.open() as slack, aiohttp.ClientSession() as session:
        slack.codes["code"] = slack.add_team("T2", "xoxb-2", name="<b>Globex")
        app = web.Application()
        app.add_routes(routes(MODE, vault, client("", api_url=slack.api_url, session=session), told))
        async with TestClient(TestServer(app)) as browser:
            yield Site(slack, browser, installed)


async def test_a_workspace_is_asked_for_what_the_manifest_names_and_is_in_when_it_comes_back(site: Site, vault: Vault) -> None:
    asked = await site.begin()
    assert asked["scope"].split(",") == scopes()
    assert asked["redirect_uri"] == "https://twin.example.com/slack/oauth_redirect"
    status, page = await site.finish(code="code", state=asked["state"])
    assert (status, "Twin is installed in &lt;b&gt;Globex." in page) == (200, True)
    assert (site.installed, await Installs(vault).token("T2")) == (["T2"], "xoxb-2")


async def test_who_says_no_is_told_that_nothing_was_changed(site: Site, vault: Vault) -> None:
    asked = await site.begin()
    status, page = await site.finish(error="access_denied", state=asked["state"])
    assert (status, "Nothing was changed" in page) == (200, True)
    assert await Installs(vault).teams() == []


async def test_a_workspace_that_is_not_allowed_is_told_so_and_leaves_nothing(site: Site, vault: Vault) -> None:
    site.slack.codes["theirs"] = site.slack.add_team("T9", "xoxb-9", name="Initech")
    asked = await site.begin()
    status, page = await site.finish(code="theirs", state=asked["state"])
    assert (status, "may not install Twin" in page, site.installed) == (500, True, [])
    assert await Installs(vault).teams() == []


async def test_somebody_else_cannot_finish_what_was_begun_here(site: Site, vault: Vault) -> None:
    asked = await site.begin()
    site.cookie = ""
    status, page = await site.finish(code="code", state=asked["state"])
    assert (status, "another browser" in page) == (400, True)
    assert (site.slack.calls["oauth.v2.access"], await Installs(vault).teams()) == (0, [])


async def test_coming_back_twice_installs_once(site: Site) -> None:
    asked = await site.begin()
    await site.finish(code="code", state=asked["state"])
    status, page = await site.finish(code="code", state=asked["state"])
    assert (status, "finished already" in page, site.installed) == (401, True, ["T2"])


async def test_a_code_that_slack_does_not_know_is_no_installation(site: Site) -> None:
    asked = await site.begin()
    status, page = await site.finish(code="made up", state=asked["state"])
    assert (status, "Slack did not accept" in page, site.installed) == (401, True, [])


async def test_a_slack_that_cannot_be_reached_is_said_to_be(site: Site) -> None:
    asked = await site.begin()
    site.slack.fault("oauth.v2.access", "reset", times=3)
    status, page = await site.finish(code="code", state=asked["state"])
    assert (status, "cannot be reached" in page, site.installed) == (502, True, [])


async def test_what_stands_in_the_address_does_not_get_into_the_page_or_the_log(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    status, page = await site.finish(error="<script>alert(1)</script>")
    assert (status, "The installation failed" in page) == (200, True)
    assert "script" not in page + capsys.readouterr().out
