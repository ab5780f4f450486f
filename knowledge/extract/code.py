"""Source code: whole definitions as blocks, under the name of what they define."""

import re

from knowledge.extract.characters import clean, decode
from knowledge.extract.draft import Draft
from knowledge.extract.source import Source
from knowledge.extract.text import Extracted

_SUFFIXES = {
    "Python": "py pyi",
    "JavaScript": "js mjs jsx",
    "TypeScript": "ts tsx",
    "Java": "java",
    "Kotlin": "kt",
    "Scala": "scala",
    "C": "c h",
    "C++": "cc cpp hpp",
    "C#": "cs",
    "Go": "go",
    "Rust": "rs",
    "Ruby": "rb",
    "PHP": "php",
    "Swift": "swift",
    "Objective-C": "m",
    "Lua": "lua",
    "Perl": "pl",
    "R": "r",
    "Julia": "jl",
    "Shell": "sh bash zsh",
    "PowerShell": "ps1",
    "SQL": "sql",
    "Haskell": "hs",
    "OCaml": "ml",
    "Elixir": "ex exs",
    "Erlang": "erl",
    "Clojure": "clj",
    "Dart": "dart",
    "Groovy": "groovy",
    "Vue": "vue",
    "Svelte": "svelte",
    "CSS": "css scss less",
    "JSON": "json jsonl",
    "YAML": "yaml yml",
    "TOML": "toml",
    "INI": "ini cfg",
    "configuration": "conf env",
    "Terraform": "tf",
    "Protocol Buffers": "proto",
    "GraphQL": "graphql",
}
LANGUAGES = {f".{suffix}": language for language, suffixes in _SUFFIXES.items() for suffix in suffixes.split()}
_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n)+(?=\S)")
_DEFINES = re.compile(
    r"(?m)^(?:(?:export|default|public|private|protected|internal|static|final|abstract|async|pub(?:\([a-z]+\))?|unsafe|inline|extern|data|sealed"
    r"|override|virtual)\s+)*(?:def|class|function|func|fn|interface|struct|enum|trait|impl|type|module|object|record|namespace|CREATE\s+\w+"
    r"|create\s+\w+)\s+(?:\([^)]*\)\s*)?[`\"]?([A-Za-z_$][\w$]*(?:[.:]+[\w$]+)*)"
)
_CLOSING = re.compile(r"[\])}]|end\b")


def extract(source: Source) -> Extracted:
    """Read source code or a configuration file; its language is told in `notes`."""
    draft = Draft()
    for piece in pieces(clean(decode(source.data))):
        name = _DEFINES.search(piece)
        draft.under(1, name[1] if name else "")
        draft.code(piece)
    language = LANGUAGES.get(source.suffix)
    return draft.finish("code", notes=[f"Written in {language}."] if language else [])


def pieces(text: str) -> list[str]:
    """Divide code at blank lines before unindented lines, keeping what closes a bracket with what opened it."""
    found: list[str] = []
    for part in _BLANK_LINES.split(text):
        if found and _CLOSING.match(part):
            found[-1] += "\n\n" + part
        else:
            found.append(part)
    return found
