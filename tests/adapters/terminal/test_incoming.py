import shlex
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.terminal.incoming import Command, Line, Mistake, Question, Teach, file_named, read


def there(*paths: str) -> Callable[[Path], bool]:
    return {Path(path) for path in paths}.__contains__


def nothing(_path: Path) -> bool:
    return False


@pytest.mark.parametrize("line", ["", "   ", "\n", "\t"])
def test_an_empty_line_means_nothing(line: str) -> None:
    assert read(line, nothing) is None


@pytest.mark.parametrize(
    "line",
    [
        "What is the notice period?",
        "What's in handbook.pdf?",
        "don't they say 24/7?",
        "either/or",
        "/dance with me?",
        "what does /modle do?",
        "how are /etc/hosts and /etc/passwd different?",
        'He said "yes, and nothing more',
        "docs",
        "...",
        "3.14",
        "~nobody-of-this-name",
        "~",
    ],
)
def test_a_sentence_is_a_question(line: str) -> None:
    assert read(line, there("docs", "/etc/passwd")) == Question(line)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("/help", Command("help", "")),
        ("/docs", Command("docs", "")),
        ("  /search  red tape  ", Command("search", "red tape")),
        ("/forget 3f2a", Command("forget", "3f2a")),
        ("/quit", Command("quit", "")),
        ("/bad the numbers are old", Command("bad", "the numbers are old")),
        ("/forget me yes", Command("forget", "me yes")),
        ("/model ollama:llama3.2", Command("model", "ollama:llama3.2")),
    ],
)
def test_a_slash_begins_a_command(line: str, expected: Command) -> None:
    assert read(line, nothing) == expected


@pytest.mark.parametrize(
    ("line", "paths"),
    [
        ("/home/me/a.pdf", ["/home/me/a.pdf"]),
        ("'/home/me/a b.pdf'", ["/home/me/a b.pdf"]),
        ('"/home/me/a b.pdf"', ["/home/me/a b.pdf"]),
        (r"/home/me/a\ b\ \(1\).pdf", ["/home/me/a b (1).pdf"]),
        ("/home/me/a b.pdf", ["/home/me/a b.pdf"]),
        ("file:///home/me/a%20b.pdf", ["/home/me/a b.pdf"]),
        ("/one.pdf '/two three.pdf' file:///four.pdf", ["/one.pdf", "/two three.pdf", "/four.pdf"]),
        ("notes.md", ["notes.md"]),
        ("docs/", ["docs"]),
        ("./docs", ["docs"]),
        ("/home/me/it's.pdf", ["/home/me/it's.pdf"]),
    ],
)
def test_paths_of_things_that_exist_are_taught(line: str, paths: list[str]) -> None:
    assert read(line, there(*paths)) == Teach(tuple(Path(path) for path in paths))


def test_the_home_folder_is_understood() -> None:
    assert read("~/a.pdf", there(str(Path.home() / "a.pdf"))) == Teach((Path.home() / "a.pdf",))


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("/halp", "There is no command /halp. Is /help meant?"),
        ("/modle ollama:llama3.2", "There is no command /modle. Is /model meant?"),
        ("/Forget me", "There is no command /Forget. Is /forget meant?"),
        ("/dance", "There is no command /dance. /help lists what there is."),
        ("/home/me/nope.pdf", "There is no file or folder /home/me/nope.pdf."),
        ("/nope.pdf", "There is no file or folder /nope.pdf."),
        ("nope.pdf", "There is no file or folder nope.pdf."),
        ("'no pe.tar.gz'", "There is no file or folder no pe.tar.gz."),
        ("reports/nope.MP4", "There is no file or folder reports/nope.MP4."),
        ("./nope.pdf", "There is no file or folder nope.pdf."),
        ("/there.pdf /not.pdf", "There is no file or folder /not.pdf."),
        ("'file:///no/pe%20.pdf'", "There is no file or folder /no/pe .pdf."),
    ],
)
def test_a_path_of_nothing_is_a_mistake_that_names_it(line: str, sentence: str) -> None:
    assert read(line, there("/there.pdf")) == Mistake(sentence)


@pytest.mark.parametrize(
    ("text", "file"),
    [
        ("a.md", "a.md"),
        ("'a b.md'", "a b.md"),
        ("a b.md", "a b.md"),
        ("~/a.md", str(Path.home() / "a.md")),
        ("it's.md", "it's.md"),
    ],
)
def test_the_rest_of_a_line_names_one_file(text: str, file: str) -> None:
    assert file_named(text) == Path(file)


names = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp"), blacklist_characters="/"), min_size=1).filter(
    lambda name: name.strip(". ") == name and not name.isspace() and len(name.split("\n")) == 1
)
writings: dict[str, Callable[[str], str]] = {
    "quoted": shlex.quote,
    "escaped": lambda path: "".join(c if c.isalnum() or c in "/." else f"\\{c}" for c in path),
    "address": lambda path: f"file://{quote(path)}",
}


@given(st.lists(st.tuples(names, st.sampled_from(sorted(writings))), min_size=1, max_size=4))
def test_however_a_terminal_writes_dropped_files_the_same_files_are_meant(dropped: list[tuple[str, str]]) -> None:
    paths = [Path("/home/me") / name for name, _ in dropped]
    line = " ".join(writings[how](str(path)) for path, (_, how) in zip(paths, dropped, strict=True))
    assert read(line, set(paths).__contains__) == Teach(tuple(paths))


@given(st.text())
def test_no_line_is_too_strange_to_read(line: str) -> None:
    meant: Line | None = read(line, nothing)
    assert (meant is None) == (not line.strip())
