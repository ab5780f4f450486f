"""What can go wrong with documents, in sentences that may be shown to a person."""

import errno


class KnowledgeError(Exception):
    """Something about a document or the index that a person can understand and act on."""


class NoAudience(KnowledgeError):
    """A search that does not say who will read the result."""

    def __init__(self) -> None:
        super().__init__("A search needs an audience: say who will read the result.")


class Unreadable(KnowledgeError):
    """A file of a known type that cannot be read; the text says why."""


class Unsupported(KnowledgeError):
    """A file of a type that is not read at all."""


FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
"""What the operating system calls a disk without room."""


class StorageFull(KnowledgeError):
    """There is no room on the disk to keep something; once there is, it can be done."""

    def __init__(self) -> None:
        super().__init__("My storage is full. I will go on as soon as there is room again.")


class UnknownDocument(KnowledgeError):
    """No document has this id."""

    def __init__(self, document_id: str) -> None:
        super().__init__(f"There is no document {document_id!r}. `twin docs list` shows what there is.")


class IndexAway(KnowledgeError):
    """The vector index cannot be reached or did not come back."""


class ModelMissing(KnowledgeError):
    """The embedding model's files are not there; the text says how to get them."""


class IndexOutdated(KnowledgeError):
    """The index was built with another embedding model than the one that is set."""

    def __init__(self, built_with: str, asked_for: str) -> None:
        super().__init__(
            f"The index was built with the embedding model {built_with}, but {asked_for} is set. "
            "Run `twin reindex` to rebuild it, or set the model back."
        )
