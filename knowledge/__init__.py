"""Files and texts in, cited passages out. Knows nothing of chat. What others may import stands here."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from knowledge.documents import Audience, Document, Filters, Found, Outcome, Passage, Receipt, State
from knowledge.errors import KnowledgeError

if TYPE_CHECKING:
    from knowledge.claims import Item
    from knowledge.knowledge import Knowledge, Options, open_knowledge
    from knowledge.retrieval import Results

__all__ = [
    "Audience",
    "Document",
    "Filters",
    "Found",
    "Item",
    "Knowledge",
    "KnowledgeError",
    "Options",
    "Outcome",
    "Passage",
    "Receipt",
    "Results",
    "State",
    "open_knowledge",
]

# Imported when first asked for: the child processes that read files and hold the index need none of it, and start faster.
_LATER = {
    "Item": "knowledge.claims",
    "Knowledge": "knowledge.knowledge",
    "Options": "knowledge.knowledge",
    "Results": "knowledge.retrieval",
    "open_knowledge": "knowledge.knowledge",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(name)
    return getattr(import_module(_LATER[name]), name)
