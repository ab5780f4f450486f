"""Characters as they are stored: composed, visible, and in the encoding the bytes were really in."""

import re
import unicodedata

from knowledge.errors import Unreadable
from knowledge.extract.encodings import encoding_of

_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_SURROGATES = re.compile("[\ud800-\udfff]")
# Control characters, soft hyphens, zero-width and bidirectional controls, tags, and the variation selectors beyond the
# sixteen usual ones: nobody sees them, so nobody could check a quotation that contains them.
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e0fff]"
)
_JOINERS = re.compile("[\u200c\u200d]")
_BLANKS = re.compile("[ \t\xa0\u2000-\u200a\u202f\u205f\u3000]+")
_SYMBOL_BULLETS = str.maketrans(dict.fromkeys("\uf0a7\uf0b7\uf0d8\uf0fc", "•"))  # of the Symbol and Wingdings fonts
_SPACED_LINE_END = re.compile(" ?\n ?")


def clean(text: str) -> str:
    """Return the text composed (NFC), with \\n line ends and without characters that nobody can see."""
    if "\r" in text or not text.isprintable():
        text = _LINE_ENDS.sub("\n", text)
        text = _UNSEEN.sub("", _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", text))
        text = _JOINERS.sub(_joiner, text)
    return unicodedata.normalize("NFC", text)


def tidy(text: str) -> str:
    """Return running text cleaned, with single spaces and no blanks around line ends."""
    return _SPACED_LINE_END.sub("\n", _BLANKS.sub(" ", clean(text).translate(_SYMBOL_BULLETS))).strip()


def one_line(text: str) -> str:
    """Return the text cleaned, on one line."""
    return " ".join(clean(text).split())


def _joiner(match: re.Match[str]) -> str:
    """Keep a joiner after a letter of a script that needs it and inside emoji; drop it elsewhere."""
    before = match.string[match.start() - 1 : match.start()]
    return match[0] if before and ord(before) >= 0x0590 and unicodedata.category(before)[0] in "LMS" else ""


def decode(data: bytes, declared: str | None = None) -> str:
    """Decode text of an unknown encoding; `declared` is what the file itself says. Raises `Unreadable` when none fits."""
    encoding = encoding_of(data, declared)
    if encoding is None:
        raise Unreadable("Its text is in no encoding that is known here. Save it as UTF-8 and teach it again.")
    return data.decode(encoding, "replace")
