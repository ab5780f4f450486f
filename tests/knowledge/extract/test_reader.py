"""The reader takes a file through a child to text and passages."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from knowledge.errors import Unreadable, Unsupported
from knowledge.extract import sentences
from knowledge.extract.limits import Limits
from knowledge.extract.reader import Reader
from tests.knowledge.extract.samples import blocks, holds_together, locked_pdf, pdf, raw_docx, zipped

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def reader(tokenizer: Path) -> AsyncIterator[Reader]:
    async with Reader.open(tokenizer=tokenizer) as opened:
        yield opened


def stored(folder: Path, data: bytes) -> Path:
    path = folder / "0a1b2c"
    path.write_bytes(data)
    return path


async def test_a_file_without_its_name_on_disk_gives_text_pages_and_passages(reader: Reader, tmp_path: Path) -> None:
    pages = [[f"Page {word} tells how the garden of {word} is watered in summer."] for word in ("one", "two", "three")]
    reading = await reader.read(stored(tmp_path, pdf(pages)), "garden.pdf")
    assert reading.extracted.kind == "pdf"
    assert holds_together(reading.extracted)
    assert {chunk.page for chunk in reading.chunks} <= {1, 2, 3}
    assert reading.chunks[0].context.startswith("garden")
    assert "watered" in reading.extracted.text[reading.chunks[0].start : reading.chunks[0].end]


async def test_passages_stay_within_the_window(tokenizer: Path, tmp_path: Path) -> None:
    text = "The quick brown fox jumps over the lazy dog, and 4,711 others watch. " * 400 + "x" * 5000
    async with Reader.open(tokenizer=tokenizer, window=64) as narrow:
        reading = await narrow.read(stored(tmp_path, text.encode()), "fox.txt")
    assert all(chunk.tokens <= 64 for chunk in reading.chunks)
    assert max(chunk.end - chunk.start for chunk in reading.chunks) < 7000


async def test_the_language_is_told(reader: Reader, tmp_path: Path) -> None:
    words = "Die Sitzung des Ausschusses findet im großen Saal im zweiten Stock des Gebäudes statt.".encode()
    assert (await reader.read(stored(tmp_path, words), "a.txt")).extracted.language == "de"


async def test_long_texts_arrive_whole(reader: Reader, tmp_path: Path) -> None:
    lines = [f"Sentence number {number} of a very long text." for number in range(30_000)]
    reading = await reader.read(stored(tmp_path, "\n\n".join(lines).encode()), "long.txt")
    assert blocks(reading.extracted) == lines


async def test_files_inside_come_with_the_reading(reader: Reader, tmp_path: Path) -> None:
    reading = await reader.read(stored(tmp_path, zipped({"a.txt": "first", "b.txt": "second"})), "both.zip")
    assert [(inner.name, inner.data) for inner in reading.extracted.attached] == [("a.txt", b"first"), ("b.txt", b"second")]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", sentences.EMPTY),
        (pdf([[""]]), sentences.SCANNED),
        (locked_pdf(pdf([["x"]]), "secret"), sentences.LOCKED),
        (pdf([["x"]])[:200], sentences.CUT),
        (raw_docx("<w:p/>"), sentences.NO_TEXT),
    ],
)
async def test_a_file_that_cannot_be_read_says_why(reader: Reader, tmp_path: Path, data: bytes, sentence: str) -> None:
    with pytest.raises(Unreadable) as caught:
        await reader.read(stored(tmp_path, data), "a")
    assert str(caught.value) == sentence


async def test_a_type_that_is_not_read_says_what_is(reader: Reader, tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match="Portable Network Graphics"):
        await reader.read(stored(tmp_path, b"\x89PNG\r\n\x1a\n" + bytes(40)), "a.txt")


async def test_a_file_that_is_too_large_is_not_opened(tokenizer: Path, tmp_path: Path) -> None:
    async with Reader.open(tokenizer=tokenizer, limits=Limits(file=10)) as small:
        with pytest.raises(Unreadable, match="too large"):
            await small.read(stored(tmp_path, b"more than ten bytes"), "a.txt")


async def test_many_files_at_once_are_all_read(reader: Reader, tmp_path: Path) -> None:
    paths = []
    for number in range(12):
        paths.append(tmp_path / f"{number}")
        paths[-1].write_text(f"This is text number {number}.")
    readings = await asyncio.gather(*(reader.read(path, f"{path.name}.txt") for path in paths))
    assert [reading.extracted.text for reading in readings] == [f"This is text number {number}." for number in range(12)]


async def test_a_reading_process_that_cannot_start_is_reported(tmp_path: Path) -> None:
    async with Reader.open(tokenizer=tmp_path / "missing.json") as broken:
        with pytest.raises(Unreadable) as caught:
            await broken.read(stored(tmp_path, b"words"), "a.txt")
    assert str(caught.value) == sentences.NO_READER
