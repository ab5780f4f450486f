"""One process per data folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot import lock
from bot.errors import BadFolder, InUse


def test_a_second_process_is_told_who_has_the_folder(tmp_path: Path) -> None:
    script = f"from bot import lock; from pathlib import Path\nwith lock.hold(Path({str(tmp_path)!r})): print('got it')"
    with lock.hold(tmp_path):
        second = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)  # noqa: S603
        assert lock.holder(tmp_path) == os.getpid()
    assert second.returncode != 0
    assert f"process {os.getpid()}" in second.stderr
    third = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)  # noqa: S603
    assert third.stdout == "got it\n"


def test_a_folder_that_was_let_go_is_nobodys(tmp_path: Path) -> None:
    assert lock.holder(tmp_path) is None
    with lock.hold(tmp_path):
        pass
    assert lock.holder(tmp_path) is None


def test_the_same_process_cannot_take_it_twice(tmp_path: Path) -> None:
    with lock.hold(tmp_path), pytest.raises(InUse), lock.hold(tmp_path):
        pass


def test_a_folder_that_cannot_be_made_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file in the way")
    said = r"data cannot be written to: it is a file, not a folder.*TWIN_DATA_DIR"
    with pytest.raises(BadFolder, match=said), lock.hold(tmp_path / "data"):
        pass
