"""ZIP archives give their members as documents, and bombs go off harmlessly."""

import io
import zipfile

import pytest

from knowledge.errors import Unreadable
from knowledge.extract import sentences
from tests.knowledge.extract.samples import raw_docx, read, zipped


def test_members_are_documents_of_their_own() -> None:
    extracted = read(zipped({"a.txt": "first", "folder/b.md": "second", "c.docx": raw_docx("<w:p/>")}))
    assert extracted.kind == "archive"
    assert [inner.name for inner in extracted.attached] == ["a.txt", "folder/b.md", "c.docx"]
    assert extracted.attached[1].data == b"second"
    assert extracted.text == "a.txt\nfolder/b.md\nc.docx"


def test_archives_inside_are_opened_two_deep() -> None:
    extracted = read(zipped({"in.zip": zipped({"deeper.zip": zipped({"a.txt": "x"}), "b.txt": "y"})}))
    assert [inner.name for inner in extracted.attached] == ["in.zip/b.txt"]
    assert "only 2 deep" in extracted.notes[0]


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "etc/passwd"),
        ("/etc/passwd", "etc/passwd"),
        ("C:\\Windows\\a.txt", "Windows/a.txt"),
        ("a/./b//c.txt", "a/b/c.txt"),
        ("..", "unnamed"),
        ("a\u202etxt.exe", "atxt.exe"),
    ],
)
def test_names_lead_nowhere(name: str, safe: str) -> None:
    assert read(zipped({name: "x"})).attached[0].name == safe


def test_names_in_old_encodings_are_right() -> None:
    for word, encoding in (("审计压缩", "gbk"), ("Käse", "cp437"), ("Käse", "utf-8")):
        held = zipped({"x" * len(word.encode(encoding)) + ".txt": "x"})
        renamed = held.replace(b"x" * len(word.encode(encoding)) + b".txt", word.encode(encoding) + b".txt")
        assert read(renamed).attached[0].name == f"{word}.txt"


def test_what_systems_leave_behind_is_skipped() -> None:
    extracted = read(zipped({"a.txt": "x", "__MACOSX/._a.txt": "y", ".DS_Store": "z", "b/Thumbs.db": "z", "b/~$a.docx": "z"}))
    assert [inner.name for inner in extracted.attached] == ["a.txt"]


def test_a_bomb_is_not_opened() -> None:
    with pytest.raises(Unreadable, match="zip bomb"):
        read(zipped({"zeros": bytes(32 * 2**20)}))


def test_a_bomb_beside_a_good_file_is_left_out() -> None:
    extracted = read(zipped({"zeros": bytes(32 * 2**20), "a.txt": "x"}))
    assert [inner.name for inner in extracted.attached] == ["a.txt"]
    assert extracted.notes == (
        "zeros was left out: it unpacks to far more than its size lets expect, so it was not opened (a “zip bomb”).",
    )


def test_a_damaged_archive_inside_is_left_out_in_one_sentence() -> None:
    extracted = read(zipped({"folder/in.zip": zipped({"x.txt": "x" * 1000})[:60], "a.txt": "x"}))
    assert [inner.name for inner in extracted.attached] == ["a.txt"]
    assert extracted.notes == ("folder/in.zip was left out: it is damaged or was cut off, so it cannot be opened.",)


def test_too_many_members_are_refused() -> None:
    with pytest.raises(Unreadable, match="at most 10,000"):
        read(zipped({f"{number}": "" for number in range(10_001)}, zipfile.ZIP_STORED))


def test_overlapping_members_are_refused() -> None:
    data = bytearray(zipped({"a.txt": b"x" * 100, "b.txt": b"y" * 100}, zipfile.ZIP_STORED))
    second = data.rindex(b"PK\x01\x02")
    data[second + 42 : second + 46] = bytes(4)
    with pytest.raises(Unreadable):
        read(bytes(data))


def test_locked_members_are_reported() -> None:
    data = bytearray(zipped({"a.txt": "x", "b.txt": "y"}))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + offset] |= 1
    extracted = read(bytes(data))
    assert [inner.name for inner in extracted.attached] == ["b.txt"]
    assert extracted.notes == ("a.txt is protected by a password and was left out.",)


def test_an_empty_archive_says_so() -> None:
    with pytest.raises(Unreadable, match="nothing in it"):
        read(zipped({"folder/": ""}))


def test_an_archive_that_was_cut_off_says_so() -> None:
    with pytest.raises(Unreadable) as caught:
        read(zipped({"a.txt": "x" * 1000})[:60])
    assert str(caught.value) == sentences.CUT


def test_a_bomb_in_an_office_file_is_not_opened() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as container:
        container.writestr("[Content_Types].xml", "<x/>")
        container.writestr("word/document.xml", bytes(300 * 2**20))
    with pytest.raises(Unreadable) as caught:
        read(out.getvalue())
    assert str(caught.value) == sentences.BOMB
