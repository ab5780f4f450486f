"""Text is stored clean, and every span indexes it exactly."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.errors import Unreadable
from knowledge.extract import draft as drafts
from knowledge.extract.characters import clean, one_line, tidy
from knowledge.extract.draft import Draft, unwrap
from knowledge.extract.language import language_of
from tests.knowledge.extract.samples import blocks, holds_together


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("e\u0301", "é"),
        ("a\0b\x07c", "abc"),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("ig\U000e0069\U000e006enore", "ignore"),
        ("\u202eevil\u202c", "evil"),
        ("in\u200bvis\u2060ible\ufeff", "invisible"),
        ("soft\xadhyphen", "softhyphen"),
        ("\ud800", "\ufffd"),
        ("नमस्\u200dते", "नमस्\u200dते"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("👩\u200d💻", "👩\u200d💻"),
        ("la\u200dtin", "latin"),
    ],
)
def test_only_what_can_be_seen_is_kept(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@given(st.text())
def test_cleaning_is_done_after_once(text: str) -> None:
    once = clean(text)
    assert clean(once) == once
    assert unicodedata.is_normalized("NFC", once)
    assert one_line(text) == one_line(once)
    assert tidy(tidy(text)) == tidy(text)


_DEEDS = st.sampled_from(["heading", "paragraph", "item", "code", "table", "rows"])


@given(st.lists(st.tuples(_DEEDS, st.text(max_size=40), st.integers(1, 4))))
def test_blocks_hold_together_whatever_is_written(deeds: list[tuple[str, str, int]]) -> None:
    draft = Draft()
    for deed, text, level in deeds:
        match deed:
            case "heading":
                draft.heading(text, level)
            case "table":
                draft.table([text.split(" ")] * level)
            case "rows":
                draft.rows(enumerate([[text, text]] * level, start=1), "a | b")
            case _:
                getattr(draft, deed)(text)
    extracted = draft.finish("text")
    assert holds_together(extracted)
    assert unicodedata.is_normalized("NFC", extracted.text)
    assert len(draft) == len(extracted.text)


def test_a_heading_ends_those_of_its_level_and_below() -> None:
    draft = Draft()
    for text, level in (("A", 1), ("B", 2), ("C", 3), ("D", 2)):
        draft.heading(text, level)
    draft.paragraph("x")
    extracted = draft.finish("text")
    assert [block.path for block in extracted.blocks] == [(), ("A",), ("A", "B"), ("A",), ("A", "D")]
    assert blocks(extracted)[-1] == "x"


def test_text_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafts, "MAX_CHARACTERS", 10)
    with pytest.raises(Unreadable):
        Draft().paragraph("more than ten characters")


def test_verses_and_addresses_keep_their_lines() -> None:
    assert unwrap("12 Some Street\nSome Town") == "12 Some Street\nSome Town"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The meeting of the committee will be held in the large hall on the second floor of the building.", "en"),
        (
            "Die Sitzung des Ausschusses findet im großen Saal im zweiten Stock des Gebäudes statt, und alle sind eingeladen.",
            "de",
        ),
        ("La réunion du comité aura lieu dans la grande salle au deuxième étage du bâtiment, et tous sont invités.", "fr"),
        ("Too short", None),
        ("4711 0815 " * 40, None),
    ],
)
def test_the_language_is_told_when_there_is_enough_to_tell(text: str, language: str | None) -> None:
    assert language_of(text) == language
