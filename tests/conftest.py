"""Keeps the settings of whoever runs the tests out of them, and what a test does to the log out of the others."""

import logging
from collections.abc import Iterator

import pytest
import structlog

from bot import log
from bot.settings import Settings, names


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in set(names().values()) - {"QDRANT_API_KEY"}:  # means nothing alone, and the tests of a Qdrant server need it
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setitem(Settings.model_config, "env_file", None)


@pytest.fixture
def log_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for package in log.OURS:
        logging.getLogger(package).setLevel(logging.NOTSET)
    structlog.reset_defaults()
