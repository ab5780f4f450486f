"""The JSON that commands print: names and shapes that scripts rely on (pure)."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from bot.chat import Answer, Source
    from bot.doctor import Check
    from bot.llm.models import Chosen
    from bot.llm.offers import Offer
    from bot.people.directory import Someone, Somewhere
    from bot.record.digest import Digest
    from bot.record.usage import Figures
    from bot.record.why import Why
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
        "citations": [_citation(source) for source in answer.sources],
        "provider": answer.provider,
        "model": answer.model,
        "conversation_id": answer.conversation_id,
        "message_id": answer.message_id,
        "timings_ms": asdict(answer.timings_ms),
        "notice": answer.notice,
        "aside": answer.aside,
    }


def _citation(source: "Source") -> Shape:
    return {
        "n": source.n,
        "document_id": source.document_id,
        "title": source.title,
        "page": source.page,
        "heading": source.heading,
        "quote": source.quote,
        "url": source.url,
        "score": source.score,
    }


def why(why: "Why") -> Shape:
    """Shape how an answer came about, passages best first."""
    considered = [asdict(one) | {"fate": str(one.fate)} for one in why.considered]
    return {"message_id": why.answer.message_id, "query": why.query, "considered": considered, **_written(why.answer)}


def _written(answer: "Answer") -> Shape:
    return {name: getattr(answer, name) for name in ("abstained", "provider", "model", "notice")}


def conversation(id: str, place: str, started_at: "datetime") -> Shape:
    """Shape where and when a conversation began."""
    return {"id": id, "place": place, "started_at": started_at.isoformat()}


def figures(figures: "Figures", days: int) -> Shape:
    """Shape what was asked in the last days and what models were used for it."""
    return {"days": days, **asdict(figures), "share_abstained": figures.share_abstained}


def digest(digest: "Digest") -> Shape:
    """Shape what happened in a place, times in ISO 8601."""
    names = ("place", "messages", "asked", "answered", "open")
    learned = [
        {
            "document_id": one.id,
            "title": one.title,
            "pages": one.pages,
            "passages": one.passages,
            "url": one.url,
            "added_at": one.added_at.isoformat(),
        }
        for one in digest.learned
    ]
    taught = [asdict(one) for one in digest.teachers]
    summed = {name: getattr(digest, name) for name in names}
    return {"since": digest.since.isoformat(), "learned": learned, "teachers": taught, **summed}


def chosen(chosen: "Chosen") -> Shape:
    """Shape who writes answers, and how."""
    return asdict(chosen)


def models(chosen: "Chosen", chain: "Sequence[str]", offers: "Iterable[Offer]") -> Shape:
    """Shape who writes answers, who stands in, and what each provider offers."""
    return {"set": asdict(chosen), "chain": list(chain), "providers": [asdict(each) for each in offers]}


def someone(person: "Someone") -> Shape:
    """Shape what is known of a person."""
    roles = [{"tenant": tenant, "role": role} for tenant, role in person.roles]
    return {"id": person.id, "name": person.name, "accounts": [asdict(each) for each in person.accounts], "roles": roles}


def somewhere(place: "Somewhere") -> Shape:
    """Shape what is known of a place."""
    return asdict(place)


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
