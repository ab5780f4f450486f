"""PPTX: slide by slide with numbers, titles as headings, tables, speaker notes and comments."""

from collections.abc import Iterator

from knowledge.errors import Unreadable
from knowledge.extract import sentences
from knowledge.extract.draft import Draft
from knowledge.extract.ooxml import Package
from knowledge.extract.source import Source
from knowledge.extract.text import Extracted
from knowledge.extract.trees import Element, every, local, text_of

_TITLES = {"title", "ctrTitle"}
_UNREAD = {"Fallback", "extLst"}


def extract(source: Source) -> Extracted:
    """Read a PPTX file."""
    package = Package(source)
    main = package.main("ppt/presentation.xml")
    presentation = package.tree(main)
    if presentation is None:
        raise Unreadable(sentences.DAMAGED)
    targets = {relation.id: relation.target for relation in package.relations(main)}
    slides = [targets.get(_relation(slide), "") for slide in every(presentation, "sldId")]
    draft = Draft()
    for number, part in enumerate(slides, start=1):
        draft.page = number
        tree = package.tree(part) if part else None
        if tree is not None:
            _slide(draft, package, part, tree)
        source.tick()
    title, authors, created = package.properties()
    return draft.finish(
        "pptx", title=title, authors=authors, created_at=created, pages=len(slides), attached=package.embedded()
    )


def _slide(draft: Draft, package: Package, part: str, tree: Element) -> None:
    draft.under(1)
    shapes = list(_shapes(tree))
    title = next((shape for shape in shapes if _placeholder(shape) in _TITLES), None)
    if title is not None:
        draft.heading(" ".join(_paragraphs(title)), 1)
    for shape in shapes:
        if shape is not title:
            _shape(draft, shape)
    for words in package.drawings(part):
        draft.paragraph(words)
    for _, notes in package.related(part, "notesSlide"):
        draft.under(2, "Notes")
        for shape in _shapes(notes):
            _shape(draft, shape)
    for _, comments in package.related(part, "comments"):
        draft.under(2, "Comments")
        for comment in every(comments, "cm"):
            draft.paragraph(" ".join(text_of(text) for text in comment.iter("{*}text", "{*}t")))


def _shapes(tree: Element) -> Iterator[Element]:
    """Yield shapes and tables in document order, each alternative content once."""
    for shape in tree.iter("{*}sp", "{*}tbl", "{*}txSp"):
        if not any(local(above) in _UNREAD for above in shape.iterancestors()):
            yield shape


def _shape(draft: Draft, shape: Element) -> None:
    if local(shape) == "tbl":
        draft.table([[" ".join(_paragraphs(cell)) for cell in every(row, "tc")] for row in every(shape, "tr")])
    elif _placeholder(shape) != "sldNum":
        texts = list(_paragraphs(shape))
        for text in texts:
            if len(texts) > 1:
                draft.item(text)
            else:
                draft.paragraph(text)


def _paragraphs(shape: Element) -> Iterator[str]:
    for paragraph in every(shape, "p"):
        pieces = paragraph.iter("{*}t", "{*}br")
        text = "".join("\n" if local(piece) == "br" else text_of(piece) for piece in pieces)
        if text.strip():
            yield text


def _placeholder(shape: Element) -> str | None:
    found = next(every(shape, "ph"), None)
    return None if found is None else found.get("type", "body")


def _relation(slide: Element) -> str:
    return next((str(value) for key, value in slide.attrib.items() if str(key).endswith("}id")), "")
