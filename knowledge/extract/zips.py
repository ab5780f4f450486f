"""ZIP containers opened with distrust: sizes are counted while reading, never believed."""

import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from knowledge.errors import Unreadable
from knowledge.extract import sentences

MAX_MEMBERS = 10_000
MAX_TOTAL = 256 * 2**20
MAX_RATIO = 200
_FREE = 2**20  # what a member may unpack to before its ratio counts: small files of zeros are no bombs


class Zip:
    """The members of a ZIP file, read with caps on count, total size and compression ratio.

    Raises `Unreadable` for a damaged container, overlapping members, or more than the caps allow.
    """

    def __init__(self, data: bytes, total: int = MAX_TOTAL) -> None:
        with _translated():
            self._archive = zipfile.ZipFile(io.BytesIO(data))
        self._left = total
        self.members = [member for member in self._archive.infolist() if not member.is_dir()]
        self._by_name = {member.filename: member for member in self.members}
        if len(self.members) > MAX_MEMBERS:
            raise Unreadable(f"It holds {len(self.members):,} files; at most {MAX_MEMBERS:,} are taken.")
        _refuse_overlaps(self.members)

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def names(self) -> Iterator[str]:
        """Yield the names of the members in their order."""
        return iter(self._by_name)

    def get(self, name: str) -> bytes | None:
        """Return a member's bytes, or None when there is none of this name."""
        member = self._by_name.get(name)
        return None if member is None else self.read(member)

    def read(self, member: zipfile.ZipInfo) -> bytes:
        """Return a member's bytes."""
        cap = min(self._left, max(_FREE, member.compress_size * MAX_RATIO))
        with _translated(), self._archive.open(member) as stream:
            data = stream.read(cap + 1)
        if len(data) > cap:
            raise Unreadable(sentences.BOMB)
        self._left -= len(data)
        return data


def encrypted(member: zipfile.ZipInfo) -> bool:
    """Say whether a member needs a password."""
    return bool(member.flag_bits & 0x1)


def _refuse_overlaps(members: list[zipfile.ZipInfo]) -> None:
    end = 0
    for member in sorted(members, key=lambda member: member.header_offset):
        if member.header_offset < end:
            raise Unreadable(sentences.BOMB)
        end = member.header_offset + 30 + member.compress_size


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, IndexError, NotImplementedError) as error:
        raise Unreadable(sentences.CUT) from error
    except RuntimeError as error:  # what zipfile raises for a member that needs a password
        raise Unreadable(sentences.LOCKED) from error
