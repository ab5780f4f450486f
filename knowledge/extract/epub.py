"""EPUB: the chapters in their reading order."""

import posixpath
from urllib.parse import unquote

from knowledge.errors import Unreadable
from knowledge.extract import html, sentences
from knowledge.extract.draft import Draft
from knowledge.extract.source import Source
from knowledge.extract.text import Extracted
from knowledge.extract.trees import dublin_core, every, moment, parse_free
from knowledge.extract.zips import Zip


def extract(source: Source) -> Extracted:
    """Read an EPUB file."""
    container = Zip(source.data)
    if "META-INF/encryption.xml" in container and b"adept" in (container.get("META-INF/encryption.xml") or b""):
        raise Unreadable("It is protected against reading by other programs (DRM).")
    index = parse_free(container.get("META-INF/container.xml") or b"")
    main = next((root.get("full-path", "") for root in every(index, "rootfile")), "")
    package = parse_free(container.get(main) or b"")
    if package is None:
        raise Unreadable(sentences.DAMAGED)
    files = {item.get("id", ""): item.get("href", "") for item in every(package, "item")}
    draft = Draft()
    for reference in every(package, "itemref"):
        name = posixpath.normpath(posixpath.join(posixpath.dirname(main), unquote(files.get(reference.get("idref", ""), ""))))
        data = container.get(name)
        if data:
            draft.append(html.read(html.text_with_declared_charset(data), whole=True))
        source.tick()
    return draft.finish(
        "epub",
        title=next(iter(dublin_core(package, "title")), None),
        authors=dublin_core(package, "creator"),
        created_at=next((moment(text) for text in dublin_core(package, "date")), None),
    )
