"""What goes wrong at the server of a language model, in sentences that carry nothing of what was sent or of a key."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from bot.llm.base import ModelAway

OVERLOADED = 529  # Anthropic's own status: not the asker's limit but the server's
_PASSING = {
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.CONFLICT,
    HTTPStatus.LOCKED,
    HTTPStatus.TOO_EARLY,
    HTTPStatus.TOO_MANY_REQUESTS,
}


_MEANINGS = {
    HTTPStatus.PAYMENT_REQUIRED: "was refused: its account has nothing left to pay with.",
    HTTPStatus.NOT_FOUND: "is not known to its server. `twin models list` shows what is.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "was asked more than it can hold.",
    HTTPStatus.TOO_MANY_REQUESTS: "is asked too much at the moment (HTTP 429).",
    HTTPStatus.SERVICE_UNAVAILABLE: "is overloaded (HTTP 503).",
    OVERLOADED: "is overloaded (HTTP 529).",
}


class Garbled(ModelAway):
    """A server sent what cannot be understood."""


def refusal(name: str, status: int, headers: Mapping[str, str], *, setting: str) -> ModelAway:
    """Return what an HTTP status says about a model; `setting` is the variable that opens its server."""
    transient = status in _PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return ModelAway(
        f"{name} {_meaning(status, setting)}",
        transient=transient,
        retry_after=_retry_after(headers) if transient else None,
    )


def unreachable(name: str, setting: str) -> ModelAway:
    """Return that nobody answers at the address of a model's server."""
    return ModelAway(f"{name} cannot be reached: is its server running, and is {setting} its address?")


def unopened(name: str, setting: str) -> ModelAway:
    """Return that the key to a model is missing."""
    return ModelAway(f"{name} needs a key: set {setting}.", transient=False)


def broken_off(name: str) -> ModelAway:
    """Return that a model's answer ended before its end."""
    return ModelAway(f"{name} broke off in the middle of its answer.")


def garbled(name: str) -> Garbled:
    """Return that what a model's server sent is not in its language."""
    return Garbled(f"{name} sent something that is no answer of a language model.")


def learned(error: Exception, optional: Sequence[str], unknown: set[str]) -> bool:
    """Add to `unknown` what of the optional fields of a request an error newly complains of; tell whether it does."""
    new = {field for field in optional if field in str(error)} - unknown
    unknown |= new
    return bool(new)


def without(name: str) -> ModelAway:
    """Return that a model can be asked again without what it did not take."""
    return ModelAway(f"{name} did not take what was wished of it beyond an answer, and will be asked without.")


def _meaning(status: int, setting: str) -> str:
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return f"was refused: its key is missing, wrong, or not allowed to use it. Set {setting}."
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR and status not in _MEANINGS:
        return f"failed at its server (HTTP {status})."
    return _MEANINGS.get(status, f"did not take the request (HTTP {status}).")


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return how many seconds a server asks to wait, by `Retry-After` (RFC 9110, 10.2.3) or its finer kin."""
    for field, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(field, "")) * unit
        except ValueError:
            continue
        if math.isfinite(seconds) and seconds >= 0:
            return seconds
    try:
        when = parsedate_to_datetime(headers.get("retry-after", ""))
    except ValueError:
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, (when - datetime.now(UTC)).total_seconds())
