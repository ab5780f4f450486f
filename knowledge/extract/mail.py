"""EML and MBOX: the headers people read, the body, and attachments as documents of their own."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.errors import MessageError
from email.message import EmailMessage

from knowledge.errors import Unreadable
from knowledge.extract import html, plain, sentences
from knowledge.extract.characters import decode, one_line
from knowledge.extract.draft import Draft
from knowledge.extract.source import Source
from knowledge.extract.text import Attached, Extracted

_HEADERS = ("From", "To", "Cc", "Date")
_SEPARATOR = re.compile(rb"(?m)^From [^\n]*\d\d:\d\d[^\n]*\n(?=(?:>?From [^\n]*\n)?[!-9;-~]+:)")
_QUOTED_FROM = re.compile(rb"(?m)^>(>*From )")
_ADDRESS = re.compile(r"\s*<[^<>]*@[^<>]*>")
_MAX_PARTS = 500
_MAX_MESSAGES = 20_000


def extract(source: Source) -> Extracted:
    """Read one message."""
    message = _message(source.data)
    draft, attached, notes = Draft(), list[Attached](), list[str]()
    _write(draft, message, attached, notes)
    return draft.finish(
        "email",
        title=_header(message, "Subject"),
        authors=[_author(message)],
        created_at=_date(message),
        attached=attached,
        notes=notes,
    )


def extract_mbox(source: Source) -> Extracted:
    """Read a mailbox: each message under its subject. One that holds a single message is that message."""
    starts = [match.start() for match in _SEPARATOR.finditer(source.data)]
    if len(starts) > _MAX_MESSAGES:
        raise Unreadable(
            f"It holds {len(starts):,} messages; at most {_MAX_MESSAGES:,} are taken. Divide it and teach the parts."
        )
    if len(starts) == 1:
        return extract(replace(source, data=source.data.partition(b"\n")[2]))
    draft, attached, notes = Draft(), list[Attached](), list[str]()
    authors: dict[str, None] = {}
    first: datetime | None = None
    for start, end in zip(starts, [*starts[1:], len(source.data)], strict=True):
        body = source.data[start:end].partition(b"\n")[2]
        message = _message(_QUOTED_FROM.sub(rb"\1", body))
        draft.heading(_header(message, "Subject") or "(no subject)", 1)
        _write(draft, message, attached, notes)
        if author := _author(message):
            authors[author] = None
        first = first or _date(message)
        source.tick()
    return draft.finish("mbox", authors=list(authors)[:20], created_at=first, attached=attached, notes=notes)


def _message(data: bytes) -> EmailMessage:
    message = message_from_bytes(data, policy=policy.default)
    assert isinstance(message, EmailMessage)  # noqa: S101 - what the policy makes
    return message


def _write(draft: Draft, message: EmailMessage, attached: list[Attached], notes: list[str]) -> None:
    headers = [f"{name}: {value}" for name in _HEADERS if (value := _header(message, name))]
    subject = _header(message, "Subject")
    draft.paragraph("\n".join([f"Subject: {subject}", *headers] if subject and not draft.path else headers))
    for count, part in enumerate(_leaves(message)):
        if count >= _MAX_PARTS:
            raise Unreadable(f"It has more than {_MAX_PARTS} parts.")
        _part(draft, part, attached, notes, count)


def _leaves(part: EmailMessage, depth: int = 0) -> Iterator[EmailMessage]:
    """Yield the parts to read: of alternatives the plainest one with words in it."""
    if depth > 20:
        return
    if part.get_content_type() == "message/rfc822" or not part.is_multipart():
        yield part
        return
    children = [child for child in part.iter_parts() if isinstance(child, EmailMessage)]
    if part.get_content_type() == "multipart/alternative" and children:
        plain_ones = [child for child in children if child.get_content_type() == "text/plain" and _text(child).strip()]
        children = plain_ones[:1] or children[-1:]
    for child in children:
        yield from _leaves(child, depth + 1)


def _part(draft: Draft, part: EmailMessage, attached: list[Attached], notes: list[str], number: int) -> None:
    kind, name = part.get_content_type(), _filename(part)
    if part.get_content_disposition() == "attachment" or (name and not kind.startswith("text/")) or kind == "message/rfc822":
        name = name or f"attachment-{number}{'.eml' if kind == 'message/rfc822' else ''}"
        if data := _bytes(part):
            attached.append(Attached(name, data))
        else:
            notes.append(sentences.left_out(name, Unreadable(sentences.EMPTY)))
    elif kind == "text/html":
        try:
            draft.append(html.read(_text(part), whole=True))
        except Unreadable:
            return
    elif kind.startswith("text/"):
        plain.write(draft, _text(part))


def _filename(part: EmailMessage) -> str | None:
    try:
        return one_line(re.split(r"[/\\]", part.get_filename() or "")[-1]) or None
    except (ValueError, LookupError, TypeError, AttributeError):
        return None


def _bytes(part: EmailMessage) -> bytes:
    if part.get_content_type() == "message/rfc822":
        inner = part.get_payload()
        first = inner[0] if isinstance(inner, list) and inner else None
        return first.as_bytes() if isinstance(first, EmailMessage) else b""
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def _text(part: EmailMessage) -> str:
    return decode(_bytes(part), _charset(part))


def _charset(part: EmailMessage) -> str | None:
    try:
        return part.get_content_charset()
    except (ValueError, LookupError, TypeError):
        return None


def _header(message: EmailMessage, name: str) -> str:
    """Return a header decoded, on one line; empty when it is missing or too broken to read."""
    try:
        return one_line(str(message.get(name, "")))
    except (MessageError, ValueError, LookupError, TypeError, AttributeError):
        return next((one_line(str(value)) for key, value in message.raw_items() if key.lower() == name.lower()), "")


def _author(message: EmailMessage) -> str | None:
    sender = _header(message, "From")
    return _ADDRESS.sub("", sender).strip("\"' ") or sender or None


def _date(message: EmailMessage) -> datetime | None:
    try:
        value = message.get("Date")
        moment = getattr(value, "datetime", None)
    except (MessageError, ValueError, LookupError, TypeError, AttributeError, OverflowError):
        return None
    if not isinstance(moment, datetime):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
