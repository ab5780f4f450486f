"""Structured logs on standard error: a console on a terminal, JSON otherwise, and never a token."""

import logging
import re
import sys
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

OURS = ("bot", "adapters", "knowledge", "scheduler")

_TOKENS = re.compile(
    r"""
      \bxox[a-z]-[\w-]{8,} | \bxapp-[\w-]{8,}                 # Slack
    | \bsk-[\w-]{16,}                                         # OpenAI, Anthropic
    | \b[A-Za-z\d][\w-]{22,27}\.[\w-]{6}\.[\w-]{27,}          # Discord
    | (?<=://) [^\s/@:]+ : [^\s/@]+ (?=@)                     # user and password in an address
    """,
    re.VERBOSE,
)


def redact(text: str) -> str:
    """Blank out everything shaped like a token or a password in an address."""
    return _TOKENS.sub("[secret]", text)


def configure(level: Literal["debug", "info", "warning", "error"], format: Literal["auto", "console", "json"]) -> None:
    """Send our logs from `level` up, and those of other libraries from warnings up, to standard error."""
    terminal = sys.stderr.isatty()
    console = format == "console" or (format == "auto" and terminal)
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if console else "iso", utc=not console),
    ]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    rendering: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if console:
        # The plain traceback: a rich one prints local variables, and those hold people's texts.
        rendering.append(structlog.dev.ConsoleRenderer(colors=terminal, exception_formatter=structlog.dev.plain_traceback))
    else:
        rendering += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[*rendering, _redacted]))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    for package in OURS:
        logging.getLogger(package).setLevel(level.upper())


def _redacted(_logger: WrappedLogger, _method: str, rendered: EventDict | str) -> str:
    # Runs on the finished line, so that tracebacks and nested values are covered too.
    return redact(str(rendered))
