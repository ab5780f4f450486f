"""Plain text in any usual encoding, XML as the words in it, code in whole definitions, books chapter by chapter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.extract.code import pieces
from tests.knowledge.extract.samples import block_of, blocks, holds_together, read, zipped

RUSSIAN = "Съешь же ещё этих мягких французских булок, да выпей чаю. Широкая электрификация южных губерний даст мощный толчок."
JAPANESE = "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。"
CHINESE = "我们的学校在城市的中心，学生们每天都来这里学习中文和数学。"
KOREAN = "안녕하세요 우리는 매일 학교에 가서 한국어를 공부합니다"
FRENCH = "L'été dernier, la forêt était déjà sèche ; où êtes-vous allés ? Ça a été très agréable, à côté de la mer."
SPANISH = "El niño comió piñas mañana, ¿sí? ¡Qué día!"
DANISH = "Rødgrød med fløde på, og så er det godt, både før og efter øl."
POLISH = "Zażółć gęślą jaźń, a potem pójdziemy do domu i będziemy się cieszyć, że już jest późno."


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (RUSSIAN, "utf-8"),
        (RUSSIAN, "utf-8-sig"),
        (RUSSIAN, "utf-16"),
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "koi8-r"),
        (RUSSIAN, "cp866"),
        (JAPANESE, "shift_jis"),
        (JAPANESE, "euc_jp"),
        (JAPANESE, "iso2022_jp"),
        (CHINESE, "gbk"),
        (KOREAN, "euc_kr"),
        (SPANISH, "cp1252"),
        (DANISH, "cp1252"),
        (POLISH, "cp1250"),
        (FRENCH, "cp1252"),
        (FRENCH, "utf-16-le"),
        (FRENCH, "utf-32"),
    ],
)
def test_the_encoding_is_found(text: str, encoding: str) -> None:
    assert read(text.encode(encoding)).text == text


def test_a_few_broken_bytes_do_not_change_the_encoding() -> None:
    assert read(RUSSIAN.encode() + b"\xff end").text.startswith(RUSSIAN)


def test_blank_lines_divide_paragraphs_and_broken_lines_are_joined() -> None:
    wrapped = "A first line that is broken at a fixed width by a\nprogram that thinks of terminals, and goes on here."
    verse = "Roses are red,\nviolets blue."
    assert blocks(read(f"{wrapped}\n\n\n{verse}".encode())) == [wrapped.replace("\n", " "), verse]


def test_lists_give_items() -> None:
    assert blocks(read(b"To do:\n- wash up\n- call Ada\n  about lunch"), "item") == ["- wash up", "- call Ada\nabout lunch"]


def test_xml_gives_its_words_in_order() -> None:
    xml = b"""<?xml version="1.0"?><!DOCTYPE r [<!ENTITY e "bomb">]>
    <r><a>One <b>bold</b> word</a><c title="Said"><d>Two</d></c>&e;&unknown;</r>"""
    assert blocks(read(xml)) == ["One bold word", "Said", "Two"]


def test_markup_quoted_in_xml_is_stripped_and_styling_left_out() -> None:
    page = "<html><head><style>td {color: red}</style></head><body><p>A <b>high</b> peak</p></body></html>"
    kml = f"""<?xml version="1.0"?><kml><Document><name>Mountains</name>
    <Style><IconStyle><color>ff00ff</color></IconStyle></Style><StyleMap><key>normal</key></StyleMap>
    <Placemark><styleUrl>#a</styleUrl><description><![CDATA[{page}]]></description></Placemark>
    <note>&lt;p class="x">In Nepal.&lt;/p></note><note>&lt;/b></note></Document></kml>"""
    extracted = read(kml.encode())
    assert extracted.kind == "xml"
    assert blocks(extracted) == ["Mountains", "A high peak", "In Nepal."]


@pytest.mark.parametrize("words", ["a List<String> of names", "if a < b and c > d", "if a<b and c>d"])
def test_angles_in_xml_that_are_no_markup_stay(words: str) -> None:
    assert blocks(read(f"<r><a><![CDATA[{words}]]></a></r>".encode())) == [words]


def test_xml_that_is_none_is_read_as_text() -> None:
    assert read(b"<?xml version='1.0'?> words").text.endswith("words")


CODE = '''"""What it is."""

import os


def first() -> None:
    """Do it."""

    return os.sep


class Second:
    size = 1

    def method(self) -> None: ...
'''


def test_code_is_divided_at_its_definitions() -> None:
    extracted = read(CODE.encode(), "thing.py")
    assert extracted.kind == "code"
    assert extracted.notes == ("Written in Python.",)
    assert block_of(extracted, "return os.sep").path == ("first",)
    assert "def method" in blocks(extracted)[-1]
    assert block_of(extracted, "def method").path == ("Second",)
    assert holds_together(extracted)


def test_what_closes_a_bracket_stays_with_what_opened_it() -> None:
    assert pieces("int main() {\n  a();\n\n\n}\n\nvoid b() {}") == ["int main() {\n  a();\n\n}", "void b() {}"]


def test_a_book_gives_its_chapters_in_order() -> None:
    package = """<package xmlns:dc="http://purl.org/dc/elements/1.1/">
    <metadata><dc:title>The Book</dc:title><dc:creator>Ada</dc:creator></metadata>
    <manifest><item id="b" href="two.xhtml"/><item id="a" href="one.xhtml"/></manifest>
    <spine><itemref idref="a"/><itemref idref="b"/></spine></package>"""
    container = "<container><rootfiles><rootfile full-path='OPS/book.opf'/></rootfiles></container>"
    extracted = read(
        zipped(
            {
                "mimetype": "application/epub+zip",
                "META-INF/container.xml": container,
                "OPS/book.opf": package,
                "OPS/two.xhtml": "<html><body><h1>Two</h1><p>Last words.</p></body></html>",
                "OPS/one.xhtml": "<html><body><h1>One</h1><p>First words.</p></body></html>",
            }
        )
    )
    assert (extracted.kind, extracted.title, extracted.authors) == ("epub", "The Book", ("Ada",))
    assert blocks(extracted) == ["One", "First words.", "Two", "Last words."]


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=300))
def test_blocks_hold_together_for_any_text(text: str) -> None:
    assert holds_together(read(("words\n\n" + text).encode(), "x.log"))
