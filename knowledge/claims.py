"""The words of learning: what is to be learned, what became of it in the database, what is left to do."""

from dataclasses import dataclass
from typing import Literal

Told = Literal["message", "note"]


@dataclass(frozen=True, slots=True)
class Item:
    """Something to be learned. `source` tells whether it was here before: same source, new content is a new version.

    `told` is the kind of a text that was told and not read from a file.
    """

    name: str
    source: str
    url: str
    scope: str
    by: str
    tags: tuple[str, ...] = ()
    parent_id: str | None = None
    told: Told | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """A version that is being learned."""

    document_id: str
    version_id: str
    number: int
    sha256: str
    item: Item


@dataclass(frozen=True, slots=True)
class Known:
    """A document says these bytes already.

    `to_share` are the documents that the scope is new to: this one and what is attached to it; none for a duplicate.
    `replaced` are versions that said something else under the same source and are found no more.
    """

    document_id: str
    to_share: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Replaced:
    """What a version that has become ready stands in for.

    `versions` have points that must go; `number` is that of the one it supersedes; `left` are documents that other scopes
    share and that this scope has left.
    """

    versions: tuple[str, ...]
    number: int | None
    left: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Gone:
    """What is to go outside the database once rows are gone: points of versions, and files that nothing has any more."""

    versions: tuple[str, ...]
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unshared:
    """What became of documents that have left a scope: `forgotten` are those it was the last of, `kept` the others."""

    gone: Gone
    forgotten: tuple[str, ...]
    kept: tuple[str, ...]
