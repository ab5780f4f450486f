"""RTF gives paragraphs, headings, lists and tables in the right characters."""

from datetime import UTC, datetime

import pytest

from tests.knowledge.extract.samples import block_of, blocks, holds_together, read

LETTER = rb"""{\rtf1\ansi\ansicpg1252\deff0
{\fonttbl{\f0\froman Times;}{\f1\fswiss\fcharset204 Arial Cyr;}{\f2\fcharset128 MS Mincho;}}
{\stylesheet{\s0 Normal;}{\s1\outlinelevel0 heading 1;}{\s2\outlinelevel1 heading 2;}}
{\info{\title The Letter}{\author Ada Lovelace}{\creatim\yr2024\mo1\dy31\hr12\min5}}
{\*\generator Nothing;}\pard\s1 Opening\par\pard\plain Gr\'fc\'dfe an \f1\'c0\'ed\'ed\'e0\f0  und \f2\'93\'fa\'96\'7b\f0 .\par
{\v hidden words}\u8220\'93quoted\u8221\'94 {\field{\*\fldinst HYPERLINK "https://example.org"}{\fldrslt a link}}\par
\pard\s2 Points\par\pard\ls1{\listtext\pard\plain 1.\tab}First point\par
\pard\intbl Year\cell Cost\cell\row\pard\intbl 2024\cell 9\cell\row\pard After.\par{\pict\pngblip 89504e470d0a}}"""


def test_structure_is_kept() -> None:
    extracted = read(LETTER)
    assert blocks(extracted, "heading") == ["Opening", "Points"]
    assert blocks(extracted, "table") == ["Year | Cost\n2024 | 9"]
    assert block_of(extracted, "2024").path == ("Opening", "Points")
    assert blocks(extracted)[-1] == "After."
    assert holds_together(extracted)


def test_each_font_has_its_characters() -> None:
    assert "Grüße an Анна und 日本." in blocks(read(LETTER))


def test_hidden_words_and_field_codes_are_left_out() -> None:
    text = read(LETTER).text
    assert "“quoted” a link" in text
    assert "hidden" not in text
    assert "HYPERLINK" not in text
    assert "89504e47" not in text


def test_what_the_file_says_of_itself_is_kept() -> None:
    extracted = read(LETTER)
    assert (extracted.title, extracted.authors) == ("The Letter", ("Ada Lovelace",))
    assert extracted.created_at == datetime(2024, 1, 31, 12, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("rtf", "text"),
    [
        (rb"{\rtf1 a\u-10179?\u-8704?b}", "a\U0001f600b"),
        (rb"{\rtf1\uc2 a\u945 xyb}", "aαb"),
        (rb"{\rtf1 lone \u55357? end}", "lone � end"),
        (rb"{\rtf1 \{braces\} and \\ }", "{braces} and \\"),
        (rb"{\rtf1 a\bin5 }}}}}b}", "ab"),
        (rb"{\rtf1 never closed {\b bold", "never closed bold"),
        (rb"{\rtf1 closed}}}} too often", "closed too often"),
        (rb"{\rtf1 a\~b\_c\-d}", "a b-cd"),
    ],
)
def test_odd_spellings_are_understood(rtf: bytes, text: str) -> None:
    assert read(rtf).text == text
