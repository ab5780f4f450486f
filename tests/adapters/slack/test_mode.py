"""Which settings make which connection, and what is said of those that make none."""

from dataclasses import replace

import pytest

from adapters.slack.mode import Mode

BOT, APP, SECRET, URL = "xoxb-hush", "xapp-hush", "hush", "https://twin.example.com"
SEVERAL = Mode(client_id="1.2", client_secret=SECRET, app_token=APP, teams=("T1",), secret_key=True, public_url=URL)


def test_nothing_set_is_no_connection_and_no_complaint() -> None:
    mode = Mode(secret_key=True, public_url=URL)
    assert (mode.wanted, mode.complaints()) == (False, ())


@pytest.mark.parametrize(
    ("mode", "socket", "several"),
    [
        (Mode(bot_token=BOT, app_token=APP), True, False),
        (Mode(bot_token=BOT, signing_secret=SECRET), False, False),
        (Mode(bot_token=BOT, app_token=APP, signing_secret=SECRET), True, False),
        (SEVERAL, True, True),
        (replace(SEVERAL, app_token=None, signing_secret=SECRET), False, True),
    ],
)
def test_what_belongs_together_connects(mode: Mode, socket: bool, several: bool) -> None:
    assert (mode.wanted, mode.complaints(), mode.socket, mode.several) == (True, (), socket, several)


@pytest.mark.parametrize(
    ("mode", "named"),
    [
        (Mode(bot_token=BOT), ["SLACK_APP_TOKEN"]),
        (Mode(app_token=APP), ["SLACK_BOT_TOKEN"]),
        (Mode(signing_secret=SECRET), ["SLACK_BOT_TOKEN"]),
        (
            Mode(client_id="1.2"),
            ["SLACK_CLIENT_SECRET", "SLACK_TEAMS", "TWIN_SECRET_KEY", "TWIN_PUBLIC_URL", "SLACK_APP_TOKEN"],
        ),
        (replace(SEVERAL, client_id=None), ["SLACK_CLIENT_ID"]),
        (replace(SEVERAL, bot_token=BOT), ["SLACK_BOT_TOKEN"]),
    ],
)
def test_each_that_is_missing_or_too_much_is_named(mode: Mode, named: list[str]) -> None:
    assert [complaint.split()[0] for complaint in mode.complaints()] == named


def test_secrets_are_not_shown() -> None:
    mode = Mode(bot_token=BOT, app_token=APP, signing_secret=SECRET, client_secret=SECRET)
    assert "hush" not in f"{mode!r} {mode.complaints()}"
