"""What a file is, told from its content; a name only chooses between flavours of text. And who reads which."""

import re
from collections.abc import Callable

import puremagic

from knowledge.errors import Unreadable, Unsupported
from knowledge.extract import archive, code, docx, epub, html, mail, markdown, odt, pdf, plain, pptx, rtf, sentences, sheets
from knowledge.extract.characters import decode
from knowledge.extract.source import Source
from knowledge.extract.text import Extracted

_HEAD = 4096
_HTML = re.compile(r"<!doctype html|<html[\s>]|<head[\s>]|<body[\s>]|<(?:div|table|title|meta)[\s>]", re.IGNORECASE)
_HTML_ROOT = re.compile(r"<(?:!doctype\s+)?html[\s>]", re.IGNORECASE)
_QUOTED = re.compile(r"<!\[CDATA\[.*?(?:\]\]>|\Z)", re.DOTALL)
_XML = re.compile(r"\s*<(?:\?xml\s|!DOCTYPE\s|[A-Za-z_][\w.-]*:?[\w.-]*(?:\s+[\w:.-]+\s*=\s*[\"']|\s*/?>))")
_MBOX = re.compile(r"From [^\n]*\d\d:\d\d[^\n]*\n(?:>?From [^\n]*\n)?[!-9;-~]+:")
_HEADER = re.compile(r"([!-9;-~]+):[ \t]?[^\n]*\n(?:[ \t]+[^\n]*\n)*")
_SENT = {"from", "received", "message-id", "mime-version", "return-path", "subject"}
_MAIL_HEADERS = _SENT | {"to", "cc", "date", "content-type", "delivered-to", "reply-to", "sender", "x-mailer"}
_NAMED = {
    **dict.fromkeys(code.LANGUAGES, "code"),
    **dict.fromkeys((".md", ".markdown", ".mdown", ".mkd", ".rmd", ".qmd"), "markdown"),
    **dict.fromkeys((".csv", ".tsv", ".tab"), "csv"),
    **dict.fromkeys((".html", ".htm", ".xhtml"), "html"),
    ".eml": "email",
}
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_CONTROLS = bytes(set(range(32)) - {9, 10, 11, 12, 13, 26, 27})


def kind_of(source: Source) -> str:
    """Return which of `EXTRACTORS` reads a file.

    Raises `Unreadable` for an empty, encrypted or damaged file, `Unsupported` for a type nobody here reads.
    """
    data = source.data
    if not data.strip(b"\0 \t\r\n"):
        raise Unreadable(sentences.EMPTY)
    if b"%PDF-" in data[:1024] or _headless_pdf(data):
        return "pdf"
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return _container(data)
    if data.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        raise Unreadable(sentences.LOCKED) if _ENCRYPTED in data else Unsupported(sentences.OLD_OFFICE)
    if data[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{\\rt"):
        return "rtf"
    if _binary(data):
        raise Unsupported(f"{_name_of(data)} is not read. What is: {sentences.READABLE}.")
    return _flavour(source)


def _headless_pdf(data: bytes) -> bool:
    return data.startswith(b"%") and b" obj" in data[:1024] and b"startxref" in data[-1024:]


def _container(data: bytes) -> str:
    kind = archive.office_kind(data)
    if kind == "xlsb":
        raise Unsupported(sentences.BINARY_WORKBOOK)
    return kind


def _binary(data: bytes) -> bool:
    head = data[:_HEAD]
    if head.startswith((b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")):
        return False
    if b"\0" in head:
        even, odd = head[0::2].count(0), head[1::2].count(0)
        return not (max(even, odd) > len(head) // 8 and max(even, odd) > 8 * min(even, odd))
    return len(head) - len(head.translate(None, _CONTROLS)) > 2 + len(head) // 50


def _name_of(data: bytes) -> str:
    try:
        found = puremagic.magic_string(data[: 2**16])
    except (puremagic.PureError, ValueError, LookupError):
        return "This type of file"
    best = found[0] if found else None
    return f"This type of file ({best.name or best.extension})" if best and best.confidence >= 0.3 else "This type of file"


def _flavour(source: Source) -> str:
    head = decode(source.data[:_HEAD]).lstrip().replace("\r\n", "\n")
    if _MBOX.match(head):
        return "mbox"
    if _is_mail(head):
        return "email"
    if named := _NAMED.get(source.suffix):
        return named
    if _XML.match(head) and not _HTML_ROOT.search(_QUOTED.sub("", head)):
        return "xml"
    return "html" if head.startswith("<") and _HTML.search(head) else "text"


def _is_mail(head: str) -> bool:
    names = set()
    at = 0
    while match := _HEADER.match(head, at):
        names.add(match[1].lower())
        at = match.end()
    return len(names & _MAIL_HEADERS) >= 2 and bool(names & _SENT)


EXTRACTORS: dict[str, Callable[[Source], Extracted]] = {
    "pdf": pdf.extract,
    "docx": docx.extract,
    "pptx": pptx.extract,
    "xlsx": sheets.extract,
    "csv": sheets.extract_csv,
    "odt": odt.extract,
    "rtf": rtf.extract,
    "epub": epub.extract,
    "html": html.extract,
    "markdown": markdown.extract,
    "email": mail.extract,
    "mbox": mail.extract_mbox,
    "xml": plain.extract_xml,
    "code": code.extract,
    "text": plain.extract,
    "zip": archive.extract,
}
