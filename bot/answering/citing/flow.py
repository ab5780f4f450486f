"""Where a text that is still being written can be cut: after whole sentences, lines, tables and blocks of code (pure)."""

import re

from bot.answering.citing import marks
from bot.answering.inert import code
from bot.answering.quoting import sentences

_GAP = re.compile(r"[^\S\n]*\n\s*|(?<=[.!?…\"'”’»)\]*_])[^\S\n]+|(?<=[。！？।؟”」』])(?![\x21-\x7e])[^\S\n]*")
_AFTER_SENTENCE, _AFTER_LINE = 30, 200  # characters that are read on, to know whether a sentence goes on
_BEFORE = 240  # and before it
_PAIRS = (("“", "”"), ("„", "“”"), ("«", "»"), ("「", "」"), ("『", "』"))
_FENCES = ("```", "~~~")


def cut(text: str, since: int = 0, *, ended: bool) -> tuple[int, int]:
    """Return how much of a text is a whole piece, to be judged by itself; 0 when more must be read first.

    It does not depend on what follows: a text is cut alike however it arrives. Also returned is up to where there is surely no
    end, to be given as `since` when there is more of the same text.
    """
    start = len(text) - len(text.lstrip())
    if not ended and len(text) - start < len(_FENCES[0]):
        return 0, 0
    if text.startswith(_FENCES, start):
        line = text.rfind("\n", 0, start) + 1
        if not ended and "\n" not in text[start:]:
            return 0, 0
        fence = code.opening(text[line:])
        if fence and not fence.start():
            return _fenced(text, line, fence, ended=ended), 0
    if text.startswith("|", start):
        return _table(text, start, ended=ended), 0
    return _prose(text, start, max(since, start + 1), ended=ended)


def _fenced(text: str, line: int, fence: re.Match[str], *, ended: bool) -> int:
    end = code.closing(text[line:], fence)
    if end and (ended or end.group().endswith("\n")):
        return line + end.end()
    return len(text) if ended else 0


def _table(text: str, start: int, *, ended: bool) -> int:
    """Return where the rows end: before a line that is none."""
    at = start
    while 0 < (at := text.find("\n", at) + 1) < len(text):
        if not text.startswith("|", at):
            return at
    return len(text) if ended else 0


def _prose(text: str, start: int, since: int, *, ended: bool) -> tuple[int, int]:
    quoted = text.startswith(">", start)
    for gap in _GAP.finditer(text, since):
        at, breaks = gap.end(), gap.group().count("\n")
        if at >= len(text):
            return (len(text) if ended else 0), gap.start()
        if quoted and not breaks:
            continue
        if breaks > 1:
            return _line(text, gap), 0
        most = at + (_AFTER_LINE if breaks else _AFTER_SENTENCE)
        stop = text.find("\n", at, most)
        if stop < 0 and len(text) < most and not ended:
            return 0, gap.start()
        window = text[: stop if stop >= 0 else most]
        fence = breaks and window.startswith(_FENCES, at)
        if not fence and (_open(text[start:at], quotations=not breaks) or not _begins(window, at)):
            continue
        if breaks:
            return _line(text, gap), 0
        cited = marks.leading(window, at)  # marks that follow a full stop belong to the sentence before it
        if cited < len(window):
            return cited, 0
    return (len(text) if ended else 0), max(since, len(text.rstrip()) - 1)


def _line(text: str, gap: re.Match[str]) -> int:
    """Return where the line after a gap begins, so that its indentation stays with it."""
    return text.rfind("\n", gap.start(), gap.end()) + 1


def _begins(window: str, at: int) -> bool:
    """Tell whether a sentence, an item or a line of its own begins here."""
    if window.startswith("|", at):
        return True
    near = max(0, at - _BEFORE)
    return any(near + start == at for start, _ in sentences.spans(window[near:]))


def _open(text: str, *, quotations: bool) -> bool:
    """Tell whether a link, a tag, code, or a quotation goes on behind the end of a text."""
    tag = text.rfind("<")
    if (
        text[text.rstrip().rfind("\n") + 1 :].count("`") % 2
        or text.rfind("[") > text.rfind("]")
        or text.rfind("](") > text.rfind(")")
        or (tag > text.rfind(">") and re.match(r"[a-zA-Z/!@#]", text[tag + 1 : tag + 2]))
    ):
        return True
    return quotations and (text.count('"') % 2 == 1 or any(text.count(a) > sum(map(text.count, b)) for a, b in _PAIRS))
