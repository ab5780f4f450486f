"""The twin's own guide: it says what is true, and what people ask first is found in it."""

import re
import shlex
from pathlib import Path

import pytest
import typer.main
from tokenizers import Tokenizer

from bot.cli.commands import app
from bot.settings import names
from knowledge.chunks import embedded_text, split
from knowledge.embeddings import Embedder
from knowledge.extract import markdown
from knowledge.extract.sentences import READABLE
from knowledge.extract.source import Source

GUIDE = Path(__file__).parent.parent / "docs" / "guide.md"
TEXT = GUIDE.read_text(encoding="utf-8")
HEADINGS = re.findall(r"(?m)^## (.+)$", TEXT)
CODE = re.findall(r"`([^`\n]+)`", TEXT)

FIRST_QUESTIONS = {
    "what can you do?": "What can you do?",
    "who are you?": "Who are you?",
    "how do I teach you a file?": "How do I teach you a file?",
    "which file types can you read?": "Which file types can you read?",
    "can you read pdfs?": "Which file types can you read?",
    "who can see what I teach you?": "Who can see what I teach you?",
    "how do I make you forget something?": "How do I make you forget something?",
    "delete a document": "How do I make you forget something?",
    "do you need an API key?": "Do you need an API key?",
    "can I use this offline?": "Do you need the internet?",
    "where is my data stored?": "Where is my data stored?",
    "is my data private?": "Do you send my data anywhere?",
    "how do I connect Slack?": "How do I connect Slack?",
    "how do I connect Discord?": "Can I connect Discord?",
    "who can see my documents?": "Who can see what I teach you?",
    "can guests see everything?": "What do guests get to see in channels and private chats?",
    "how do I use ollama?": "How do I use Ollama, llama.cpp or another server of my own?",
    "can I use llama.cpp?": "How do I use Ollama, llama.cpp or another server of my own?",
    "how do I change the model?": "How do I switch the model that writes?",
    "regenerate the answer": "How do I get another answer to the same question?",
    "why did you say that?": "Why did you answer that?",
    "how do I give feedback?": "How do I give you feedback?",
    "can I export this conversation?": "How do I export a conversation?",
    "can you remember something for me?": "How do I have you remember something about me?",
    "forget me": "How do I have my own notes, questions and feedback forgotten?",
    "do you read our chats?": "Do you learn from what is said in chats?",
    "why are you busy?": "Why do you say that you are busy?",
    "how do I set a budget?": "How do I limit what language models cost?",
    "how do I see statistics?": "How do I see usage statistics?",
    "how do I make somebody an owner?": "How do I make somebody an owner or a teacher?",
    "can you use chatgpt?": "Can you use a language model such as ChatGPT, Claude or Llama?",
    "how do I use another embedding model?": "How do I use another embedding model?",
    "how do I evaluate?": "How do I evaluate you?",
}


def test_every_section_is_a_question() -> None:
    assert len(HEADINGS) > 20
    assert all(heading.endswith("?") for heading in HEADINGS)


def test_every_answer_can_be_quoted_alone() -> None:
    assert not re.search(r"(?i)\b(see|as) (above|below)\b|\bthe (previous|next) section\b", TEXT)


@pytest.mark.parametrize("line", [code for code in CODE if code.startswith("twin ")])
def test_every_command_in_it_exists(line: str) -> None:
    command = typer.main.get_command(app)
    words = shlex.split(line)[1:]
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]  # type: ignore[attr-defined]  # only groups have commands
    assert not hasattr(command, "commands")
    options = {"--help", *(option for parameter in command.params for option in parameter.opts)}
    assert {word for word in words if word.startswith("-")} <= options


def test_every_setting_in_it_exists() -> None:
    settings = {code.partition("=")[0] for code in CODE if re.fullmatch(r"[A-Z_]+(=\S+)?", code)}
    assert "TWIN_DATA_DIR" in settings
    assert settings <= set(names().values())


def test_the_file_types_in_it_are_those_that_are_read() -> None:
    assert READABLE in TEXT


async def test_what_people_ask_first_is_found_under_its_heading() -> None:
    """By meaning alone, with the default model: every section is one passage, and the right one is nearest."""
    embedder = Embedder.open()
    tokenizer = Tokenizer.from_file(str(embedder.tokenizer))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    document = markdown.extract(Source(GUIDE.read_bytes(), GUIDE.name))
    chunks = split(
        document,
        title="Guide to Twin",
        spans=tokenizer.encode(document.text, add_special_tokens=False).offsets,
        window=embedder.window,
        count=lambda text: len(tokenizer.encode(text).ids),
    )
    headings = [(chunk.heading or "").rpartition(" › ")[2] for chunk in chunks]
    assert headings == HEADINGS
    vectors = await embedder.passages(
        [embedded_text(chunk.context, document.text[chunk.start : chunk.end]) for chunk in chunks]
    )
    asked = await embedder.passages(list(FIRST_QUESTIONS))
    found = [headings[best] for best in (asked @ vectors.T).argmax(axis=1)]
    embedder.close()
    assert dict(zip(FIRST_QUESTIONS, found, strict=True)) == FIRST_QUESTIONS
