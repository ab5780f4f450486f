import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from bot.settings import Settings, complaints, names

FOR_TESTS = {"TWIN_FAULT"}  # makes things fail on purpose, which nobody who runs a twin wants
EXAMPLE = Path(__file__).parents[2] / ".env.example"

MODELS = "extractive, or models such as openai:NAME or ollama:NAME, separated by commas."
TOKENS = "tokens a day, such as 200000, or tokens/money, such as 200000/1.50 or /1.50."

PUBLIC = "an address such as https://twin.example.com, where people reach the twin."
LONG = "at least 16 characters long, as is every further key behind a comma."


@pytest.fixture
def env_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setitem(Settings.model_config, "env_file", ".env")
    monkeypatch.chdir(tmp_path)
    return tmp_path / ".env"


def shown() -> dict[str, str]:
    return dict(re.findall(r"^# ([A-Z_]+)=(.*)$", EXAMPLE.read_text("utf-8"), re.MULTILINE))


def refusal(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> str:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError) as caught:
        Settings()
    [sentence] = complaints(caught.value)
    return sentence


def test_the_example_names_every_setting_and_no_other() -> None:
    assert sorted(shown()) == sorted(set(names().values()) - FOR_TESTS)


def test_the_example_shows_the_defaults(env_file: Path) -> None:
    defaults = Settings()
    env_file.write_text("\n".join(f"{name}={value}" for name, value in shown().items()), "utf-8")
    assert Settings() == defaults


def test_every_setting_of_the_example_is_explained_above_it() -> None:
    blocks = re.split(r"\n\s*\n", EXAMPLE.read_text("utf-8"))
    for block in blocks:
        lines = block.strip().splitlines()
        assert not re.match(r"# [A-Z_]+=", lines[0]), f"nothing explains {lines[0]}"


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch, env_file: Path) -> None:
    env_file.write_text("TWIN_HTTP_PORT=1111\nTWIN_LOG_LEVEL=debug\n", "utf-8")
    monkeypatch.setenv("TWIN_HTTP_PORT", "2222")
    assert (Settings().http_port, Settings().log_level) == (2222, "debug")


def test_standard_names_have_no_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QDRANT_URL", "http://qdrant:6333")
    monkeypatch.setenv("DATABASE_URL", "postgresql://twin:pass@db/twin")
    settings = Settings()
    assert settings.qdrant_url == "http://qdrant:6333"
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == "postgresql://twin:pass@db/twin"


@pytest.mark.parametrize("value", ["extractive", "ollama:llama3.2", "ollama:qwen3:4b, openai:org/model", "house:own"])
def test_models_are_named_by_provider_and_in_a_row(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("TWIN_LLM", value)
    assert Settings().llm == value


@pytest.mark.parametrize("value", ["200000", "200000/1.50", "/1.50"])
def test_a_budget_is_tokens_or_money_or_both(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("TWIN_BUDGET", value)
    assert Settings().budget == value


def test_addresses_are_taken_with_and_without_a_slash_at_their_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_API_URL", "http://127.0.0.1:9/api")
    monkeypatch.setenv("TWIN_PUBLIC_URL", "https://twin.example.com/")
    settings = Settings()
    assert (settings.slack_api_url, settings.public_url) == ("http://127.0.0.1:9/api/", "https://twin.example.com")


def test_a_home_folder_is_understood_in_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_DATA_DIR", "~/twin")
    assert Settings().data_dir == Path.home() / "twin"


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("TWIN_HTTP_PORT", "many", "TWIN_HTTP_PORT must be a whole number."),
        ("TWIN_HTTP_PORT", "70000", "TWIN_HTTP_PORT must be less than or equal to 65535."),
        ("TWIN_MAX_UPLOAD_MB", "0", "TWIN_MAX_UPLOAD_MB must be greater than or equal to 1."),
        ("TWIN_MAX_UPLOAD_MB", "257", "TWIN_MAX_UPLOAD_MB must be less than or equal to 256."),
        ("TWIN_TIMEZONE", "Mars/Olympus", "TWIN_TIMEZONE must be a time zone such as Europe/Berlin."),
        ("TWIN_LLM", "psychic", f"TWIN_LLM must be {MODELS}"),
        ("TWIN_LLM", "ollama:", f"TWIN_LLM must be {MODELS}"),
        ("TWIN_LLM", "ollama:llama3.2,", f"TWIN_LLM must be {MODELS}"),
        ("TWIN_LLM_WINDOW", "100", "TWIN_LLM_WINDOW must be greater than or equal to 1024."),
        ("TWIN_BUDGET", "much", f"TWIN_BUDGET must be {TOKENS}"),
        ("TWIN_BUDGET_EACH", "-5", f"TWIN_BUDGET_EACH must be {TOKENS}"),
        ("TWIN_ANSWERS_AT_ONCE", "0", "TWIN_ANSWERS_AT_ONCE must be greater than or equal to 1."),
        ("OPENAI_BASE_URL", "localhost", "OPENAI_BASE_URL must be an address that starts with http:// or https://."),
        ("TWIN_EMBEDDING_VARIANT", "int4", "TWIN_EMBEDDING_VARIANT must be 'int8' or 'fp32'."),
        ("TWIN_LOG_LEVEL", "loud", "TWIN_LOG_LEVEL must be 'debug', 'info', 'warning' or 'error'."),
        (
            "SLACK_APP_TOKEN",
            "xoxb-1",
            "SLACK_APP_TOKEN must be an app-level token, which begins with xapp-; this is a bot token (SLACK_BOT_TOKEN).",
        ),
        ("SLACK_BOT_TOKEN", "1", "SLACK_BOT_TOKEN must be the Bot User OAuth Token of the app, which begins with xoxb-."),
        (
            "SLACK_SIGNING_SECRET",
            "xapp-1",
            "SLACK_SIGNING_SECRET must be a secret from the app's Basic Information; "
            "this is an app-level token (SLACK_APP_TOKEN).",
        ),
        ("SLACK_API_URL", "slack.com", "SLACK_API_URL must be an address that starts with http:// or https://."),
        ("TWIN_PUBLIC_URL", "http://x", f"TWIN_PUBLIC_URL must be {PUBLIC}"),
        ("TWIN_PUBLIC_URL", "https://x?a=b", f"TWIN_PUBLIC_URL must be {PUBLIC}"),
        ("TWIN_SECRET_KEY", "short", f"TWIN_SECRET_KEY must be {LONG}"),
        ("TWIN_SECRET_KEY", "0123456789abcdef,short", f"TWIN_SECRET_KEY must be {LONG}"),
        ("QDRANT_URL", "qdrant:6333", "QDRANT_URL must be an address that starts with http:// or https://."),
        ("DATABASE_URL", "mysql://u:hush@h/d", "DATABASE_URL must be an address that starts with postgresql:// or sqlite://."),
    ],
)
def test_a_bad_value_becomes_one_plain_sentence(monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str) -> None:
    assert refusal(monkeypatch, name, value) == sentence


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QDRANT_API_KEY", "hush")
    monkeypatch.setenv("DATABASE_URL", "postgresql://twin:hush@db/twin")
    monkeypatch.setenv("OPENAI_API_KEY", "hush")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "hush")
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-hush")
    monkeypatch.setenv("SLACK_APP_TOKEN", "xapp-hush")
    monkeypatch.setenv("SLACK_SIGNING_SECRET", "hush")
    monkeypatch.setenv("SLACK_CLIENT_SECRET", "hush")
    monkeypatch.setenv("TWIN_SECRET_KEY", "hush" * 4)
    assert "hush" not in f"{Settings()!r} {Settings().model_dump_json()}"


def test_several_bad_values_are_all_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_LLM", "psychic")
    monkeypatch.setenv("TWIN_HTTP_PORT", "many")
    with pytest.raises(ValidationError) as caught:
        Settings()
    assert [sentence.split()[0] for sentence in complaints(caught.value)] == ["TWIN_LLM", "TWIN_HTTP_PORT"]
