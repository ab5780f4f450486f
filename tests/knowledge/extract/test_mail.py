"""Mails give their headers, their words, and their attachments as documents."""

from datetime import UTC, datetime
from email.message import EmailMessage

import pytest

from tests.knowledge.extract.samples import block_of, blocks, holds_together, read


def mail(subject: str = "Grüße aus Köln", body: str = "The meeting is on Monday.") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Ada Lovelace <ada@example.org>"
    message["To"] = "alan@example.org"
    message["Subject"] = subject
    message["Date"] = "Wed, 31 Jan 2024 12:00:00 +0000"
    message.set_content(body)
    return message


def test_headers_and_body_are_read() -> None:
    extracted = read(mail().as_bytes(), "blob")
    assert extracted.kind == "email"
    assert extracted.text.startswith("Subject: Grüße aus Köln\nFrom: Ada Lovelace <ada@example.org>")
    assert "The meeting is on Monday." in blocks(extracted)


def test_what_the_mail_says_of_itself_is_kept() -> None:
    extracted = read(mail().as_bytes())
    assert (extracted.title, extracted.authors) == ("Grüße aus Köln", ("Ada Lovelace",))
    assert extracted.created_at == datetime(2024, 1, 31, 12, tzinfo=UTC)


def test_of_alternatives_the_plain_one_is_read() -> None:
    message = mail()
    message.add_alternative("<p>The meeting, <b>prettier</b>.</p>", subtype="html")
    text = read(message.as_bytes()).text
    assert "on Monday" in text
    assert "prettier" not in text


def test_html_alone_is_read_without_marks() -> None:
    message = mail()
    message.set_content("<html><body><h2>Plan</h2><p>Only <b>here</b>.</p></body></html>", subtype="html")
    extracted = read(message.as_bytes())
    assert block_of(extracted, "Only here.").path == ("Plan",)


def test_attachments_are_documents_of_their_own() -> None:
    message = mail()
    message.add_attachment(b"a,b\n1,2", maintype="text", subtype="csv", filename="../tables/zahlen für Köln.csv")
    message.add_attachment(mail("Inside", "Forwarded words."))
    extracted = read(message.as_bytes())
    assert [inner.data[:4] for inner in extracted.attached] == [b"a,b\n", b"From"]
    assert extracted.attached[0].name == "zahlen für Köln.csv"
    assert extracted.attached[1].name.endswith(".eml")
    assert "Forwarded" not in extracted.text


def test_an_empty_attachment_is_left_out_and_named() -> None:
    message = mail()
    message.add_attachment(b"", maintype="application", subtype="pdf", filename="plan.pdf")
    extracted = read(message.as_bytes())
    assert extracted.attached == ()
    assert extracted.notes == ("plan.pdf was left out: the file is empty.",)


def test_a_mailbox_gives_every_message_under_its_subject() -> None:
    first = mail("First", "From now on all is well.\n>From the start.").as_bytes()
    second = mail("Second")
    second.add_attachment(b"notes", maintype="application", subtype="octet-stream", filename="notes.bin")
    line = b"From ada@example.org Wed Jan 31 12:00:00 2024\n"
    extracted = read(line + first + b"\n" + line + second.as_bytes())
    assert extracted.kind == "mbox"
    assert blocks(extracted, "heading") == ["First", "Second"]
    assert block_of(extracted, "all is well").path == ("First",)
    assert [inner.name for inner in extracted.attached] == ["notes.bin"]
    assert holds_together(extracted)


def test_a_mailbox_of_one_message_is_that_message() -> None:
    extracted = read(b"From ada@example.org Wed Jan 31 12:00:00 2024\n" + mail("Alone").as_bytes())
    assert (extracted.kind, extracted.title) == ("email", "Alone")


@pytest.mark.parametrize(
    "broken",
    [
        b"From: a@b\nSubject: =?utf-8?b?broken\nContent-Type: text/plain; charset=no-such\n\nWords",
        b"From: a@b\nDate: never\nSubject: x\nContent-Type: multipart/mixed\n\nWords",
        b"From: <<<>>,,\nSubject: x\nContent-Transfer-Encoding: base64\n\n!!!not base64 Words",
        b'Subject: x\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="y"\n\n--y\n\nWords without an end',
        b"From: a@b\nSubject: \xff\xfe\xfa raw\n\nWords",
    ],
)
def test_broken_mails_are_read_as_far_as_they_go(broken: bytes) -> None:
    assert read(broken).kind == "email"


def test_parts_within_parts_end() -> None:
    data = b"words"
    for depth in range(60):
        data = b"--b%d\nContent-Type: multipart/mixed; boundary=b%d\n\n" % (depth + 1, depth) + data
    assert (
        read(b"From: a@b\nSubject: deep\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b60\n\n" + data).kind
        == "email"
    )
