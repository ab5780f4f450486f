"""Small files of every kind, made on the spot."""

import io
import zipfile
from collections.abc import Mapping, Sequence

from pypdf import PdfReader, PdfWriter

from knowledge.extract.kinds import EXTRACTORS, kind_of
from knowledge.extract.source import Source
from knowledge.extract.text import Block, Extracted


def read(data: bytes, name: str = "file") -> Extracted:
    """Extract in this process, as a child would."""
    source = Source(data, name)
    return EXTRACTORS[kind_of(source)](source)


def said(extracted: Extracted, block: Block) -> str:
    return extracted.text[block.start : block.end]


def blocks(extracted: Extracted, *kinds: str) -> list[str]:
    """Return the texts of the blocks of these kinds; of all without one."""
    return [said(extracted, block) for block in extracted.blocks if not kinds or block.kind in kinds]


def block_of(extracted: Extracted, text: str) -> Block:
    """Return the first block with these words in it."""
    return next(block for block in extracted.blocks if text in said(extracted, block))


def holds_together(extracted: Extracted) -> bool:
    """Say whether blocks are in order, apart, inside the text, and cover all of its words."""
    at = 0
    for block in extracted.blocks:
        if not at <= block.start < block.end <= len(extracted.text) or extracted.text[at : block.start].strip():
            return False
        at = block.end
    return not extracted.text[at:].strip()


def pdf(pages: Sequence[Sequence[str | tuple[int, str]]], info: str = "") -> bytes:
    """Write a PDF: a line is its words, or its size in points and its words."""
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        "",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
        f"<<{info}>>",
    ]
    kids = []
    for lines in pages:
        content, height = [], 780
        for line in lines:
            size, words = line if isinstance(line, tuple) else (11, line)
            escaped = words.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
            content.append(f"BT /F1 {size} Tf 60 {height} Td ({escaped}) Tj ET" if words else "")
            height -= round(size * 1.3)
        stream = "\n".join(content)
        objects.append(f"<</Length {len(stream)}>>stream\n{stream}\nendstream")
        objects.append(
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents {len(objects)} 0 R/Resources<</Font<</F1 3 0 R>>>>>>"
        )
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<</Type/Pages/Kids[{' '.join(kids)}]/Count {len(kids)}>>"
    return raw_pdf(objects)


def raw_pdf(objects: Sequence[str]) -> bytes:
    """Write PDF objects, the first being the catalogue and the fourth the document information."""
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode("cp1252")
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    size = len(objects) + 1
    trailer = f"<</Size {size}/Root 1 0 R/Info 4 0 R>>\nstartxref\n{len(out)}\n%%EOF\n"
    return out + f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n{trailer}".encode()


def locked_pdf(data: bytes, password: str) -> bytes:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(data)))
    writer.encrypt(user_password=password, algorithm="AES-128")
    return written(writer)


def outlined_pdf(data: bytes, marks: Sequence[tuple[str, int]]) -> bytes:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(data)))
    for title, page in marks:
        writer.add_outline_item(title=title, page_number=page)
    return written(writer)


def written(writer: PdfWriter) -> bytes:
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def zipped(members: Mapping[str, bytes | str], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def raw_docx(body: str, prolog: str = "", more: Mapping[str, str] | None = None) -> bytes:
    """Write the smallest DOCX around the inside of its body."""
    return zipped(
        {
            "[Content_Types].xml": "<Types xmlns='http://schemas.openxmlformats.org/package/2006/content-types'/>",
            "word/document.xml": f"{prolog}<w:document xmlns:w='{_W}'><w:body>{body}</w:body></w:document>",
            **(more or {}),
        }
    )
