import json
import shutil
import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from bot import app, db, doctor, lock
from bot.cli.commands import app as commands
from bot.doctor import Check
from bot.settings import Settings
from bot.vault import Vault
from knowledge import minilm
from tests.simulators.llm import LlmServer


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(data_dir=tmp_path / "data", http_port=0)
    minilm.prepare(settings.model_dir, settings.embedding_variant)
    return settings


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


async def test_on_a_fresh_machine_all_that_is_needed_works_and_no_trace_is_left(settings: Settings, tmp_path: Path) -> None:
    checks = await doctor.examine(settings, {})
    assert [(check.name, check.detail) for check in checks if check.needed and not check.ok] == []
    assert {check.name for check in checks} >= {
        "data folder",
        "database",
        "embedding model",
        "index",
        "sandbox",
        "port",
        "language model",
    }
    assert all(check.detail for check in checks)
    assert list(tmp_path.iterdir()) == []


def test_a_running_twin_is_named_and_not_disturbed(settings: Settings, taken_port: int) -> None:
    settings = settings.model_copy(update={"http_port": taken_port})
    with lock.hold(settings.data_dir):
        holder = lock.holder(settings.data_dir)
        folder, port = doctor.data_folder(settings), doctor.port(settings)
    assert folder.ok
    assert f"in use by the twin that runs as process {holder}" in folder.detail
    assert port.ok


def test_a_taken_port_is_named_with_what_to_do(settings: Settings, taken_port: int) -> None:
    port = doctor.port(settings.model_copy(update={"http_port": taken_port}))
    assert not port.ok
    assert f"127.0.0.1:{taken_port}" in port.detail
    assert "TWIN_HTTP_PORT" in port.fix


def test_a_data_folder_that_cannot_be_is_found_out(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    folder = doctor.data_folder(settings)
    assert not folder.ok
    assert "is a file, not a folder" in folder.detail
    assert "TWIN_DATA_DIR" in folder.fix


async def test_a_database_that_is_up_to_date_says_so(settings: Settings) -> None:
    settings.data_dir.mkdir()
    async with db.open_database(app.database_url(settings)):
        pass
    database = await doctor.database(settings)
    assert database.ok
    assert database.detail.endswith("is current")


async def test_a_database_of_a_newer_twin_is_refused(settings: Settings) -> None:
    settings.data_dir.mkdir()
    with sqlite3.connect(settings.data_dir / "twin.db") as connection:
        connection.execute("CREATE TABLE alembic_version (version_num)")
        connection.execute("INSERT INTO alembic_version VALUES ('9999')")
    connection.close()
    database = await doctor.database(settings)
    assert not database.ok
    assert "newer Twin (schema 9999)" in database.detail


async def test_a_database_server_that_is_away_is_found_out(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://twin:hush@127.0.0.1:1/twin")
    database = await doctor.database(Settings(data_dir=settings.data_dir))
    assert not database.ok
    assert "hush" not in database.detail + database.fix


async def test_a_qdrant_server_that_is_away_is_found_out(settings: Settings) -> None:
    index = await doctor.index(settings.model_copy(update={"qdrant_url": "http://127.0.0.1:1"}))
    assert not index.ok
    assert "http://127.0.0.1:1" in index.detail
    assert "QDRANT_URL" in index.fix


async def test_a_model_that_is_not_there_is_not_made_but_named(settings: Settings, tmp_path: Path) -> None:
    model = await doctor.embedding(settings.model_copy(update={"model_dir": tmp_path / "models"}))
    assert not model.ok
    assert "make setup" in model.fix
    assert not (tmp_path / "models").exists()


async def test_a_model_nobody_knows_is_the_settings_mistake_and_not_the_sandboxs(settings: Settings) -> None:
    checks = await doctor.examine(settings.model_copy(update={"embedding_model": "all-MiniLM-L6-v3"}), {})
    [model] = [check for check in checks if check.name == "embedding model"]
    [sandbox] = [check for check in checks if check.name == "sandbox"]
    assert not model.ok
    assert "There is no embedding model called 'all-MiniLM-L6-v3'." in model.detail
    assert "Correct TWIN_EMBEDDING_MODEL" in model.fix
    assert "make setup" not in model.fix
    assert "embedding model" in sandbox.detail
    assert "libseccomp" not in sandbox.fix


async def test_without_language_models_answers_are_quoted_which_is_well(settings: Settings) -> None:
    [model] = await doctor.language_models(settings)
    assert (model.ok, model.needed, model.fix) == (True, False, "")
    assert "quoted" in model.detail


async def test_each_language_model_is_tried_and_one_that_is_away_has_a_remedy_but_is_not_needed(settings: Settings) -> None:
    async with LlmServer() as server:
        told = {"llm": "openai:tiny,ollama:tiny,anthropic:x", "openai_base_url": f"{server.url}/v1"}
        models = await doctor.language_models(settings.model_copy(update=told | {"ollama_host": "http://127.0.0.1:1"}))
    assert [(model.ok, model.needed) for model in models] == [(True, False), (False, False), (False, False)]
    assert models[0].detail == "openai:tiny is offered by its server"
    assert models[1].detail.startswith("ollama:tiny cannot be reached")
    assert "`ollama pull tiny`" in models[1].fix
    assert (models[2].detail, "ANTHROPIC_API_KEY" in models[2].fix) == ("anthropic:x needs a key: set ANTHROPIC_API_KEY.", True)


async def test_without_slack_there_is_nothing_to_mend(settings: Settings) -> None:
    [slack] = await doctor.slack(settings)
    assert (slack.ok, slack.needed, slack.fix) == (True, False, "")


async def test_half_a_connection_to_slack_is_named_by_what_is_missing(settings: Settings) -> None:
    told = {"slack_client_id": "1.2", "slack_app_token": SecretStr("xapp-hush")}
    [slack] = await doctor.slack(settings.model_copy(update=told))
    assert (slack.ok, slack.needed, "docs/slack.md" in slack.fix) == (False, True, True)
    assert all(name in slack.detail for name in ("SLACK_CLIENT_SECRET", "TWIN_SECRET_KEY", "TWIN_PUBLIC_URL"))
    assert "hush" not in slack.detail


async def test_a_slack_that_is_away_is_found_out(settings: Settings) -> None:
    told = {"slack_bot_token": SecretStr("xoxb-hush"), "slack_app_token": SecretStr("xapp-hush")}
    checks = await doctor.slack(settings.model_copy(update=told | {"slack_api_url": "http://127.0.0.1:1/api/"}))
    assert [(check.name, check.ok, check.needed) for check in checks] == [("slack", False, True), ("slack events", False, True)]
    assert all("SLACK_API_URL" in check.fix and "hush" not in check.detail for check in checks)


async def test_no_message_is_posted_while_a_twin_runs_that_would_hear_it(settings: Settings) -> None:
    told = {"slack_bot_token": SecretStr("xoxb-1"), "slack_app_token": SecretStr("xapp-1")}
    with lock.hold(settings.data_dir):
        check = await doctor.slack_delivery(settings.model_copy(update=told), "C1")
        assert f"the twin that runs as process {lock.holder(settings.data_dir)} would hear" in check.detail
    assert (check.ok, check.needed) == (False, True)


async def test_no_message_is_posted_without_slack(settings: Settings) -> None:
    check = await doctor.slack_delivery(settings, "C1")
    assert (check.ok, check.detail) == (False, "not tried, since the twin is not connected to Slack")


INSTALLED = {
    "slack_client_id": "1.2",
    "slack_client_secret": SecretStr("hush"),
    "slack_app_token": SecretStr("xapp-1"),
    "slack_teams": "T1",
    "secret_key": SecretStr("a key that is long"),
    "public_url": "https://twin.example.com",
    "slack_api_url": "http://127.0.0.1:1/api/",
}


async def test_before_any_workspace_has_installed_the_app_it_says_where_to(settings: Settings) -> None:
    slack, _ = await doctor.slack(settings.model_copy(update=INSTALLED))
    assert (slack.ok, slack.needed, slack.detail) == (False, False, "installed nowhere yet")
    assert slack.fix == "Open https://twin.example.com/slack/install."


async def test_a_key_that_does_not_open_the_tokens_is_found_out(settings: Settings) -> None:
    settings.data_dir.mkdir()
    async with db.open_database(app.database_url(settings)) as engine:
        await Vault(engine, "another key that is long").put("slack/install/T1", {"bot_token": "xoxb-hush"})
    [slack] = await doctor.slack(settings.model_copy(update=INSTALLED))
    assert (slack.ok, slack.detail.startswith("TWIN_SECRET_KEY is not the key")) == (False, True)


def test_a_misspelt_setting_is_pointed_out_but_not_fatal() -> None:
    found = doctor.spelling({"TWIN_HTTP_PROT": "9000", "TWIN_LOG_LEVEL": "info", "TWIN_SISTER": "x", "HOME": "/"})
    assert not found.ok
    assert not found.needed
    assert (found.detail, found.fix) == ("TWIN_HTTP_PROT is set, but means nothing.", "Is TWIN_HTTP_PORT meant?")


def test_a_full_disk_is_found_out(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(settings.data_dir.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=5 << 20))
    folder = doctor.data_folder(settings)
    assert not folder.ok
    assert "only 5 MB are free" in folder.detail


GOOD = Check("python", True, "3.11.7")
UNNEEDED = Check("sandbox", False, "Held only by limits.", "Install libseccomp.", needed=False)
NEEDED = Check("index", False, "The server does not answer.", "Check QDRANT_URL.")


@pytest.mark.usefixtures("log_as_before")
@pytest.mark.parametrize(("checks", "code"), [([GOOD], 0), ([GOOD, UNNEEDED], 0), ([GOOD, UNNEEDED, NEEDED], 3)])
def test_the_command_ends_with_3_only_when_something_needed_fails(
    monkeypatch: pytest.MonkeyPatch, checks: list[Check], code: int
) -> None:
    async def examined(settings: Settings) -> list[Check]:
        return checks

    monkeypatch.setattr(doctor, "examine", examined)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")  # the command sets it: put back afterwards
    for_scripts, for_people = (CliRunner().invoke(commands, ["doctor", *options]) for options in (["--json"], []))
    assert for_scripts.exit_code == for_people.exit_code == code
    assert json.loads(for_scripts.stdout) == {
        "checks": [{"name": c.name, "ok": c.ok, "detail": c.detail, "fix": c.fix} for c in checks]
    }
    assert all(check.detail in for_people.stdout and check.fix in for_people.stdout for check in checks)


@pytest.mark.usefixtures("log_as_before")
def test_on_demand_the_command_posts_a_message_too(monkeypatch: pytest.MonkeyPatch) -> None:
    async def examined(settings: Settings) -> list[Check]:
        return [GOOD]

    async def posted(settings: Settings, target: str) -> Check:
        return Check("slack delivery", False, f"nothing came from {target}", "Subscribe.")

    monkeypatch.setattr(doctor, "examine", examined)
    monkeypatch.setattr(doctor, "slack_delivery", posted)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    result = CliRunner().invoke(commands, ["doctor", "--post", "C1"])
    assert result.exit_code == 3
    assert "BAD  slack delivery: nothing came from C1" in result.stdout


@pytest.mark.usefixtures("log_as_before")
def test_settings_that_cannot_be_used_are_a_diagnosis_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_HTTP_PORT", "many")
    result = CliRunner().invoke(commands, ["doctor", "--json"])
    assert result.exit_code == 2
    [diagnosis] = json.loads(result.stdout)["checks"]
    assert (diagnosis["name"], diagnosis["ok"]) == ("settings", False)
    assert diagnosis["detail"] == "TWIN_HTTP_PORT must be a whole number."
