"""Messages and notes: learned from what was said, edited, unlearned."""

import pytest

from bot.db import compact, open_database
from knowledge.claims import Item
from knowledge.documents import Outcome, State
from knowledge.extract import sentences
from knowledge.files import FolderFiles
from tests.knowledge.fakes import MemoryIndex
from tests.knowledge.house import LOCAL, SAID_AT, House, known


async def test_a_message_is_learned_with_its_link_author_and_time(house: House) -> None:
    receipt = await house.tell("we deploy on friday")
    document = known(receipt)
    assert receipt.outcome is Outcome.LEARNED
    assert (document.kind, document.title, document.url) == ("message", "#plans", "https://chat:1")
    assert (document.authors, document.created_at, document.added_by) == (("Ada",), SAID_AT, "ada")
    [passage] = (await house.catalogue.passages(list(house.index.points), LOCAL)).values()
    assert (passage.text, passage.kind, passage.context) == ("we deploy on friday", "message", "#plans, Ada, 2 May 2024")
    assert house.reader.read_names == []


async def test_an_edit_is_a_new_version_and_the_same_again_a_duplicate(house: House) -> None:
    first = await house.tell("we deploy on friday")
    assert (await house.tell("we deploy on friday")).outcome is Outcome.DUPLICATE
    edit = await house.tell("we deploy on monday")
    assert (edit.outcome, edit.supersedes, known(edit).id) == (Outcome.UPDATED, 1, known(first).id)
    assert await house.texts() == {"we deploy on monday"}
    assert await house.is_consistent()


async def test_two_messages_of_the_same_words_are_two_and_one_may_go(house: House) -> None:
    await house.tell("yes", source="chat:1")
    await house.tell("yes", source="chat:2", by="Bob")
    assert len(house.index.points) == 2
    assert len(await house.library.forget_source("chat:1", "local")) == 1
    [left] = await house.catalogue.documents()
    assert left.authors == ("Bob",)
    assert await house.texts() == {"yes"}
    assert await house.is_consistent()


async def test_a_deleted_message_is_gone_down_to_the_bytes(house: House) -> None:
    document = known(await house.tell("canary-one"))
    await house.tell("canary-two")
    await house.tell("something that stays", source="chat:2")
    assert await house.library.forget_source("chat:1", "elsewhere") == ()
    assert await house.library.forget_source("chat:1", "local") == (document.id,)
    await compact(house.engine)
    assert await house.texts() == {"something that stays"}
    for file in (p for p in house.folder.rglob("*") if p.is_file()):
        assert b"canary" not in file.read_bytes(), file
    assert await house.library.forget_source("chat:1", "local") == ()


async def test_an_edit_that_leaves_no_words_unlearns_the_message(house: House) -> None:
    await house.tell("we deploy on friday")
    receipt = await house.tell(" 👍 \u200b")
    assert (receipt.outcome, receipt.error) == (Outcome.UNSUPPORTED, sentences.NO_TEXT)
    assert (await house.states(), house.index.points) == ([], {})


async def test_a_note_is_read_anew_and_moved_to_another_scope_as_files_are(house: House) -> None:
    document = known(await house.tell("the key is under the pot", source="note:1", kind="note"))
    again = await house.library.relearn(document.id)
    assert again.outcome is Outcome.LEARNED
    assert (known(again).kind, known(again).authors, known(again).created_at) == ("note", ("Ada",), SAID_AT)
    assert await house.texts() == {"the key is under the pot"}
    await house.tell("the key is under the pot", source="note:1", kind="note", scope="few")
    assert await house.library.unshare(document.id, "local") == ()
    assert (await house.texts(), await house.texts("few")) == (set(), {"the key is under the pot"})


async def test_an_interrupted_message_is_taken_up_again_as_what_it_was(house: House) -> None:
    house.index.fail_after = 0
    with pytest.raises(KeyboardInterrupt):
        await house.tell("we deploy on friday")
    async with open_database(f"sqlite+aiosqlite:///{house.folder / 'twin.db'}") as engine:
        again = House.on(engine, house.folder, MemoryIndex())
        [receipt] = [receipt async for receipt in again.library.resume()]
        assert (known(receipt).kind, known(receipt).state, known(receipt).authors) == ("message", State.READY, ("Ada",))
        assert await again.texts() == {"we deploy on friday"}


async def test_lines_lists_and_code_are_kept_and_what_nobody_can_see_is_not(house: House) -> None:
    text = "Do this:\n- stop\n- start\n```\nif late:\n    run()\n```\nand wait\u202e\ud800"
    document = known(await house.tell(text))
    assert await house.catalogue.text(document) == "Do this:\n\n- stop\n- start\n\nif late:\n    run()\n\nand wait\ufffd"


async def test_a_file_that_looks_like_a_message_is_a_file(house: House) -> None:
    await house.tell("we deploy on friday")
    [sha256] = await FolderFiles(house.folder / "files").all()
    async with FolderFiles(house.folder / "files").local(sha256) as path:
        copied = path.read_text()
    receipt = await house.teach("copy.json", copied, scope="few")
    assert house.reader.read_names == ["copy.json"]
    assert known(receipt).kind == "text"


async def test_a_damaged_original_is_a_failure_with_a_reason(house: House) -> None:
    document = known(await house.tell("we deploy on friday"))
    async with FolderFiles(house.folder / "files").local(document.sha256) as path:
        path.write_bytes(b"{}")
    receipt = await house.library.relearn(document.id)
    assert (receipt.outcome, receipt.error) == (Outcome.FAILED, sentences.DAMAGED)
    assert await house.texts() == {"we deploy on friday"}


async def test_an_item_says_how_it_was_told_only_to_the_library(house: House) -> None:
    assert Item("n", "s", "u", "local", "ada").told is None
    await house.teach("plan.txt", "we deploy on friday")
    assert house.reader.read_names == ["plan.txt"]
