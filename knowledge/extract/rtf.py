"""RTF: paragraphs, headings, list items and tables, in the character sets its fonts name."""

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from knowledge.extract.draft import Draft
from knowledge.extract.source import Source
from knowledge.extract.text import Extracted

_TOKEN = re.compile(rb"\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z'])|([{}])|[\r\n]+|([^\\{}\r\n]+)|\\")
_SKIPPED = frozenset(
    b"""
    fonttbl colortbl stylesheet pict object objdata themedata colorschememapping datastore latentstyles listtable
    listoverridetable rsidtbl generator xmlnstbl fldinst template filetbl revtbl bkmkstart bkmkend nonshppict mmathPr panose
    falt listpicture pgptbl background sp wgrffmtfilter xe tc atrfstart atrfend atnref atnid atntime atndate nextfile
    userprops passwordhash protusertbl fontemb objclass objname blipuid
    """.split()
)
_INFO = {b"title", b"author", b"creatim"}
_CHARACTERS = {
    b"tab": "\t", b"line": "\n", b"lquote": "‘", b"rquote": "’", b"ldblquote": "“", b"rdblquote": "”", b"emdash": "—",
    b"endash": "–", b"bullet": "•", b"emspace": " ", b"enspace": " ", b"qmspace": " ", b"zwj": "\u200d", b"zwnj": "\u200c",
}  # fmt: skip
_SYMBOLS = {b"~": "\u00a0", b"_": "-", b"{": "{", b"}": "}", b"\\": "\\", b"-": ""}
_CHARSETS = {
    0: "cp1252", 77: "mac_roman", 78: "shift_jis", 128: "cp932", 129: "cp949", 130: "johab", 134: "gbk", 136: "big5",
    161: "cp1253", 162: "cp1254", 163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874",
    238: "cp1250", 255: "cp437",
}  # fmt: skip
_TIME = re.compile(rb"\\yr(\d+)|\\mo(\d+)|\\dy(\d+)|\\hr(\d+)|\\min(\d+)")


@dataclass(frozen=True, slots=True)
class _State:
    """What a group inherits from the one around it."""

    skipped: bool = False
    hidden: bool = False
    info: bytes = b""
    label: bool = False
    font: int | None = None
    style: int | None = None
    after_unicode: int = 1


def extract(source: Source) -> Extracted:
    """Read an RTF file."""
    reading = _Reading()
    for number, match in enumerate(_TOKEN.finditer(source.data)):
        reading.take(match, source.data)
        if number % 200_000 == 0:
            source.tick()
    reading.end_paragraph()
    reading.end_table()
    info = reading.info
    return reading.draft.finish("rtf", title=info.get(b"title"), authors=[info.get(b"author")], created_at=_moment(source.data))


class _Reading:
    """The state of one walk through the tokens of a file."""

    def __init__(self) -> None:
        self.draft = Draft()
        self.info: dict[bytes, str] = {}
        self._state = _State()
        self._stack: list[_State] = []
        self._starred = False
        self._skip = 0
        self._until = 0
        self._page = "cp1252"
        self._fonts: dict[int, str] = {}
        self._raw = bytearray()
        self._text: list[str] = []
        self._cells: list[str] = []
        self._rows: list[list[str]] = []
        self._in_table = False
        self._outline: int | None = None
        self._listed = False
        self._levels: dict[int, int] = {}  # of the styles that are headings

    def take(self, match: re.Match[bytes], data: bytes) -> None:
        """Take the next token."""
        if match.start() < self._until:
            return
        word, number, escaped, symbol, brace, plain = match.groups()
        if escaped:
            self._byte(bytes([int(escaped, 16)]))
        elif plain:
            self._byte(plain)
        elif word:
            self._word(word, int(number) if number else None, match.end())
        elif brace == b"{":
            self._flush()
            self._stack.append(self._state)
        elif brace == b"}":
            self._flush()
            self._state = self._stack.pop() if self._stack else self._state
            self._starred = False
        elif symbol == b"*":
            self._starred = True
        elif symbol in {b"\n", b"\r"}:
            self.end_paragraph()
        elif symbol:
            self._say(_SYMBOLS.get(symbol, ""))

    def _word(self, word: bytes, number: int | None, end: int) -> None:
        self._flush()
        if word == b"bin":
            self._until = end + max(number or 0, 0)
        elif word == b"u" and number is not None:
            self._say(chr(number % 65536), unicode=True)
            self._skip = self._state.after_unicode
        elif word in _SKIPPED or (self._starred and word not in {b"shppict", b"shptxt", b"shpinst", b"ud", b"annotation"}):
            self._state = replace(self._state, skipped=True)
        elif word in _INFO:
            self._state = replace(self._state, info=word)
        elif word in _CHARACTERS:
            self._say(_CHARACTERS[word])
        elif word in _ACTIONS:
            _ACTIONS[word](self, number)
        self._starred = False

    def _byte(self, raw: bytes) -> None:
        if self._skip:
            skipped = min(self._skip, len(raw))
            self._skip -= skipped
            raw = raw[skipped:]
        self._raw += raw

    def _flush(self) -> None:
        """Decode the bytes since the last control word: two-byte characters may be spelled in two escapes."""
        if self._raw:
            raw = bytes(self._raw)
            self._raw.clear()
            encoding = self._fonts.get(self._state.font if self._state.font is not None else -1, self._page)
            self._say(raw.decode(encoding, "replace"))

    def _say(self, text: str, *, unicode: bool = False) -> None:
        if self._raw and not unicode:
            self._flush()
        if self._state.info:
            self.info[self._state.info] = self.info.get(self._state.info, "") + text
        elif not self._state.skipped and not self._state.hidden:
            self._text.append(text)

    def end_paragraph(self) -> None:
        """Close the paragraph that was being written."""
        self._flush()
        text = self._taken()
        if self._in_table:
            self._cells[-1:] = [" ".join(part for part in (*self._cells[-1:], text) if part)]
            return
        self.end_table()
        if self._outline is not None:
            self.draft.heading(text, self._outline + 1)
        elif self._listed:
            self.draft.item(text)
        else:
            self.draft.paragraph(text)

    def end_table(self) -> None:
        """Close the table that was being written."""
        if self._rows:
            self.draft.table(self._rows)
            self._rows = []

    def _taken(self) -> str:
        text = "".join(self._text)
        self._text.clear()
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # joins halves written one by one

    def reset(self, _: int | None) -> None:
        """Begin a paragraph without properties, unless this is said inside a list label."""
        if not self._state.label:
            self._outline, self._listed, self._in_table = None, False, False

    def in_table(self, _: int | None) -> None:
        """Note that the paragraph stands in a cell."""
        if not self._in_table and not self._cells:
            self._cells.append("")
        self._in_table = True

    def end_cell(self, _: int | None) -> None:
        """Close a cell."""
        self._in_table = True
        if not self._cells:
            self._cells.append("")
        self.end_paragraph()
        self._cells.append("")

    def end_row(self, _: int | None) -> None:
        """Close a row."""
        if any(self._cells):
            self._rows.append(self._cells[:-1])
        self._cells = []

    def paragraph(self, _: int | None) -> None:
        """End a paragraph."""
        self.end_paragraph()

    def label(self, _: int | None) -> None:
        """Begin the label of a list item."""
        self._listed = True
        self._state = replace(self._state, label=True)

    def outline(self, level: int | None) -> None:
        """Make the paragraph, or the style being defined, a heading."""
        if level is not None and 0 <= level < 9:
            if self._state.skipped and self._state.style is not None:
                self._levels[self._state.style] = level
            elif not self._state.skipped:
                self._outline = level

    def style(self, number: int | None) -> None:
        """Use, or begin to define, a paragraph style."""
        self._state = replace(self._state, style=number)
        if not self._state.skipped:
            self._outline = self._levels.get(number or 0)

    def font(self, number: int | None) -> None:
        """Use, or begin to define, a font."""
        self._state = replace(self._state, font=number)

    def charset(self, number: int | None) -> None:
        """Set the character set of the font being defined."""
        if self._state.font is not None and number in _CHARSETS:
            self._fonts[self._state.font] = _CHARSETS[number]

    def code_page(self, number: int | None) -> None:
        """Set the character set of fonts that name none."""
        try:
            self._page = codecs.lookup(f"cp{number}").name
        except LookupError:
            return

    def macintosh(self, _: int | None) -> None:
        """Set the character set of old Macintosh files."""
        self._page = "mac_roman"

    def hide(self, number: int | None) -> None:
        """Begin or end hidden text."""
        self._state = replace(self._state, hidden=number != 0)

    def show(self, _: int | None) -> None:
        """Return to plain text."""
        self._state = replace(self._state, hidden=False)

    def after_unicode(self, number: int | None) -> None:
        """Set how many bytes follow a Unicode character for old readers."""
        self._state = replace(self._state, after_unicode=max(0, min(number or 0, 10)))

    def skip(self, _: int | None) -> None:
        """Leave the group out."""
        self._state = replace(self._state, skipped=True)


def _moment(data: bytes) -> datetime | None:
    start = data.find(rb"{\creatim", 0, 100_000)
    if start < 0:
        return None
    parts = [
        int(next(part for part in match.groups() if part)) for match in _TIME.finditer(data, start, data.find(b"}", start))
    ]
    try:
        return datetime(*parts[:5], tzinfo=UTC) if len(parts) >= 3 else None  # type: ignore[misc, arg-type]
    except ValueError:
        return None


_ACTIONS: dict[bytes, Callable[[_Reading, int | None], None]] = {
    b"par": _Reading.paragraph,
    b"sect": _Reading.paragraph,
    b"page": _Reading.paragraph,
    b"pard": _Reading.reset,
    b"intbl": _Reading.in_table,
    b"cell": _Reading.end_cell,
    b"nestcell": _Reading.end_cell,
    b"row": _Reading.end_row,
    b"nestrow": _Reading.end_row,
    b"listtext": _Reading.label,
    b"pntext": _Reading.label,
    b"outlinelevel": _Reading.outline,
    b"s": _Reading.style,
    b"f": _Reading.font,
    b"fcharset": _Reading.charset,
    b"ansicpg": _Reading.code_page,
    b"mac": _Reading.macintosh,
    b"v": _Reading.hide,
    b"deleted": _Reading.hide,
    b"plain": _Reading.show,
    b"uc": _Reading.after_unicode,
    b"info": _Reading.skip,
}
