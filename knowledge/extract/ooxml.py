"""The package that DOCX, PPTX and XLSX share: parts, relations, properties, drawings."""

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from knowledge.extract.source import Source
from knowledge.extract.text import Attached
from knowledge.extract.trees import Element, attribute, dublin_core, every, local, moment, parse, text_of
from knowledge.extract.zips import Zip

_TAKEN_OUT = (".pdf", ".docx", ".xlsx", ".pptx", ".xlsm", ".pptm", ".docm", ".odt", ".ods", ".odp", ".rtf", ".txt", ".eml")


@dataclass(frozen=True, slots=True)
class Relation:
    """A part that another part refers to."""

    id: str
    kind: str
    target: str


class Package:
    """The parts of an Office Open XML file."""

    def __init__(self, source: Source) -> None:
        self._zip = Zip(source.data)
        self._folded = {name.lower().lstrip("/"): name for name in self._zip.names()}

    def tree(self, name: str) -> Element | None:
        """Return the root element of a part; None when it is missing or empty."""
        data = self._zip.get(self._folded.get(name.lower(), name))
        return None if data is None else parse(data)

    def main(self, default: str) -> str:
        """Return the name of the part the file is about."""
        return next((relation.target for relation in self.relations("") if relation.kind == "officeDocument"), default)

    def relations(self, part: str) -> list[Relation]:
        """Return what a part refers to inside this file; links out of it are left alone."""
        folder, name = posixpath.split(part)
        root = self.tree(posixpath.join(folder, "_rels", name + ".rels"))
        found = []
        for element in every(root, "Relationship"):
            target, mode = element.get("Target", ""), element.get("TargetMode", "")
            if mode != "External":
                full = target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
                found.append(Relation(element.get("Id", ""), element.get("Type", "").rpartition("/")[2], full))
        return found

    def related(self, part: str, *kinds: str) -> Iterator[tuple[Relation, Element]]:
        """Yield the parts of these kinds that a part refers to, with their trees."""
        for relation in self.relations(part):
            if relation.kind in kinds and (tree := self.tree(relation.target)) is not None:
                yield relation, tree

    def drawings(self, part: str) -> Iterator[str]:
        """Yield the words of the charts and diagrams a part shows, a line for each series or shape."""
        for _, tree in self.related(part, "chart", "chartEx"):
            for element in tree.iter("{*}rich", "{*}tx", "{*}cat", "{*}val", "{*}strDim", "{*}numDim"):
                words = [text_of(leaf) for leaf in element.iter("{*}t", "{*}v", "{*}pt") if len(leaf) == 0]
                if words and not (local(element) == "tx" and next(every(element, "rich"), None) is not None):
                    yield "\t".join(words)
        for _, tree in self.related(part, "diagramData"):
            for point in every(tree, "pt"):
                words = [text_of(leaf) for leaf in every(point, "t")]
                if words:
                    yield " ".join(words)

    def embedded(self) -> Iterator[Attached]:
        """Yield the documents that are embedded in this one."""
        for name in list(self._zip.names()):
            if "/embeddings/" in name.lower() and name.lower().endswith(_TAKEN_OUT):
                yield Attached(posixpath.basename(name), self._zip.get(name) or b"")

    def properties(self) -> tuple[str | None, list[str], datetime | None]:
        """Return title, authors and time of creation as the file states them."""
        core = self.tree("docProps/core.xml")
        title = next(iter(dublin_core(core, "title")), None)
        created = next((moment(text_of(element)) for element in every(core, "created")), None)
        return title, dublin_core(core, "creator"), created


def on(element: Element | None) -> bool:
    """Say whether a switch such as w:vanish is there and not turned off."""
    return element is not None and (attribute(element, "val") or "1").lower() not in {"0", "false", "off", "none"}
