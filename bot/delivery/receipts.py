"""What became of something taught, in a sentence for the place where it was posted (pure)."""

from collections.abc import Iterator, Sequence

from bot.answering import inert
from knowledge import Comparison, Outcome, Receipt

FAILED = "⚠️"
_MOST = 2_500  # characters
_INSIDE = 10  # files that came inside one


def together(lines: Sequence[str]) -> str:
    """Return what is said of everything that a message brought."""
    said = "\n\n".join(lines)
    return said if len(said) <= _MOST else f"{said[:_MOST].rsplit(chr(10), 1)[0]}\n…"


def of_message(receipt: Receipt) -> str:
    """Return a line for a message that was learned as it is."""
    match receipt.outcome:
        case Outcome.LEARNED | Outcome.UPDATED:
            return "✅ Learned this message."
        case Outcome.DUPLICATE:
            return "✅ I know this message already."
    return f"{FAILED} I could not learn this message: {receipt.error}"


def said(receipt: Receipt, comparison: Comparison | None = None) -> str:
    """Return one line for a file, one for each that came inside it, and what it may replace or contradict."""
    inside = [f"- {line}" for one in receipt.attached[:_INSIDE] for line in said(one).splitlines()]
    more = [f"- … and {len(receipt.attached) - _INSIDE} more"] if len(receipt.attached) > _INSIDE else []
    return "\n".join([_outcome(receipt), *inside, *more, *(_compared(comparison) if comparison else ())])


def _compared(comparison: Comparison) -> Iterator[str]:
    for one in comparison.older[:1]:
        yield (
            f"- There is an older “{inert.line(one.name)}” here, of {one.added_at:%d %B %Y}. I use both; "
            f"`/twin forget {one.id[:8]}` forgets that one."
        )
    for conflict in comparison.conflicts:
        where = f"“{inert.line(conflict.title)}”" + (f", page {conflict.page}" if conflict.page else "")
        yield f"- ❗ It may contradict {where}. Here: “{inert.line(conflict.here)}” There: “{inert.line(conflict.there)}”"


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
            return f"{FAILED} I could not learn {name}: {receipt.error}"


def _size(pages: int | None, passages: int) -> str:
    parts = [(pages, "page"), (passages, "passage")]
    return ", ".join(f"{n} {what if n == 1 else what + 's'}" for n, what in parts if n is not None)
