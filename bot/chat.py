"""The shared words: who speaks, where, what is said, what is answered, and what a platform must be able to do."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol

# --- who and where


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere a conversation happens: a channel, a private chat, the terminal. `id` is its scope, e.g. `slack:T1:C9`."""

    id: str


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who speaks with the twin, by the twin's own id; their accounts on platforms are linked to it."""

    id: str


class Kind(StrEnum):
    """What an account is in its tenant (workspace or guild)."""

    MEMBER = "member"
    GUEST = "guest"
    EXTERNAL = "external"
    BOT = "bot"


class PlaceKind(StrEnum):
    """Who reads a place.

    Every full member of the tenant (`public`), those in it (`private`, `group`), one person (`direct`), or those in it of whom
    some are strangers to the tenant (`shared`).
    """

    PUBLIC = "public"
    PRIVATE = "private"
    GROUP = "group"
    DIRECT = "direct"
    SHARED = "shared"


@dataclass(frozen=True, slots=True)
class Account:
    """An account as its platform shows it now.

    `same_as` is another account of the same user, whose person a new account belongs to.
    """

    id: str
    kind: Kind
    name: str = ""
    active: bool = True
    same_as: str = ""


# --- what comes in


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file on a platform, named so that its adapter can fetch it; `size` in bytes as the platform says."""

    id: str
    name: str
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """A message on a platform as of `changed_at`: said, edited since, or deleted.

    `event` is the platform's id of the delivery, the same when it delivers again; `id` is that of the message in its place.
    `thread` is the conversation within the place; without one the place itself is the conversation. `addressed` says that
    the twin is spoken to. `link` opens the message on its platform. `taught_by` is the account of somebody who had the message
    learned as it is, and may.
    """

    event: str
    place: str
    id: str
    account: str
    text: str
    changed_at: datetime
    thread: str | None = None
    addressed: bool = False
    deleted: bool = False
    from_bot: bool = False
    attachments: tuple[Attachment, ...] = ()
    link: str = ""
    author: str = ""
    taught_by: str = ""


@dataclass(frozen=True, slots=True)
class Spoken:
    """What was said in a thread by somebody, to somebody else than the twin; `id` is that of the message."""

    id: str
    author: str
    text: str


class Gone(StrEnum):
    """What can be gone from a platform."""

    FILE = "file"  # everywhere, or from one place
    PLACE = "place"  # with all that was said in it; or the twin is in it no longer
    THREAD = "thread"  # of a place
    ACCOUNT = "account"
    TENANT = "tenant"


@dataclass(frozen=True, slots=True)
class Removal:
    """That something is gone, as a platform delivers it in an `event`: what was made of it is forgotten.

    `id` names a place, an account or a tenant over all platforms, a file as its `Attachment` does, and a thread as `Message`
    does; `place` is where a thread or a file is gone from, without it a file is gone everywhere in its `tenant`.
    """

    event: str
    what: Gone
    id: str
    tenant: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class Moved:
    """That a place has another id now."""

    event: str
    old: str
    new: str


# --- what goes out


@dataclass(frozen=True, slots=True)
class Source:
    """What a statement rests on; `quote` stands word for word in the document's stored text."""

    n: int
    document_id: str
    title: str
    page: int | None
    heading: str | None
    quote: str
    url: str
    score: float
    passage_id: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Timings:
    """How long an answer took, in milliseconds since the question."""

    retrieve: float = 0.0
    first_token: float = 0.0
    total: float = 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the twin says: Markdown with `[n]` pointing into `sources`, or an abstention that names what it does know.

    `notice` is said beside the answer to all who read it (such as that a model was away). `aside` is for the asker alone: no
    other reader may see it, nor learn that there is one.
    """

    text: str
    sources: tuple[Source, ...]
    abstained: bool
    provider: str
    model: str
    conversation_id: str = ""
    message_id: str = ""
    timings_ms: Timings = Timings()
    notice: str = ""
    aside: str = ""


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of an answer as it is being written; the whole `Answer` follows as the last thing."""

    text: str


@dataclass(frozen=True, slots=True)
class Restart:
    """What was shown so far is void: the answer begins anew (its writer failed, or what it wrote did not hold)."""


Pieces = AsyncGenerator[Delta | Restart | Answer]
"""An answer on its way: deltas, perhaps a restart and deltas again, and last the whole answer."""


class Mark(StrEnum):
    """How far something taught has come, as a sign on the message that brought it."""

    RECEIVED = "received"
    LEARNED = "learned"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Taught:
    """A document that a message brought, which whoever taught it can have forgotten again."""

    document_id: str
    title: str


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the twin says that is no answer: a receipt (with what was `taught`), a refusal, an apology, a digest."""

    text: str
    taught: tuple[Taught, ...] = ()


class What(StrEnum):
    """What a reply is."""

    REPLY = "reply"  # an answer
    RECEIPT = "receipt"  # of what was taught
    REFUSAL = "refusal"
    DIGEST = "digest"  # of a week; in answer to no message


@dataclass(frozen=True, slots=True)
class Reply:
    """Where something is shown: in `place`, within `thread`, in answer to the message `to`; without one it stands by itself.

    `key` is the same however often it is tried, and another one for everything else that is ever shown. `fresh` says that
    nobody has tried it yet, `about` is the beginning of the message that it is in answer to, as long as that is at hand.
    """

    key: str
    place: str
    thread: str | None
    to: str
    account: str
    fresh: bool = field(default=False, compare=False)
    about: str = field(default="", compare=False, repr=False)

    @property
    def what(self) -> What:
        return What(self.key.partition("/")[0])


class Refused(Exception):
    """The platform will never take this: the place is gone, the twin is not in it, its token is not valid."""


class TryLater(Exception):
    """The platform asks for patience; `seconds` is how much, if it says."""

    def __init__(self, reason: str, seconds: float | None = None) -> None:
        super().__init__(reason)
        self.seconds = seconds


class Adapter(Protocol):
    """What the twin asks of a platform. Any exception but `Refused` and `TryLater` leaves open whether it was done.

    That is why every call may be made again: with the same key, or the same content, nothing appears twice. What will never
    succeed, whatever the platform calls it, must be `Refused`: everything else is tried again, some of it for ever.
    """

    async def open(self, reply: Reply) -> str:
        """Show that an answer is coming; return the platform's id of what is shown."""

    async def write(self, reply: Reply, shown: str, text: str) -> None:
        """Show the answer so far, at the pace that the platform allows; returns when the next may come."""

    async def finish(self, reply: Reply, shown: str, content: Answer | Notice) -> None:
        """Show the whole, final content in the place of what is shown."""

    async def withdraw(self, reply: Reply, shown: str) -> None:
        """Take away what is shown."""

    async def whisper(self, reply: Reply, text: str) -> None:
        """Tell something to the asker alone."""

    async def fetch(self, attachment: Attachment, to: Path, limit: int, *, place: str) -> None:
        """Write a file that was posted in a place to a path; raises `Refused` when it is gone or larger than `limit` bytes."""

    async def mark(self, reply: Reply, mark: Mark) -> None:
        """Show on the message that is replied to how far it has come, in place of any other mark."""

    async def confirm(self, place: str, account: str) -> None:
        """Bring up to date what is known of a place, of who is in it, and of somebody who speaks there."""

    async def thread(self, reply: Reply) -> tuple[Spoken, ...]:
        """Return what people said to each other in the thread before the message that is replied to, oldest first."""


def printable(text: str) -> str:
    """Return a text that can be stored and shown: bytes that came as no characters are shown as unknown."""
    return text.encode("utf-8", "replace").decode("utf-8")
