"""ZIP: its members as documents of their own; archives inside are opened too, but not without end."""

import contextlib
import re
import zipfile

from knowledge.errors import Unreadable
from knowledge.extract import sentences
from knowledge.extract.characters import one_line
from knowledge.extract.draft import Draft
from knowledge.extract.source import Source
from knowledge.extract.text import Attached, Extracted
from knowledge.extract.zips import Zip, encrypted

MAX_DEPTH = 2
MAX_TOTAL = 64 * 2**20
_JUNK = re.compile(r"(?:^|/)(?:__MACOSX/|\._|\.DS_Store$|Thumbs\.db$|desktop\.ini$|~\$)")
_UTF8_NAME = 0x800


def extract(source: Source) -> Extracted:
    """Read a ZIP archive: its text is the list of its members."""
    unpacked = _Unpacked(source)
    unpacked.open(source.data, "", 1)
    if not unpacked.attached and not unpacked.notes:
        raise Unreadable("There is nothing in it: the archive is empty.")
    if not unpacked.attached:
        raise Unreadable(unpacked.notes[0])
    draft = Draft()
    for member in unpacked.attached:
        draft.item(member.name)
    return draft.finish("archive", attached=unpacked.attached, notes=unpacked.notes)


class _Unpacked:
    """The members found so far and the room left for more."""

    def __init__(self, source: Source) -> None:
        self.attached: list[Attached] = []
        self.notes: list[str] = []
        self._left = MAX_TOTAL
        self._source = source

    def open(self, data: bytes, prefix: str, depth: int) -> None:
        """Take the members of an archive; those of archives in it are named after it."""
        container = Zip(data, self._left)
        for member in container.members:
            name = prefix + member_name(member)
            if _JUNK.search(name):
                continue
            if encrypted(member):
                self.notes.append(f"{name} is protected by a password and was left out.")
                continue
            try:
                data = container.read(member)
            except Unreadable as error:
                self.notes.append(sentences.left_out(name, error))
            else:
                self._take(name, data, depth)
            self._source.tick()

    def _take(self, name: str, data: bytes, depth: int) -> None:
        self._left -= len(data)
        if self._left < 0:
            raise Unreadable("It unpacks to more than 64 MiB. Divide it and teach the parts.")
        try:
            if not is_archive(data):
                self.attached.append(Attached(name, data))
            elif depth < MAX_DEPTH:
                self.open(data, name + "/", depth + 1)
            else:
                self.notes.append(f"{name} was left out: archives are opened only {MAX_DEPTH} deep.")
        except Unreadable as error:
            self.notes.append(sentences.left_out(name, error))


def is_archive(data: bytes) -> bool:
    """Say whether bytes are a ZIP that is not a document."""
    return data.startswith(b"PK\x03\x04") and office_kind(data) == "zip"


def office_kind(data: bytes) -> str:
    """Name what a ZIP container is by its members: docx, pptx, xlsx, xlsb, odt, epub, or zip."""
    container = Zip(data)
    mimetype = (container.get("mimetype") or b"").decode("ascii", "ignore").strip() if "mimetype" in container else ""
    if mimetype == "application/epub+zip":
        return "epub"
    if "opendocument" in mimetype or ("content.xml" in container and "META-INF/manifest.xml" in container):
        return "odt"
    folded = [name.lower().replace("\\", "/").lstrip("/") for name in container.names()]
    if "[content_types].xml" not in folded:
        return "zip"
    if "xl/workbook.bin" in folded:
        return "xlsb"
    folders = {"word/": "docx", "ppt/": "pptx", "xl/": "xlsx"}
    return next((kind for name in folded for folder, kind in folders.items() if name.startswith(folder)), "zip")


def member_name(member: zipfile.ZipInfo) -> str:
    """Return a member's path without drive, root or parent folders, its characters decoded as they were meant."""
    name = member.filename
    if not member.flag_bits & _UTF8_NAME:
        name = _decoded(name.encode("cp437", "replace"))
    parts = [one_line(part) for part in name.replace("\\", "/").split("/")]
    return "/".join(part for part in parts if part not in {"", ".", ".."} and not part.endswith(":")) or "unnamed"


def _decoded(raw: bytes) -> str:
    for encoding in ("utf-8", "gb2312"):  # what macOS and Chinese Windows write without saying so
        with contextlib.suppress(UnicodeDecodeError):
            return raw.decode(encoding)
    return raw.decode("cp437")
