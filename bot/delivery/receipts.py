"""What became of something taught, in a sentence for the place where it was posted (pure)."""

from bot.answering import inert
from knowledge import Outcome, Receipt


def said(receipt: Receipt) -> str:
    """Return one line for a file, and an indented one for each that came inside it."""
    inside = [f"  {line}" for one in receipt.attached for line in said(one).splitlines()]
    return "\n".join([_outcome(receipt), *inside])


def _outcome(receipt: Receipt) -> str:
    document = receipt.document
    title, name = inert.line(document.title) if document else "", inert.line(receipt.name)
    match receipt.outcome:
        case Outcome.LEARNED if document:
            return f"✅ Learned “{title}”: {_size(document.pages, document.passages)}."
        case Outcome.UPDATED if document:
            size = _size(document.pages, document.passages)
            return f"✅ Learned the new version of “{title}”: {size}. The old one is no longer found."
        case Outcome.DUPLICATE if document:
            return f"✅ I know “{title}” already."
        case _:
            return f"⚠️ I could not learn {name}: {receipt.error}"


def _size(pages: int | None, passages: int) -> str:
    parts = [(pages, "page"), (passages, "passage")]
    return ", ".join(f"{n} {what if n == 1 else what + 's'}" for n, what in parts if n is not None)
