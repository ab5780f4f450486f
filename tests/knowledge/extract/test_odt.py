"""OpenDocument files give headings, lists, tables, notes, sheets and slides."""

import pytest

from knowledge.errors import Unreadable
from knowledge.extract.text import Extracted
from tests.knowledge.extract.samples import block_of, blocks, holds_together, read, zipped

_SPACE = "urn:oasis:names:tc:opendocument:xmlns"
NAMES = " ".join(f'xmlns:{name}="{_SPACE}:{name}:1.0"' for name in ("office", "text", "table", "draw", "presentation", "meta"))
META = f"""<office:document-meta {NAMES} xmlns:dc="http://purl.org/dc/elements/1.1/"><office:meta><dc:title>The Notes</dc:title>
<dc:creator>Ada Lovelace</dc:creator><meta:creation-date>2024-01-31T12:00:00</meta:creation-date>
</office:meta></office:document-meta>"""


def opened(kind: str, body: str, manifest: str = "<m/>") -> Extracted:
    inside = f"<office:body><office:{kind}>{body}</office:{kind}></office:body>"
    return read(
        zipped(
            {
                "mimetype": f"application/vnd.oasis.opendocument.{kind}",
                "content.xml": f"<office:document-content {NAMES}>{inside}</office:document-content>",
                "meta.xml": META,
                "META-INF/manifest.xml": manifest,
            }
        )
    )


def row(*words: str) -> str:
    cells = (f"<table:table-cell><text:p>{word}</text:p></table:table-cell>" for word in words)
    return f"<table:table-row>{''.join(cells)}</table:table-row>"


def test_a_text_gives_its_structure() -> None:
    extracted = opened(
        "text",
        f"""<text:tracked-changes><text:p>Deleted.</text:p></text:tracked-changes>
        <text:h text:outline-level="1">Water</text:h>
        <text:p>It is<text:s text:c="2"/>wet<text:note><text:note-citation>1</text:note-citation>
        <text:note-body><text:p>And cold.</text:p></text:note-body></text:note>.</text:p>
        <text:list><text:list-item><text:p>Rain</text:p></text:list-item>
        <text:list-item><text:p>Snow</text:p></text:list-item></text:list>
        <table:table>{row("Sea", "Salt")}</table:table>""",
    )
    assert blocks(extracted) == ["Water", "It is wet.", "And cold.", "Rain", "Snow", "Sea | Salt"]
    assert blocks(extracted, "item") == ["Rain", "Snow"]
    assert block_of(extracted, "Rain").path == ("Water",)
    assert (extracted.kind, extracted.title, extracted.authors) == ("odt", "The Notes", ("Ada Lovelace",))
    assert extracted.created_at is not None
    assert holds_together(extracted)


def test_a_sheet_gives_numbered_rows() -> None:
    empty = '<table:table-cell table:number-columns-repeated="9999"/>'
    extracted = opened(
        "spreadsheet",
        f"""<table:table table:name="Seas">{row("Name", "Depth")}
        <table:table-row table:number-rows-repeated="1000000">{empty}</table:table-row>{row("Aral", "40")}</table:table>""",
    )
    assert extracted.text == "Name | Depth\nAral | 40"
    assert extracted.blocks[0].path == ("Seas", "rows 1–1000002")


def test_slides_are_pages() -> None:
    def frame(words: str, more: str = "") -> str:
        return f"<draw:frame {more}><draw:text-box><text:p>{words}</text:p></draw:text-box></draw:frame>"

    title = frame("One", 'presentation:class="title"')
    notes = f"<presentation:notes>{frame('Say more.')}</presentation:notes>"
    slides = f"<draw:page>{title}</draw:page><draw:page>{frame('Words on two.')}{notes}</draw:page>"
    extracted = opened("presentation", slides)
    assert extracted.pages == 2
    assert blocks(extracted, "heading") == ["One"]
    assert block_of(extracted, "Words").page == 2
    assert block_of(extracted, "Say more.").path == ("Notes",)


def test_a_locked_file_says_so() -> None:
    with pytest.raises(Unreadable, match="protected by a password"):
        opened("text", "<text:p>x</text:p>", "<manifest><encryption-data/></manifest>")
