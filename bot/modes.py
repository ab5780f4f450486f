"""How the twin connects to each platform, from the settings."""

from pydantic import SecretStr

from adapters.discord import mode as discord_mode
from adapters.slack import mode as slack_mode
from bot.settings import Settings


def slack(settings: Settings) -> slack_mode.Mode:
    """Return what is set for Slack."""
    return slack_mode.Mode(
        bot_token=_secret(settings.slack_bot_token),
        app_token=_secret(settings.slack_app_token),
        signing_secret=_secret(settings.slack_signing_secret),
        client_id=settings.slack_client_id,
        client_secret=_secret(settings.slack_client_secret),
        teams=tuple(one for team in settings.slack_teams.split(",") if (one := team.strip())),
        secret_key=settings.secret_key is not None,
        public_url=settings.public_url,
        api_url=settings.slack_api_url or slack_mode.API_URL,
    )


def discord(settings: Settings) -> discord_mode.Mode:
    """Return what is set for Discord."""
    return discord_mode.Mode(_secret(settings.discord_token), settings.discord_api_url or discord_mode.API_URL)


def _secret(value: SecretStr | None) -> str | None:
    return value.get_secret_value().strip() if value else None
