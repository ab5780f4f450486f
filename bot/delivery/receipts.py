"""What became of something taught, in a few lines for the place where it was posted (pure)."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from bot.answering import inert
from bot.record.quotes import Quote
from knowledge import Comparison, Outcome, Receipt

FAILED = "⚠️"
NOTHING = f"{FAILED} There is no text in this message that I could learn."

_FORGOTTEN = "↩️ Forgotten."
_LINES = "\n- "
_MOST = 2_500  # characters
_INSIDE = 10  # files that came inside one
_REASON = 400  # characters


def together(files: Sequence[str]) -> str:
    """Return what is said of everything that a message brought; of each file as much as there is room for."""
    said = "\n\n".join(files)
    if len(said) <= _MOST:
        return said
    share = _MOST // len(files) - 2
    return "\n\n".join(_shortened(one, share) for one in files)


def has_failed(said: str) -> bool:
    """Tell whether a receipt reports that something could not be learned."""
    return any(line.removeprefix("- ").startswith(FAILED) for line in said.splitlines())


def of_message(receipt: Receipt) -> str:
    """Return a line for a message that was learned as it is."""
    match receipt.outcome:
        case Outcome.LEARNED | Outcome.UPDATED:
            return "✅ Learned this message."
        case Outcome.DUPLICATE:
            return "✅ I know what this message says already."
    return f"{FAILED} I could not learn this message: {_reason(receipt)}"


def of_file(receipt: Receipt, comparison: Comparison | None = None) -> str:
    """Return a line for a file, one for each that came inside it, and what it may replace or contradict."""
    inside = sorted(_inside(receipt), key=lambda line: not line.startswith(FAILED))
    more = [f"… and {len(inside) - _INSIDE} more"] if len(inside) > _INSIDE else []
    return _LINES.join([_outcome(receipt), *inside[:_INSIDE], *more, *(line for line, _ in _compared(comparison))])


def quotes_of(receipt: Receipt, comparison: Comparison | None = None) -> Iterator[Quote]:
    """Yield which lines are of which documents: of the one that was learned, those inside, and those it is compared with."""
    if receipt.document:
        yield Quote(receipt.document.id, _outcome(receipt), _FORGOTTEN)
        for line, other in _compared(comparison):
            yield Quote(receipt.document.id, line)
            yield Quote(other, line)
    for one in receipt.attached:
        yield from quotes_of(one)


def _inside(receipt: Receipt) -> Iterator[str]:
    """Yield a line for each file that came inside one, however deep; what was left out has its reason instead."""
    for one in receipt.attached:
        left_out = one.name == receipt.name and one.document is None
        yield f"{FAILED} {_reason(one)}" if left_out else _outcome(one)
        yield from _inside(one)


def _compared(comparison: Comparison | None) -> Iterator[tuple[str, str]]:
    """Yield a line for each document that a new one is compared with, and the id of that."""
    if comparison is None:
        return
    for one in comparison.older[:1]:
        older = f"There is an older “{inert.line(one.name)}” here, of {_day(one.added_at)}. I use both; "
        yield f"{older}`/twin forget {one.id[:8]}` forgets that one.", one.id
    for conflict in comparison.conflicts:
        where = f"“{inert.line(conflict.title)}”" + (f" (p. {conflict.page})" if conflict.page else "")
        said = f"here “{inert.line(conflict.here)}”, there “{inert.line(conflict.there)}”"
        yield f"❗ May contradict {where}: {said}", conflict.document_id


def _outcome(receipt: Receipt) -> str:
    document = receipt.document
    title = inert.line(document.title) if document else ""
    match receipt.outcome:
        case Outcome.LEARNED if document:
            return f"✅ Learned “{title}”: {_size(document.pages, document.passages)}."
        case Outcome.UPDATED if document:
            size = _size(document.pages, document.passages)
            return f"✅ Learned the new version of “{title}”: {size}. The old one is no longer found."
        case Outcome.DUPLICATE if document:
            return f"✅ I know {inert.line(receipt.name)} already, as “{title}”, taught on {_day(document.added_at)}."
        case _:
            return f"{FAILED} I could not learn {inert.line(receipt.name)}: {_reason(receipt)}"


def _reason(receipt: Receipt) -> str:
    return inert.line(receipt.error or "", _REASON)


def _size(pages: int | None, passages: int) -> str:
    parts = [(pages, "page"), (passages, "passage")]
    return ", ".join(f"{n:,} {what if n == 1 else what + 's'}" for n, what in parts if n is not None)


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y}"


def _shortened(said: str, most: int) -> str:
    """Return as many whole lines as there is room for, but of the first one at least its beginning."""
    if len(said) <= most:
        return said
    kept, *lines = said.split("\n")
    if len(kept) > most - 2:
        return f"{kept[: most - 1].rstrip()}…"
    for line in lines:
        if len(kept) + len(line) + 3 > most:
            break
        kept = f"{kept}\n{line}"
    return f"{kept}\n…"
