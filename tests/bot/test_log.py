import json
import logging

import pytest
import structlog

from bot import log

pytestmark = pytest.mark.usefixtures("log_as_before")

TOKENS = [
    "xoxb-1234567890-abcdefGHIJ",
    "xapp-1-A0123-456-abcdef",
    "sk-proj-abcdefghijklmnopqrst",
    ".".join(("MTk4NjIyNDgzNDcxOTI1MjQ4", "Cl2FMQ", "ZnCjm1XVW7vRze4b7Cq4se7kKWs")),
]


def test_a_terminal_log_is_one_line_of_words_and_keys_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("info", "console")
    structlog.get_logger("bot.test").info("learned", document="d1", passages=3)
    out, err = capsys.readouterr()
    assert out == ""
    assert "learned" in err
    assert "document=d1 passages=3" in err


def test_elsewhere_a_log_line_is_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("info", "auto")
    structlog.get_logger("bot.test").warning("index damaged", reason="größer")
    line = json.loads(capsys.readouterr().err)
    assert line["event"] == "index damaged"
    assert line["reason"] == "größer"
    assert line["level"] == "warning"
    assert line["logger"] == "bot.test"


@pytest.mark.parametrize("token", TOKENS)
def test_tokens_are_blanked_wherever_they_stand(capsys: pytest.CaptureFixture[str], token: str) -> None:
    log.configure("info", "json")
    logger = structlog.get_logger("bot.test")
    logger.info(f"said {token}", nested={"deep": [token]})
    logger.error("failed", exc_info=ValueError(token))
    logging.getLogger("somewhere.else").warning("token %s", token)
    written = capsys.readouterr().err
    assert token not in written
    assert written.count("[secret]") == 4


def test_a_password_in_an_address_is_blanked() -> None:
    assert log.redact("postgresql://twin:hush@db/twin") == "postgresql://[secret]@db/twin"


@pytest.mark.parametrize("text", ["task-force-of-the-highest-order", "see https://example.org/a:b@c", "v1.2.3", "sk-8"])
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert log.redact(text) == text


def test_other_libraries_are_heard_from_warnings_up(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("debug", "json")
    logging.getLogger("chatty").info("nobody needs this")
    logging.getLogger("chatty").warning("but this")
    structlog.get_logger("knowledge.test").debug("ours is heard")
    written = capsys.readouterr().err
    assert "nobody needs this" not in written
    assert "but this" in written
    assert "ours is heard" in written


def test_a_traceback_holds_no_local_variables(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("info", "console")
    whispered = "what a " + "person said"
    try:
        int(whispered[:0])
    except ValueError:
        structlog.get_logger("bot.test").exception("failed")
    written = capsys.readouterr().err
    assert "Traceback" in written
    assert "person" not in written
