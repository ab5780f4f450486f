"""The manifest is one that Slack takes, and asks for no more and no less than is explained."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from adapters.slack.manifest import AGENT, EVENTS, SCOPES, manifest
from tests.bot.cli_fakes import run

SCHEMA: dict[str, Any] = json.loads((Path(__file__).parent / "schemas" / "manifest.json").read_text("utf-8"))
URL = "https://twin.example.com"


def printed(*options: str) -> dict[str, Any]:
    result = run("manifest", "slack", *options)
    assert result.exit_code == 0, result.stderr
    made: dict[str, Any] = json.loads(result.stdout)
    jsonschema.Draft202012Validator(SCHEMA).validate(made)
    return made


@pytest.mark.parametrize("options", [[], ["--guests"], ["--http", URL], ["--guests", "--http", URL]])
def test_every_version_is_one_that_slack_takes(options: list[str]) -> None:
    made = printed(*options)
    assert made["settings"]["token_rotation_enabled"] is False
    assert "commands" in made["oauth_config"]["scopes"]["bot"]


def test_nothing_is_asked_for_that_is_not_explained_and_every_event_has_its_scope() -> None:
    made = printed()
    granted = made["oauth_config"]["scopes"]["bot"]
    assert granted == sorted(SCOPES)
    assert all(SCOPES.values())
    assert {scope for event in made["settings"]["event_subscriptions"]["bot_events"] if (scope := EVENTS[event])} <= {*granted}


def test_without_an_address_it_connects_over_socket_mode() -> None:
    made = printed()
    assert made["settings"]["socket_mode_enabled"] is True
    assert "https://" not in json.dumps(made)


def test_with_an_address_slack_posts_everything_there_and_leads_installations_back() -> None:
    made = printed("--http", f"{URL}/")
    settings, [command] = made["settings"], made["features"]["slash_commands"]
    posted = {settings["event_subscriptions"]["request_url"], settings["interactivity"]["request_url"], command["url"]}
    assert posted == {f"{URL}/slack/events"}
    assert made["oauth_config"]["redirect_urls"] == [f"{URL}/slack/oauth_redirect"]
    assert settings["socket_mode_enabled"] is False


@pytest.mark.parametrize("url", ["twin.example.com", "http://twin.example.com", "https://"])
def test_an_address_that_slack_would_not_take_is_wrong_usage(url: str) -> None:
    result = run("manifest", "slack", "--http", url)
    assert result.exit_code == 2
    assert "https://twin.example.com" in result.stderr


def test_the_version_for_guests_differs_in_nothing_but_the_surface_for_agents() -> None:
    made, full = printed("--guests"), manifest()
    assert "agent_view" not in made["features"]
    assert full["features"].pop("agent_view")
    full["oauth_config"]["scopes"]["bot"].remove(AGENT)
    events = full["settings"]["event_subscriptions"]["bot_events"]
    full["settings"]["event_subscriptions"]["bot_events"] = [event for event in events if EVENTS[event] != AGENT]
    assert made == full
    assert not any(event.startswith("agent_") for event in made["settings"]["event_subscriptions"]["bot_events"])
