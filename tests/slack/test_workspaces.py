"""One process in several workspaces, each of which installed the app by itself: what one knows, the other never hears of."""

from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import aiohttp

from tests.simulators.slack import Message, Slack
from tests.slack.people import HANDBOOK
from tests.slack.running import Twin

CLIENT = {
    "SLACK_BOT_TOKEN": "",
    "SLACK_CLIENT_ID": "1.2",
    "SLACK_CLIENT_SECRET": "hush",
    "SLACK_TEAMS": "T1, T2",
    "TWIN_SECRET_KEY": "a key that is long enough for anybody",
    "TWIN_PUBLIC_URL": "https://twin.example.com",
}
AUDIT = "when does the audit of the warehouse take place?"


async def installed(address: str, code: str) -> str:
    """Install the app as somebody does in their browser; return what the last page says."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as browser:
        async with browser.get(f"{address}/slack/install", allow_redirects=False) as page:
            [state] = parse_qs(urlsplit(page.headers["Location"]).query)["state"]
            cookies = SimpleCookie(page.headers["Set-Cookie"])
        headers = {"Cookie": "; ".join(f"{name}={one.value}" for name, one in cookies.items())}
        back = f"{address}/slack/oauth_redirect"
        async with browser.get(back, params={"code": code, "state": state}, headers=headers) as page:
            return await page.text()


def said_by(slack: Slack, team: str, channel: str, ts: str) -> list[Message]:
    bot = slack.teams[team].bot_user
    return [one for one in slack.thread(channel, ts) if one.user == bot and not one.streaming and not one.deleted]


async def told(slack: Slack, team: str, channel: str, ts: str, word: str) -> str:
    """Wait for what the twin says in a thread, and return it."""
    await slack.until(lambda: any(word in slack.shown(one) for one in said_by(slack, team, channel, ts)), 60)
    [one] = said_by(slack, team, channel, ts)
    return slack.shown(one)


async def test_two_workspaces_install_the_app_and_know_nothing_of_each_other(slack: Slack, tmp_path: Path) -> None:
    slack.codes["one"], slack.codes["two"] = slack.team, slack.add_team("T2", "xoxb-2", name="Globex")
    slack.user("U21", name="Hank", team="T2")
    slack.channel("C21", name="lobby", members=["U21"], team="T2")
    own, other = slack.teams["T1"].bot_user, slack.teams["T2"].bot_user
    twin = Twin(tmp_path, slack, CLIENT)
    try:
        await twin.start()
        assert "Twin is installed in" in await installed(await twin.address(), "one")
        assert "Twin is installed in Globex" in await installed(await twin.address(), "two")
        lesson = await slack.say("C1", "U1", f"<@{own}>", files=[slack.file("handbook.md", HANDBOOK, user="U1")])
        await told(slack, "T1", "C1", lesson, "✅")
        await told(slack, "T1", "C1", await slack.say("C1", "U2", f"<@{own}> {AUDIT}"), "third of March")
        theirs = await told(slack, "T2", "C21", await slack.say("C21", "U21", f"<@{other}> {AUDIT}"), "don't know")
        assert "March" not in theirs
        await twin.kill()
        await twin.start()  # the tokens are kept
        await told(slack, "T1", "C1", await slack.say("C1", "U2", f"<@{own}> {AUDIT}"), "third of March")
        await slack.uninstall()
        await slack.until(lambda: not twin.holds("third of March"), 60)
        await told(slack, "T2", "C21", await slack.say("C21", "U21", f"<@{other}> {AUDIT}"), "don't know")
        assert not twin.holds("xoxb-1")
        assert not twin.holds("xoxb-2")
    finally:
        await twin.kill()
