"""How long something may be, in one place."""

from dataclasses import dataclass

from bot.chat import printable
from bot.errors import TooLong


@dataclass(frozen=True, slots=True)
class Bound:
    """The most there may be of something, in characters or in number; `what` begins the sentence that refuses more."""

    what: str
    most: int


QUESTION = Bound("That question", 4_000)
QUERY = Bound("That search", 4_000)
MESSAGE = Bound("That message", 40_000)  # the most that Slack takes
REASON = Bound("That reason", 1_000)
NOTE = Bound("That note", 1_000)
PERSONA = Bound("That persona", 1_000)
SYSTEM_PROMPT = Bound("That system prompt", 8_000)
MODEL_NAME = Bound("That name of a model", 200)
FILE_NAME = Bound("That file's name", 255)
TAG = Bound("That tag", 100)

ATTACHMENTS = Bound("files in a message", 20)
TAGS = Bound("tags on a document", 20)


def bounded(text: str, bound: Bound) -> str:
    """Return a text without space around it, fit to be stored and shown; raises `TooLong`."""
    text = printable(text).strip()
    if len(text) > bound.most:
        raise TooLong(f"{bound.what} has {len(text):,} characters; please keep it within {bound.most:,}.")
    return text


def counted(count: int, bound: Bound) -> int:
    """Return how many there are of something; raises `TooLong` when there are too many."""
    if count > bound.most:
        raise TooLong(f"{count:,} {bound.what} are too many; please keep to {bound.most:,}.")
    return count
