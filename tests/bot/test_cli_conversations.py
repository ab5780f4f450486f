"""The commands about what was said, who is remembered, and who writes."""

import asyncio
from typing import Any

import pytest
from typer.testing import Result

from bot.errors import BadModel
from bot.llm.models import Chosen
from tests.bot.cli_fakes import HANDBOOK, FakeTwin, lines, opened, run
from tests.simulators.llm import LlmServer

pytestmark = pytest.mark.usefixtures("log_as_before")


@pytest.fixture
def twin(monkeypatch: pytest.MonkeyPatch) -> FakeTwin:
    return opened(monkeypatch)


async def elsewhere(*arguments: str) -> Result:
    """Run a command, which has an event loop of its own, beside a server that has this one."""
    return await asyncio.to_thread(run, *arguments)


# --- conversations


def test_conversations_as_json_have_exactly_the_promised_shape(twin: FakeTwin) -> None:
    [shape] = lines(run("conversations", "--json"))
    assert shape == {"conversations": [{"id": "c1", "place": "local", "started_at": "2026-03-01T23:30:00+00:00"}]}


def test_conversations_for_people_are_one_a_line_in_their_time_zone(twin: FakeTwin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_TIMEZONE", "Europe/Berlin")
    assert run("conversations").stdout == "c1  2026-03-02 00:30  local\n"
    assert run("conversations", "--as", "ada").stdout.startswith("None yet.")


@pytest.mark.parametrize(("options", "text"), [((), "# Conversation\n"), (("--format", "json"), "{}\n")])
def test_a_conversation_is_exported_as_it_is(twin: FakeTwin, options: tuple[str, ...], text: str) -> None:
    assert run("export", "c1", *options, "--in", "slack:T1:C9", "--as", "ada").stdout == text
    assert twin.calls[-1] == ("export", "c1", "json" if options else "md", "slack:T1:C9", "ada")


def test_a_format_that_there_is_not_is_wrong_usage(twin: FakeTwin) -> None:
    assert run("export", "c1", "--format", "pdf").exit_code == 2
    assert twin.calls == []


# --- answers


def test_why_as_json_has_exactly_the_promised_shape(twin: FakeTwin) -> None:
    [shape] = lines(run("why", "m1", "--json"))
    assert shape == {
        "message_id": "m1",
        "query": "days leave",
        "considered": [
            {
                "title": "Handbook",
                "page": 3,
                "heading": "Leave",
                "document_id": HANDBOOK.id,
                "score": 0.91,
                "dense": 0.8,
                "lexical": 12.0,
                "prior": 0.25,
                "fate": "cited",
            }
        ],
        "abstained": False,
        "provider": "extractive",
        "model": "extractive",
        "notice": "",
    }


def test_why_for_people_begins_with_the_answer(twin: FakeTwin) -> None:
    shown = run("why", "m1").stdout
    assert shown.startswith("Thirty days. [1]\n\n")
    assert "cited · 0.91, meaning 0.80, words 12.0, feedback +0.25" in shown


def test_a_message_that_there_is_not_is_a_failure_in_a_sentence(twin: FakeTwin) -> None:
    result = run("why", "m2", "--json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "I have no such message here. It may have been deleted.\n"


@pytest.mark.parametrize(("thought", "value"), [("good", 1), ("bad", -1), ("undo", 0)])
def test_feedback_is_given_and_what_was_thought_before_is_told(twin: FakeTwin, thought: str, value: int) -> None:
    [shape] = lines(run("feedback", "m1", thought, "--reason", "It is old.", "--json"))
    assert shape == {"message_id": "m1", "value": value, "before": -1}
    assert twin.calls[-1] == ("feedback", "m1", value, "It is old.", "local", "local")


def test_feedback_that_means_nothing_is_wrong_usage(twin: FakeTwin) -> None:
    assert run("feedback", "m1", "splendid").exit_code == 2
    assert twin.calls == []


# --- figures


def test_figures_as_json_have_exactly_the_promised_shape(twin: FakeTwin) -> None:
    [shape] = lines(run("stats", "--days", "30", "--all", "--json"))
    use: dict[str, Any] = {"provider": "ollama", "model": "llama3.2", "purpose": "answer", "times": 10, "failed": 1}
    use |= {"tokens_in": 8000, "tokens_out": 900, "cost": 0.5, "milliseconds": 812.0}
    assert shape == {"days": 30, "questions": 12, "answers": 10, "abstained": 2, "share_abstained": 0.2, "uses": [use]}
    assert twin.calls[-1] == ("stats", "local", "local", 30, True)


def test_figures_for_people_are_those_of_one_person_and_a_week(twin: FakeTwin) -> None:
    assert run("stats", "--as", "ada").stdout.startswith("In the last 7 days: 12 questions and 10 answers, 2 of them")
    assert twin.calls[-1] == ("stats", "local", "ada", 7, False)


# --- memory


def test_what_is_to_be_remembered_is_kept_for_one_person(twin: FakeTwin) -> None:
    assert run("remember", "I park at 42.", "--as", "ada").stdout.startswith("I will remember that")
    assert twin.calls[-1] == ("remember", "I park at 42.", "local", "ada")
    assert lines(run("remember", "I park at 42.", "--json"))[0]["status"] == "learned"
    assert run("remember", " ").exit_code == 2


def test_a_person_is_forgotten_only_with_a_yes(twin: FakeTwin) -> None:
    refused = run("forget-me", typed="y\n")
    assert (refused.exit_code, refused.stdout, twin.calls) == (2, "", [])
    assert "Add --yes" in refused.stderr
    assert run("forget-me", "--yes", "--as", "ada").stdout.startswith("Forgotten: 2 notes or messages, 5 questions")
    assert twin.calls[-1] == ("forget me", "ada")
    assert lines(run("forget-me", "--yes", "--json")) == [{"documents": 2, "questions": 5}]


# --- models


def test_without_any_model_the_list_says_so_and_that_ollama_is_away(twin: FakeTwin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "http://127.0.0.1:1")
    result = run("models", "list")
    assert result.exit_code == 0
    quoting, empty, ollama = result.stdout.splitlines()
    assert quoting.startswith("I quote my sources; no language model writes.")
    assert (empty, ollama) == ("", "ollama: It cannot be reached: is its server running, and is OLLAMA_HOST its address?")


async def test_models_are_listed_with_those_that_stand_in_and_what_servers_offer(
    twin: FakeTwin, monkeypatch: pytest.MonkeyPatch
) -> None:
    twin.chosen = Chosen("ollama:tiny", 0.2)
    async with LlmServer() as server:
        monkeypatch.setenv("TWIN_LLM", "openai:tall")
        monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
        monkeypatch.setenv("OLLAMA_HOST", "http://127.0.0.1:1")
        [shape] = lines(await elsewhere("models", "list", "--json"))
        shown = (await elsewhere("models", "list")).stdout.splitlines()
    assert shape == {
        "set": {"model": "ollama:tiny", "temperature": 0.2, "max_tokens": 1024, "system_prompt": "", "persona": ""},
        "chain": ["ollama:tiny", "openai:tall"],
        "providers": [
            {
                "provider": "ollama",
                "models": [],
                "error": "It cannot be reached: is its server running, and is OLLAMA_HOST its address?",
            },
            {"provider": "openai", "models": ["openai:tall", "openai:tiny"], "error": ""},
        ],
    }
    assert shown[1] == "In this order: ollama:tiny, then openai:tall; when all are away, I quote."
    assert shown[-3:] == ["openai:", "  openai:tall", "  openai:tiny"]


def test_a_model_is_used_from_now_on_with_what_is_said_of_it_and_nothing_else(twin: FakeTwin) -> None:
    [shape] = lines(run("models", "use", "ollama:llama3.2", "--temperature", "0", "--persona", "brief", "--json"))
    assert shape == {
        "model": "ollama:llama3.2",
        "temperature": 0.0,
        "max_tokens": 1024,
        "system_prompt": "",
        "persona": "brief",
    }
    changes = {"model": "ollama:llama3.2", "temperature": 0.0, "persona": "brief"}
    assert twin.calls[-1] == ("use", changes, "local", "local")


def test_a_place_has_a_model_of_its_own(twin: FakeTwin) -> None:
    assert "written by ollama:x" in run("models", "use", "ollama:x", "--in", "slack:T1:C9").stdout
    assert twin.calls[-1] == ("use", {"model": "ollama:x"}, "slack:T1:C9", "local")
    assert run("models", "reset", "--in", "slack:T1:C9").stdout.startswith("I quote my sources")
    assert ("reset", "slack:T1:C9", "local") in twin.calls


def test_a_model_that_there_is_not_is_wrong_usage(twin: FakeTwin) -> None:
    twin.error = BadModel("There is no provider 'psychic' of language models.")
    result = run("models", "use", "psychic:x")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "There is no provider 'psychic' of language models.\n"
