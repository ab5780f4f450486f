"""Files and texts in, cited passages out. Knows nothing of chat. What others may import stands here."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from knowledge.documents import Audience, Document, Filters, Found, LeftOut, Outcome, Passage, Reason, Receipt, State
from knowledge.errors import IndexAway, KnowledgeError, StorageFull
from knowledge.faults import fault

if TYPE_CHECKING:
    from knowledge.claims import Item
    from knowledge.compare import Comparison
    from knowledge.knowledge import Knowledge, Options, open_knowledge
    from knowledge.retrieval import Question, Results

__all__ = [
    "Audience",
    "Comparison",
    "Document",
    "Filters",
    "Found",
    "IndexAway",
    "Item",
    "Knowledge",
    "KnowledgeError",
    "LeftOut",
    "Options",
    "Outcome",
    "Passage",
    "Question",
    "Reason",
    "Receipt",
    "Results",
    "State",
    "StorageFull",
    "fault",
    "open_knowledge",
]

# Imported when first asked for: the child processes that read files and hold the index need none of it, and start faster.
_LATER = {
    "Comparison": "knowledge.compare",
    "Item": "knowledge.claims",
    "Knowledge": "knowledge.knowledge",
    "Options": "knowledge.knowledge",
    "Question": "knowledge.retrieval",
    "Results": "knowledge.retrieval",
    "open_knowledge": "knowledge.knowledge",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(name)
    return getattr(import_module(_LATER[name]), name)
