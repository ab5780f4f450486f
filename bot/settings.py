"""Every setting of the twin, read from the environment and from `.env` in the working directory."""

import re
import sys
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

_DATABASES = ("postgresql", "sqlite")
_KEY = 16  # characters
_TOKENS = {
    "xoxb-": "a bot token (SLACK_BOT_TOKEN)",
    "xapp-": "an app-level token (SLACK_APP_TOKEN)",
    "xoxp-": "a user token, which is not needed",
    "xoxe": "a token that expires: switch token rotation off, or make the app anew",
}
"""What begins a token of Slack, and what it is then."""


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _http_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("an address that starts with http:// or https://")
    return value


def _folder_url(value: str) -> str:
    return f"{_http_url(value).rstrip('/')}/"


def _public_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme != "https" or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("an address such as https://twin.example.com, where people reach the twin")
    return value.rstrip("/")


def _token(prefix: str, expected: str) -> AfterValidator:
    def check(value: SecretStr) -> SecretStr:
        if not value.get_secret_value().startswith(prefix):
            kind = _kind_of_token(value)
            raise ValueError(f"{expected}, which begins with {prefix}{kind and f'; this is {kind}'}")
        return value

    return AfterValidator(check)


def _no_token(value: SecretStr) -> SecretStr:
    if kind := _kind_of_token(value):
        raise ValueError(f"a secret from the app's Basic Information; this is {kind}")
    return value


def _discord_token(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"\S{8,}", value.get_secret_value().strip()):
        raise ValueError("the token of the app's bot, from Bot › Reset Token, without “Bot” before it")
    return value


def _kind_of_token(value: SecretStr) -> str:
    return next((kind for prefix, kind in _TOKENS.items() if value.get_secret_value().startswith(prefix)), "")


def _keys(value: SecretStr) -> SecretStr:
    if any(len(key.strip()) < _KEY for key in value.get_secret_value().split(",")):
        raise ValueError(f"at least {_KEY} characters long, as is every further key behind a comma")
    return value


def _database_url(value: SecretStr) -> SecretStr:
    if urlsplit(value.get_secret_value()).scheme.partition("+")[0] not in _DATABASES:
        raise ValueError("an address that starts with postgresql:// or sqlite://")
    return value


def _models(value: str) -> str:
    names = [name.strip() for name in value.split(",")]
    if not all(name == "extractive" or all(name.partition(":")[::2]) for name in names):
        raise ValueError("extractive, or models such as openai:NAME or ollama:NAME, separated by commas")
    return value


def _budget(value: str) -> str:
    if not re.fullmatch(r"\d*(?:/\d+(?:\.\d+)?)?", value):
        raise ValueError("tokens a day, such as 200000, or tokens/money, such as 200000/1.50 or /1.50")
    return value


def _models_of_this_environment() -> Path:
    return Path(sys.prefix) / "share" / "twin" / "models"


Folder = Annotated[Path, AfterValidator(Path.expanduser)]


class Settings(BaseSettings):
    """All settings, each with a default that works on a fresh machine; `.env.example` says what they mean."""

    model_config = SettingsConfigDict(
        env_prefix="TWIN_",
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        populate_by_name=True,
        hide_input_in_errors=True,
    )

    data_dir: Folder = Path("data")
    max_upload_mb: int = Field(default=100, ge=1, le=256)  # more is not read
    timezone: ZoneInfo = Field(default_factory=lambda: ZoneInfo("UTC"))

    llm: Annotated[str, AfterValidator(_models)] = "extractive"
    llm_window: int | None = Field(default=None, ge=1_024)
    llm_prices: str = ""
    budget: Annotated[str, AfterValidator(_budget)] = ""
    budget_each: Annotated[str, AfterValidator(_budget)] = ""
    answers_at_once: int = Field(default=8, ge=1, le=10_000)
    embedding_model: str = "sentence-transformers/all-MiniLM-L6-v2"
    embedding_variant: Literal["int8", "fp32"] = "int8"
    model_dir: Folder = Field(default_factory=_models_of_this_environment)

    http_host: str = "127.0.0.1"
    http_port: int = Field(default=8420, ge=0, le=65535)
    public_url: Annotated[str, AfterValidator(_public_url)] | None = None
    secret_key: Annotated[SecretStr, AfterValidator(_keys)] | None = None

    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)] = "info"
    log_format: Annotated[Literal["auto", "console", "json"], BeforeValidator(_lower)] = "auto"

    database_url: Annotated[SecretStr, AfterValidator(_database_url)] | None = Field(
        default=None, validation_alias="DATABASE_URL"
    )
    openai_api_key: SecretStr | None = Field(default=None, validation_alias="OPENAI_API_KEY")
    openai_base_url: Annotated[str, AfterValidator(_http_url)] | None = Field(default=None, validation_alias="OPENAI_BASE_URL")
    anthropic_api_key: SecretStr | None = Field(default=None, validation_alias="ANTHROPIC_API_KEY")
    anthropic_base_url: Annotated[str, AfterValidator(_http_url)] | None = Field(
        default=None, validation_alias="ANTHROPIC_BASE_URL"
    )
    ollama_host: str | None = Field(default=None, validation_alias="OLLAMA_HOST")
    fault: str = ""

    slack_bot_token: Annotated[SecretStr, _token("xoxb-", "the Bot User OAuth Token of the app")] | None = Field(
        default=None, validation_alias="SLACK_BOT_TOKEN"
    )
    slack_app_token: Annotated[SecretStr, _token("xapp-", "an app-level token")] | None = Field(
        default=None, validation_alias="SLACK_APP_TOKEN"
    )
    slack_signing_secret: Annotated[SecretStr, AfterValidator(_no_token)] | None = Field(
        default=None, validation_alias="SLACK_SIGNING_SECRET"
    )
    slack_client_id: str | None = Field(default=None, validation_alias="SLACK_CLIENT_ID")
    slack_client_secret: Annotated[SecretStr, AfterValidator(_no_token)] | None = Field(
        default=None, validation_alias="SLACK_CLIENT_SECRET"
    )
    slack_teams: str = Field(default="", validation_alias="SLACK_TEAMS")
    slack_api_url: Annotated[str, AfterValidator(_folder_url)] | None = Field(default=None, validation_alias="SLACK_API_URL")

    discord_token: Annotated[SecretStr, AfterValidator(_discord_token)] | None = Field(
        default=None, validation_alias="DISCORD_TOKEN"
    )
    discord_api_url: Annotated[str, AfterValidator(_http_url)] | None = Field(default=None, validation_alias="DISCORD_API_URL")

    qdrant_url: Annotated[str, AfterValidator(_http_url)] | None = Field(default=None, validation_alias="QDRANT_URL")
    qdrant_api_key: SecretStr | None = Field(default=None, validation_alias="QDRANT_API_KEY")


def names() -> dict[str, str]:
    """Return the environment variable of each field, by field name."""
    prefix = Settings.model_config.get("env_prefix", "")
    return {
        field: alias if isinstance(alias := info.validation_alias, str) else f"{prefix}{field}".upper()
        for field, info in Settings.model_fields.items()
    }


def complaints(error: ValidationError) -> tuple[str, ...]:
    """Put what is wrong with the settings into one sentence each, without repeating a value that may be secret."""
    variables = names()
    wrong = ((str(each["loc"][0]), _expected(each["type"], each["msg"])) for each in error.errors())
    return tuple(f"{variables.get(field, field)} must be {expected}." for field, expected in wrong)


def _expected(kind: str, message: str) -> str:
    match kind:
        case "int_parsing":
            return "a whole number"
        case "zoneinfo_str":
            return "a time zone such as Europe/Berlin"
        case _:
            return message.removeprefix("Input should be ").removeprefix("Value error, ")
