"""The command line on the real parts: one conversation from the first question to its being forgotten."""

from pathlib import Path
from typing import Any

import pytest

from bot import lock
from tests.bot.cli_fakes import lines, run

pytestmark = pytest.mark.usefixtures("log_as_before")


@pytest.fixture
def data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("TWIN_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


def shape(*arguments: str) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    [only] = lines(result)
    return only


def test_a_conversation_is_held_judged_explained_written_down_and_forgotten(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "travel.md"
    file.write_text("# Travel policy\n\nTrips abroad are approved by Mrs Okafor.\n")
    shape("ingest", str(file))
    answer = shape("ask", "Who approves trips abroad?")
    assert "Okafor" in answer["answer"]
    conversation, message = answer["conversation_id"], answer["message_id"]

    again = shape("ask", "And who approves trips abroad, again?", "--conversation", conversation)
    assert again["conversation_id"] == conversation
    assert [each["id"] for each in shape("conversations")["conversations"]] == [conversation]

    told = shape("why", message)
    best = told["considered"][0]
    assert (told["query"], best["title"], best["fate"]) == ("Who approves trips abroad?", "Travel policy", "cited")
    assert shape("feedback", message, "good") == {"message_id": message, "value": 1, "before": 0}
    assert shape("feedback", message, "undo") == {"message_id": message, "value": 0, "before": 1}

    written = run("export", conversation).stdout
    assert written.startswith("# Conversation\n")
    assert written.count("Okafor") >= 2
    assert shape("stats")["questions"] == 2

    shape("remember", "My parking space is number 42.")
    assert "42" in shape("ask", "Which number has my parking space?")["answer"]
    assert shape("forget-me", "--yes") == {"documents": 1, "questions": 3}
    assert shape("conversations") == {"conversations": []}
    assert shape("ask", "Which number has my parking space?")["abstained"]


def test_another_persons_conversation_is_as_if_there_were_none(data: Path) -> None:
    conversation = shape("ask", "What can you do?")["conversation_id"]
    for command in (("export", conversation), ("ask", "And else?", "--conversation", conversation)):
        result = run(*command, "--as", "ada")
        assert (result.exit_code, result.stdout) == (1, "")


def test_models_can_be_listed_and_changed_without_any_being_there(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "http://127.0.0.1:1")
    assert shape("models", "list")["chain"] == []
    assert shape("models", "use", "ollama:tiny")["model"] == "ollama:tiny"
    assert shape("models", "list")["chain"] == ["ollama:tiny"]
    assert shape("models", "reset")["model"] == "extractive"
    assert run("models", "use", "psychic:x").exit_code == 2


def test_a_model_of_no_provider_is_a_wrong_setting(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_LLM", "psychic:x")
    result = run("ask", "Who are you?")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("There is no provider 'psychic' of language models.")


def test_the_process_that_has_the_data_folder_is_named(data: Path) -> None:
    with lock.hold(data):
        result = run("ask", "Who are you?")
        assert (result.exit_code, result.stdout) == (3, "")
        assert f"in use by process {lock.holder(data)}" in result.stderr
