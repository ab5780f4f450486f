"""What a person is told when something goes wrong."""

from uuid import uuid4

import structlog

from bot.errors import TwinError
from knowledge import KnowledgeError

log = structlog.get_logger()


def explain(error: BaseException) -> str:
    """Return the error's own sentence when it is meant for people; log anything else under an id and apologise with it."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    if isinstance(error, TwinError | KnowledgeError):
        return str(error)
    number = uuid4().hex[:8]
    log.error("unexpected error", id=number, exc_info=error)
    return f"Sorry, something went wrong inside me. The log has the details under {number}."
