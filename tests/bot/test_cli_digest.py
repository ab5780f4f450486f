"""`twin digest`, on a twin with its engines."""

import json
from pathlib import Path

import pytest

from tests.bot.cli_fakes import run


@pytest.mark.usefixtures("log_as_before")
def test_the_command_prints_it_for_people_and_for_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_DATA_DIR", str(tmp_path / "data"))
    file = tmp_path / "hours.md"
    file.write_text("# Hours\n\nThe canteen opens at half past twelve.\n")
    assert run("ingest", str(file)).exit_code == 0
    shown = run("digest").stdout
    assert "1 document learned" in shown
    assert "- Hours" in shown
    told = json.loads(run("digest", "--json", "--since", "2026-01-01").stdout)
    assert {"place", "since", "learned", "messages", "teachers", "asked", "answered", "open"} == set(told)
    assert told["since"] == "2026-01-01T00:00:00+00:00"
    assert [one["title"] for one in told["learned"]] == ["Hours"]
    assert run("digest", "--place", "slack:T1:C9").exit_code == 1
