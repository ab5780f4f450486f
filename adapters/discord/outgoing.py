"""What the twin says, as Discord shows it: Markdown that can do no harm, and buttons (pure)."""

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from adapters.common.markdown import stretches
from adapters.common.parts import parts
from bot.chat import Answer, Notice, Source, Taught, What

MOST = 1_900  # characters; Discord takes 2,000
UP, DOWN, SOURCES, AGAIN, WHY, UNDO, STOP, WAIT = "up", "down", "sources", "again", "why", "undo", "stop", "wait"

_FORMS = re.compile(r"<(?=[@#:/]|a:|t:|id:)", re.IGNORECASE)
_BROADCAST = re.compile(r"@(?=everyone|here)", re.IGNORECASE)
_LOOSE = re.compile(r"(?<![(<\w])(https?://[^\s<>()]+)(?![^\[\]\n]*\]\()", re.IGNORECASE)
_TABLE = re.compile(r"(?:^[ \t]*\|.*\|[ \t]*(?:\n|\Z)){2,}", re.MULTILINE)
_RULE = re.compile(r"[ \t|:-]+")
_DEEP = re.compile(r"^#{4,6} +(.*)$", re.MULTILINE)
_PLAIN = re.compile(r"([\\`*_~|\[\]<>#-])")
_ROUND = str.maketrans("[]", "()")
_LABEL = 100
_LISTED = 10
_UNDOS = 5  # buttons; Discord takes five in a row


@dataclass(frozen=True, slots=True)
class Button:
    """A button: what it does (`id`), and whether it can be clicked."""

    id: str
    label: str
    emoji: str = ""
    danger: bool = False
    dead: bool = False


def mark(key: str) -> str:
    """Return by what a reply is known among the twin's messages: it stands in the ids of its buttons."""
    return hashlib.sha256(key.encode()).hexdigest()[:16]


def nonce(key: str, n: int) -> str:
    """Return what makes Discord post the n-th message of a reply once, however often it is asked within some minutes."""
    return hashlib.sha256(f"{key}#{n}".encode()).hexdigest()[:25]


def action(id: str) -> tuple[str, str]:
    """Return what a button does, and to what, by its id; nothing when it is not one of ours."""
    what = id.split(":")
    return (what[1], what[2]) if len(what) == 4 and what[0] == "twin" else ("", "")


def is_marked(ids: Sequence[str], key: str) -> bool:
    """Say whether a message with these ids of buttons belongs to a reply."""
    return any(id.startswith("twin:") and id.endswith(f":{mark(key)}") for id in ids)


def waiting(key: str, what: What) -> list[Button]:
    """Return what stands below a reply that is not whole."""
    if what is What.REPLY:
        return [Button(_id(STOP, "", key), "Stop", "⏹")]
    return [Button(_id(WAIT, "", key), "Working on it", dead=True)]


def beneath(key: str, content: Answer | Notice) -> list[Button]:
    """Return what stands below the whole."""
    if isinstance(content, Notice):
        return [_undo(key, one, alone=len(content.taught) == 1) for one in content.taught[:_UNDOS]]
    if not content.message_id:
        return []
    about = content.message_id
    buttons = [Button(_id(UP, about, key), "", "👍"), Button(_id(DOWN, about, key), "", "👎")]
    if content.sources and not content.abstained:
        buttons.append(Button(_id(SOURCES, about, key), "Sources"))
    if not content.abstained:
        buttons.append(Button(_id(AGAIN, about, key), "Regenerate"))
    return [*buttons, Button(_id(WHY, about, key), "Why")]


def _undo(key: str, one: Taught, *, alone: bool) -> Button:
    label = "Forget this" if alone else f"Forget {_short(one.title or 'Untitled', 60)}"
    return Button(_id(UNDO, one.document_id, key), label, danger=True)


def _id(what: str, about: str, key: str) -> str:
    return f"twin:{what}:{about}:{mark(key)}"


def texts(content: Answer | Notice) -> list[str]:
    """Return the messages that the whole takes."""
    said = [shown(content.text)]
    if isinstance(content, Answer):
        said += [f"-# {shown(content.notice)}"] if content.notice.strip() else []
        said += ["\n".join(map(source, content.sources[:_LISTED]))] if content.sources and not content.abstained else []
    return parts("\n\n".join(said), MOST)


def parts_of(said: Sequence[str]) -> list[str]:
    """Return the messages that some paragraphs take, which are fit to be shown already."""
    return parts("\n\n".join(said) or "Nothing.", MOST)


def quoted(text: str) -> str:
    """Return some words as they are, in one line that nothing stands out of."""
    return shown(_short(_PLAIN.sub(r"\\\1", text), 600))


def line(text: str) -> str:
    """Return some words as one line of plain text."""
    return shown(_PLAIN.sub(r"\\\1", _short(text, 200)))


def growing(text: str) -> list[str]:
    """Return the messages that an answer takes so far."""
    return parts(shown(text).rstrip(), MOST)


def shown(text: str) -> str:
    """Return Markdown as Discord shows it: tables as code, and nothing that calls somebody or shows a preview."""
    return "".join(one if is_code else _prose(one) for is_code, one in stretches(_TABLE.sub(_as_code, text)))


def _prose(text: str) -> str:
    said = _BROADCAST.sub("@\u200b", _FORMS.sub(r"\\<", _DEEP.sub(r"**\1**", text)))
    return _LOOSE.sub(r"<\1>", said)


def _as_code(found: re.Match[str]) -> str:
    """Lay a table out in a block of code, which is how Discord can show one."""
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in found.group().strip().splitlines()]
    if len(rows) < 2 or not all(_RULE.fullmatch(cell) for cell in rows[1]):
        return found.group()
    rows = [rows[0], *rows[2:]]
    columns = max(map(len, rows))
    rows = [[*row, *[""] * (columns - len(row))] for row in rows]
    widths = [max(_width(row[n]) for row in rows) for n in range(columns)]
    lines = ["  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)) for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "```\n" + "\n".join(line.rstrip().replace("```", "'''") for line in lines) + "\n```\n"


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)


def source(one: Source) -> str:
    """Return a line about a source, with a link that opens it."""
    where = one.title or "Untitled"
    where += f", p. {one.page}" if one.page is not None else ""
    where += f" › {one.heading}" if one.heading else ""
    label = _short(where, _LABEL).translate(_ROUND)  # whoever reads Markdown in another way finds no end of the link in it
    label = _BROADCAST.sub("@\u200b", _PLAIN.sub(r"\\\1", label))
    return f"-# [{one.n}] [{label}](<{address}>)" if (address := _address(one.url)) else f"-# [{one.n}] {label}"


def _address(url: str) -> str:
    """Return an address that opens in a browser and cannot end the link it stands in, or nothing."""
    if len(url) > 500 or re.search(r"[\s\x00-\x1f\x7f]", url):
        return ""
    try:
        parts_ = urlsplit(url)
    except ValueError:
        return ""
    if parts_.scheme not in {"http", "https"} or not parts_.hostname:
        return ""
    return re.sub(r"[<>()\\]", lambda found: f"%{ord(found.group()):02X}", url)


def _short(text: str, most: int) -> str:
    said = " ".join(text.split())
    return said if len(said) <= most else f"{said[: most - 1].rstrip()}…"
