import errno
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import typer

import bot.app
import bot.trial
from bot.cli import frame
from bot.cli.commands import app
from bot.errors import BadFolder, BadModel, BadModelSetting, BadQuestion, InUse, ServiceAway, TooLong
from bot.settings import Settings
from knowledge import Filters, Outcome, Receipt
from knowledge.errors import IndexAway, IndexOutdated, KnowledgeError, ModelMissing
from knowledge.evaluation import Report
from knowledge.retrieval import Mode
from tests.bot.cli_fakes import HANDBOOK, FakeTwin, lines, opened, run

pytestmark = pytest.mark.usefixtures("log_as_before")


@pytest.fixture
def twin(monkeypatch: pytest.MonkeyPatch) -> FakeTwin:
    return opened(monkeypatch)


# --- ask


def test_an_answer_as_json_has_exactly_the_promised_shape(twin: FakeTwin) -> None:
    result = run("ask", "How many days?", "--as", "ada", "--in", "slack:T1:C9", "--json")
    assert lines(result) == [
        {
            "answer": "Thirty days. [1]",
            "abstained": False,
            "citations": [
                {
                    "n": 1,
                    "document_id": HANDBOOK.id,
                    "title": "Handbook",
                    "page": 3,
                    "heading": "Leave",
                    "quote": "Thirty days.",
                    "url": "file:///handbook.pdf",
                    "score": 0.91,
                }
            ],
            "provider": "extractive",
            "model": "extractive",
            "conversation_id": "c1",
            "message_id": "m1",
            "timings_ms": {"retrieve": 4.5, "first_token": 6.0, "total": 7.5},
            "notice": "",
            "aside": "",
        }
    ]
    assert result.exit_code == 0
    assert ("ask", "How many days?", "slack:T1:C9", "ada", None) in twin.calls


def test_an_answer_for_people_is_followed_by_its_sources(twin: FakeTwin) -> None:
    result = run("ask", "How many days?")
    assert result.stdout == "Thirty days. [1]\n\nSources\n  [1] Handbook, page 3 · Leave\n      file:///handbook.pdf\n"
    assert ("ask", "How many days?", "local", "local", None) in twin.calls


def test_a_question_can_go_on_with_a_conversation(twin: FakeTwin) -> None:
    run("ask", "And hours?", "--conversation", "c1")
    assert ("ask", "And hours?", "local", "local", "c1") in twin.calls


def test_what_is_said_to_all_is_part_of_the_answer_and_what_is_for_the_asker_alone_is_not(twin: FakeTwin) -> None:
    twin.notice, twin.aside = "The model is away.", "There is more."
    result = run("ask", "How many days?")
    assert result.stdout.endswith("file:///handbook.pdf\n\n(The model is away.)\n")
    assert result.stderr == "(For you alone: There is more.)\n"
    [shape] = lines(run("ask", "How many days?", "--json"))
    assert (shape["notice"], shape["aside"]) == ("The model is away.", "There is more.")


# --- search


def test_found_passages_as_json_are_one_object_a_line(twin: FakeTwin) -> None:
    result = run("search", "leave", "--json")
    first, second = lines(result)
    assert first == {
        "rank": 1,
        "score": 0.91,
        "document_id": HANDBOOK.id,
        "title": "Handbook",
        "page": 3,
        "heading": "Leave",
        "text": "Thirty days.",
    }
    assert (second["rank"], second["page"], second["heading"]) == (2, None, None)


def test_a_search_is_narrowed_by_its_options(twin: FakeTwin) -> None:
    run(
        *("search", "leave", "--limit", "3", "--document", "3f2a", "--type", "pdf", "--tag", "hr", "--tag", "law"),
        *("--since", "2026-01-01", "--until", "2026-02-01", "--in", "slack:T1:C9", "--as", "ada"),
    )
    zone = ZoneInfo("UTC")
    where = Filters(
        documents=(HANDBOOK.id,),
        kinds=("pdf",),
        tags=("hr", "law"),
        since=datetime(2026, 1, 1, tzinfo=zone),
        until=datetime(2026, 2, 1, 23, 59, 59, tzinfo=zone),
    )
    assert ("search", "leave", "slack:T1:C9", "ada", where, 3) in twin.calls


@pytest.mark.parametrize("query", ["", "  "])
def test_a_search_for_nothing_is_wrong_usage(twin: FakeTwin, query: str) -> None:
    result = run("search", query)
    assert (result.exit_code, result.stdout, twin.calls) == (2, "", [])
    assert "It is empty." in result.stderr


@pytest.mark.parametrize("name", ["", " ", "two words", "local\n"])
@pytest.mark.parametrize(
    "arguments", [("ingest", "a.pdf", "--scope"), ("ask", "Why?", "--in"), ("ask", "Why?", "--as"), ("search", "why", "--in")]
)
def test_scopes_places_and_people_have_names_of_one_word(twin: FakeTwin, arguments: tuple[str, ...], name: str) -> None:
    result = run(*arguments, name)
    assert (result.exit_code, result.stdout, twin.calls) == (2, "", [])
    assert "It must be one word" in result.stderr


# --- ingest


def test_what_became_of_each_file_as_json_is_one_object_a_line(twin: FakeTwin) -> None:
    inside = Receipt("scan.pdf", Outcome.FAILED, error="There is no text in it; it looks scanned.")
    twin.receipts = {"mail.eml": Receipt("mail.eml", Outcome.LEARNED, replace(HANDBOOK, pages=None), attached=(inside,))}
    result = run("ingest", "a/handbook.pdf", "mail.eml", "--json")
    assert lines(result) == [
        {
            "path": "a/handbook.pdf",
            "status": "learned",
            "document_id": HANDBOOK.id,
            "title": "Handbook",
            "pages": 12,
            "passages": 48,
            "error": None,
        },
        {
            "path": "mail.eml",
            "status": "learned",
            "document_id": HANDBOOK.id,
            "title": "Handbook",
            "pages": None,
            "passages": 48,
            "error": None,
        },
        {
            "path": "mail.eml#scan.pdf",
            "status": "failed",
            "document_id": None,
            "title": None,
            "pages": None,
            "passages": None,
            "error": "There is no text in it; it looks scanned.",
        },
    ]


def test_files_are_taught_with_the_scope_and_tags_asked_for(twin: FakeTwin) -> None:
    run("ingest", "a.pdf", "--scope", "everyone", "--tag", "hr", "--tag", "law")
    assert ("learn", "everyone", "local", ("hr", "law")) in twin.calls


def test_one_failure_names_the_file_and_makes_the_exit_code_1(twin: FakeTwin) -> None:
    twin.receipts = {
        "b.pdf": Receipt("b.pdf", Outcome.FAILED, error="It is damaged."),
        "c.pdf": Receipt("c.pdf", Outcome.DUPLICATE, HANDBOOK),
        "d.mp4": Receipt("d.mp4", Outcome.UNSUPPORTED, error="It is a film."),
    }
    result = run("ingest", "a.pdf", "b.pdf", "c.pdf", "d.mp4")
    assert result.exit_code == 1
    assert "Could not learn b.pdf: It is damaged." in result.stdout
    assert result.stdout.splitlines()[-1] == "1 learned, 1 known already, 1 left out, 1 failed."


@pytest.mark.parametrize("depth", [1, 2])
def test_a_failure_inside_a_file_is_counted_like_any_other(twin: FakeTwin, depth: int) -> None:
    receipt = Receipt("scan.pdf", Outcome.FAILED, error="It looks scanned.")
    for name in ("mail.eml", "mails.zip")[:depth]:
        receipt = Receipt(name, Outcome.LEARNED, HANDBOOK, attached=(receipt,))
    twin.receipts = {"a": receipt}
    result = run("ingest", "a")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1] == f"{depth} learned, 1 failed."


def test_a_path_that_cannot_be_read_does_not_keep_the_others_from_being_taught(
    twin: FakeTwin, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    paths = [tmp_path / "a.md", tmp_path / "b.md"]
    for path in paths:
        path.touch()
    monkeypatch.setattr(os, "access", lambda path, mode: str(path) != str(paths[0]))
    assert [line["path"] for line in lines(run("ingest", *map(str, paths), "--json"))] == [str(path) for path in paths]


def test_a_name_that_cannot_be_encoded_is_printed_with_a_question_mark(twin: FakeTwin) -> None:
    twin.receipts = {"caf\udce9.pdf": Receipt("caf\udce9.pdf", Outcome.FAILED, error="It is damaged.")}
    assert lines(run("ingest", "caf\udce9.pdf", "--json"))[0]["path"] == "caf?.pdf"
    assert "Could not learn caf?.pdf: It is damaged." in run("ingest", "caf\udce9.pdf").stdout


def test_when_nobody_reads_the_output_any_more_learning_stops(twin: FakeTwin, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_shape: object) -> None:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    monkeypatch.setattr(frame, "show_json", gone)
    assert run("ingest", "a.pdf", "b.pdf", "--json").exit_code == 1
    assert twin.stopped


@pytest.mark.parametrize("outcome", [Outcome.LEARNED, Outcome.UPDATED, Outcome.DUPLICATE, Outcome.UNSUPPORTED])
def test_everything_but_a_failure_is_exit_code_0(twin: FakeTwin, outcome: Outcome) -> None:
    twin.receipts = {"a.pdf": Receipt("a.pdf", outcome, HANDBOOK)}
    assert run("ingest", "a.pdf").exit_code == 0


def test_ctrl_c_leaves_with_a_sentence(twin: FakeTwin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)  # put back afterwards
    twin.error = KeyboardInterrupt()
    result = run("ingest", "a.pdf")
    assert result.exit_code == 130
    assert result.stderr == "Stopped. What was finished is kept; run it again to go on.\n"


def test_after_ctrl_c_only_the_threads_that_speak_to_the_closed_loop_are_not_heard(
    twin: FakeTwin, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []
    monkeypatch.setattr(threading, "excepthook", lambda ended: heard.append(str(ended.exc_value)))
    twin.error = KeyboardInterrupt()
    run("ingest", "a.pdf")

    def fail(error: Exception) -> None:
        raise error

    for error in (RuntimeError("Event loop is closed"), ValueError("a bug")):
        thread = threading.Thread(target=fail, args=(error,))
        thread.start()
        thread.join()
    assert heard == ["a bug"]


# --- docs


def test_documents_as_json_are_one_object_with_all_that_is_known(twin: FakeTwin) -> None:
    [listed] = lines(run("docs", "list", "--json"))
    assert [each["state"] for each in listed["documents"]] == ["ready", "superseded", "failed"]
    assert listed["documents"][0] == {
        "id": "3f2a9c0d11",
        "name": "handbook.pdf",
        "title": "Handbook",
        "kind": "pdf",
        "state": "ready",
        "version": 2,
        "scopes": ["local"],
        "tags": ["hr"],
        "size": 900,
        "sha256": "ab" * 32,
        "added_at": "2026-03-01T23:30:00+00:00",
        "url": "file:///handbook.pdf",
        "pages": 12,
        "passages": 48,
        "language": "en",
        "authors": ["Ada", "Bob"],
        "created_at": None,
        "error": None,
        "added_by": "",
    }


def test_the_list_for_people_shows_times_of_their_zone(twin: FakeTwin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_TIMEZONE", "Europe/Berlin")
    head, *rows = run("docs", "list").stdout.splitlines()
    assert head.split() == ["id", "title", "type", "pages", "passages", "added"]
    assert re.split(r"\s{2,}", rows[0].strip()) == ["3f2a9c0d", "Handbook (v2)", "pdf", "12", "48", "2026-03-02 00:30"]
    assert "Handbook (v1, replaced)" in rows[1]
    assert "Handbook (v2, failed)" in rows[2]


def test_a_document_is_shown_by_the_beginning_of_its_id(twin: FakeTwin) -> None:
    shown = run("docs", "show", "3f2a").stdout
    assert re.search(r"title +Handbook\n", shown)
    assert re.search(r"authors +Ada, Bob\n", shown)
    assert "created_at" not in shown


def test_the_stored_text_is_printed_as_it_is(twin: FakeTwin) -> None:
    assert run("docs", "show", "3f2a", "--text").stdout == "Thirty days.\nNot more.\n"
    [shape] = lines(run("docs", "show", "3f2a", "--text", "--json"))
    assert shape["text"] == "Thirty days.\nNot more."


def test_forgetting_names_what_was_forgotten(twin: FakeTwin) -> None:
    assert run("docs", "forget", "3f2a", "--yes").stdout == "Forgotten: “Handbook”. Nothing of it is left.\n"
    assert ("forget", HANDBOOK.id) in twin.calls


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_where_nobody_can_be_asked_forgetting_needs_a_yes(twin: FakeTwin, options: tuple[str, ...]) -> None:
    result = run("docs", "forget", "3f2a", *options, typed="y\n")
    assert (result.exit_code, result.stdout, twin.calls) == (2, "", [])
    assert "Add --yes" in result.stderr


def test_a_document_is_read_anew(twin: FakeTwin) -> None:
    assert run("docs", "reindex", "3f2a").stdout == "Learned “Handbook”: 12 pages, 48 passages.\n"
    twin.receipts = {"3f2a": Receipt("handbook.pdf", Outcome.FAILED, error="Its original file is gone.")}
    result = run("docs", "reindex", "3f2a", "--json")
    assert result.exit_code == 1
    assert lines(result)[0]["error"] == "Its original file is gone."


def test_reindex_opens_for_rebuilding_and_says_how_many_passages_there_are(twin: FakeTwin) -> None:
    assert run("reindex").stdout == "The index holds 48 passages.\n"
    assert ("open", True) in twin.calls


# --- eval


def test_an_evaluation_as_json_has_exactly_the_promised_shape(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[tuple[Path, str, str]] = []

    async def measure(
        settings: Settings, folder: Path, *, split: str, mode: Mode, progress: Callable[[str, int, int], None]
    ) -> Report:
        asked.append((folder, split, mode))
        progress("queries", 1, 2)
        return Report("scifact", split, 300, 5183, 0.76, 0.9, 0.95, 0.7, 61.25, 4.5, 9.125, left_out=0)

    monkeypatch.setattr(bot.trial, "measure", measure)
    [shape] = lines(run("eval", str(tmp_path), "--split", "train", "--mode", "dense", "--json"))
    assert asked == [(tmp_path, "train", "dense")]
    assert shape == {
        "dataset": "scifact",
        "split": "train",
        "queries": 300,
        "documents": 5183,
        "ndcg@10": 0.76,
        "recall@10": 0.9,
        "recall@100": 0.95,
        "mrr@10": 0.7,
        "index_seconds": 61.25,
        "query_ms": {"p50": 4.5, "p95": 9.12},
    }
    assert re.search(r"query_ms +p50 4.5, p95 9.12\n", run("eval", str(tmp_path)).stdout)
    assert asked[1:] == [(tmp_path, "test", "hybrid")]


def test_a_folder_in_another_layout_is_wrong_usage(tmp_path: Path) -> None:
    result = run("eval", str(tmp_path), "--json")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "is not a BEIR folder" in result.stderr


# --- what goes wrong


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (BadQuestion("Ask me something."), 2),
        (TooLong("That question is too long."), 2),
        (BadModel("There is no such model."), 2),
        (BadModelSetting("The temperature is too high."), 2),
        (ModelMissing("The model is not there."), 2),
        (IndexOutdated("old", "new"), 2),
        (BadFolder(Path("data"), "Permission denied"), 2),
        (InUse(Path("data"), 42), 3),
        (ServiceAway("Postgres is away."), 3),
        (IndexAway("Qdrant is away."), 3),
        (KnowledgeError("It is damaged."), 1),
        (ExceptionGroup("tasks", [IndexAway("Qdrant is away.")]), 3),
    ],
)
@pytest.mark.parametrize("arguments", [("ask", "Why?", "--json"), ("search", "why", "--json"), ("ingest", "a.pdf", "--json")])
def test_what_a_person_can_mend_is_one_sentence_and_an_exit_code(
    twin: FakeTwin, error: Exception, code: int, arguments: tuple[str, ...]
) -> None:
    twin.error = error
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    said = error.exceptions[0] if isinstance(error, ExceptionGroup) else error
    assert result.stderr == f"{said}\n"


def test_the_process_that_has_the_data_folder_is_named(twin: FakeTwin) -> None:
    twin.error = InUse(Path("data"), 42)
    assert "in use by process 42" in run("docs", "list").stderr


def test_an_unknown_document_is_a_failure_that_says_where_to_look(twin: FakeTwin) -> None:
    result = run("docs", "show", "nope")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "There is no document 'nope'." in result.stderr


def test_a_bug_is_logged_under_an_id_and_answered_with_one_apology(twin: FakeTwin) -> None:
    twin.error = ZeroDivisionError("division by zero")
    result = run("ask", "Why?")
    assert result.exit_code == 1
    record, apology = result.stderr.splitlines()
    number = json.loads(record)["id"]
    assert "ZeroDivisionError" in json.loads(record)["exception"]
    assert apology == f"Sorry, something went wrong inside me. The log has the details under {number}."


def test_bad_settings_are_one_sentence_each_and_exit_code_2(twin: FakeTwin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_HTTP_PORT", "many")
    monkeypatch.setenv("TWIN_LLM", "psychic")
    result = run("ask", "Why?")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        "TWIN_LLM must be extractive, or models such as openai:NAME or ollama:NAME, separated by commas.\n"
        "TWIN_HTTP_PORT must be a whole number.\n"
    )


def test_wrong_usage_is_exit_code_2() -> None:
    assert run("ask").exit_code == 2
    assert run("search", "why", "--limit", "many").exit_code == 2
    assert run("dance").exit_code == 2


# --- help


def commands(group: Any, *path: str) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for name, command in group.commands.items():
        found += commands(command, *path, name) if hasattr(command, "commands") else [(*path, name)]
    return found


@pytest.mark.parametrize("path", commands(typer.main.get_command(app)), ids=" ".join)
def test_every_command_explains_itself(path: tuple[str, ...]) -> None:
    result = run(*path, "--help")
    assert result.exit_code == 0
    assert f"Usage: twin {' '.join(path)}" in result.stdout
    assert len(result.stdout.split()) > 30


def test_help_answers_without_loading_the_engines() -> None:
    code = "import sys, bot.cli.commands; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - our own words
    loaded = done.stdout.split()
    assert {"knowledge", "numpy", "sqlalchemy", "aiohttp", "onnxruntime", "prompt_toolkit"}.isdisjoint(loaded)
