"""Which encoding bytes of text are in, when neither a mark nor the file says so."""

import codecs
import re

from charset_normalizer import from_bytes

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_JIS = re.compile(rb"\x1b\$[@B]")  # begins Japanese in seven bits, which is valid UTF-8 too
_SAMPLE = 65_536
# The letters that texts of a script are full of; a wrong reading of the bytes gives rare characters instead.
_EAST_ASIAN = (
    ("cp932", re.compile("[\u3041-\u30ff]"), 0.3),
    ("euc_jp", re.compile("[\u3041-\u30ff]"), 0.3),
    ("cp949", re.compile("[\uac00-\ud7a3]"), 0.8),
    (
        "gb18030",
        re.compile("[的一是不了在人有我他这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可她里后小]"),
        0.08,
    ),
    (
        "big5",
        re.compile("[的一是不了在人有我他這中大來上國個到說們為子和你地出道也時年得就那要下以生會自著去之過家學對可她裡後小]"),
        0.08,
    ),
)
_FEW = 0.3  # of the letters: in Latin script only those with accents are beyond ASCII
_POLISH = re.compile(r"[^\W\d_][¹³¿¾¼]")  # ą ł ż ľ Ľ, read as Western European


def encoding_of(data: bytes, declared: str | None = None) -> str | None:
    """Return the likeliest encoding: by mark, zero bytes, validity, what is declared, then by the letters it gives.

    None when nothing fits.
    """
    marked = next((encoding for bom, encoding in _BOMS if data.startswith(bom)), None) or _wide(data)
    if marked:
        return marked
    if _JIS.search(data) and _fits(data, "iso2022_jp"):
        return "iso2022_jp"
    if _fits(data, "utf-8"):
        return "utf-8"
    if declared and _fits(data, declared):
        return declared
    if _nearly_utf8(data):
        return "utf-8"
    sample = data[:_SAMPLE]
    return _east_asian(sample) or _latin(sample) or _guessed(sample)


def _fits(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except (UnicodeError, LookupError):
        return False
    return True


def _wide(data: bytes) -> str | None:
    """Recognise UTF-16 without a mark by the zero bytes of its Latin letters and blanks."""
    head = data[:4096]
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if odd > len(head) // 8 and odd > 8 * even:
        return "utf-16-le"
    return "utf-16-be" if even > len(head) // 8 and even > 8 * odd else None


def _nearly_utf8(data: bytes) -> bool:
    """Say whether this is UTF-8 with a few bytes damaged."""
    text = data.decode("utf-8", "replace")
    foreign = len(text) - len(text.encode("ascii", "ignore"))
    return text.count("\N{REPLACEMENT CHARACTER}") * 20 < foreign


def _east_asian(data: bytes) -> str | None:
    for encoding, usual, share in _EAST_ASIAN:
        text = data.decode(encoding, "replace")
        foreign = len(text) - len(text.encode("ascii", "ignore"))
        wrong = text.count("\N{REPLACEMENT CHARACTER}")
        if foreign > 4 and wrong * 50 <= foreign and len(usual.findall(text)) >= share * foreign:
            return encoding
    return None


def _latin(data: bytes) -> str | None:
    foreign = len(data) - len(data.decode("ascii", "ignore"))
    if foreign > _FEW * sum(map(str.isalpha, data.decode("latin-1"))):
        return None
    text = data.decode("cp1252", "replace")
    czech = "ø" in text and ("ì" in text or "ù" in text)  # ř with ě or ů
    return "cp1250" if czech or len(_POLISH.findall(text)) * 6 > foreign else "cp1252"


def _guessed(data: bytes) -> str | None:
    best = from_bytes(data).best()
    return None if best is None else best.encoding
