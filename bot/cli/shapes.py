"""The JSON that commands print: names and shapes that scripts rely on (pure)."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bot.chat import Answer
    from bot.doctor import Check
    from knowledge import Document, Found, Receipt

Shape = dict[str, object]


def receipts(path: "Path | str", receipt: "Receipt") -> "Iterator[Shape]":
    """Yield the line of a file, then those of the files that came inside it, as `path#name`."""
    document = receipt.document
    yield {
        "path": str(path),
        "status": str(receipt.outcome),
        "document_id": document.id if document else None,
        "title": document.title if document else None,
        "pages": document.pages if document else None,
        "passages": document.passages if document else None,
        "error": receipt.error,
    }
    for one in receipt.attached:
        yield from receipts(f"{path}#{one.name}", one)


def answer(answer: "Answer") -> Shape:
    """Shape an answer with its citations."""
    return {
        "answer": answer.text,
        "abstained": answer.abstained,
        "citations": [asdict(source) for source in answer.sources],
        "provider": answer.provider,
        "model": answer.model,
        "conversation_id": answer.conversation_id,
        "message_id": answer.message_id,
        "timings_ms": asdict(answer.timings_ms),
    }


def found(found: "Iterable[Found]") -> "Iterator[Shape]":
    """Yield the line of each found passage, best first."""
    for rank, one in enumerate(found, 1):
        passage = one.passage
        yield {
            "rank": rank,
            "score": one.score,
            "document_id": passage.document_id,
            "title": passage.title,
            "page": passage.page,
            "heading": passage.heading,
            "text": passage.text,
        }


def document(document: "Document") -> Shape:
    """Shape all that is known of a document, times in ISO 8601."""
    times = {"added_at": document.added_at.isoformat(), "created_at": document.created_at and document.created_at.isoformat()}
    return asdict(document) | {"state": str(document.state)} | times


def checks(checks: "Iterable[Check]") -> Shape:
    """Shape what the doctor found."""
    return {"checks": [{"name": c.name, "ok": c.ok, "detail": c.detail, "fix": c.fix} for c in checks]}
