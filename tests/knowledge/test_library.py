"""The life of a document, on a real database and real files."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.db import compact, open_database
from knowledge.claims import Item
from knowledge.documents import Outcome, State
from knowledge.errors import UnknownDocument, Unreadable
from knowledge.files import FolderFiles, sha256_of
from tests.knowledge.fakes import MemoryIndex
from tests.knowledge.house import LOCAL, House, known


async def test_a_learned_file_is_found_with_its_exact_text(house: House) -> None:
    receipt = await house.teach("plan.txt", "  we deploy on friday\n\nthen we rest\n")
    assert receipt.outcome is Outcome.LEARNED
    assert known(receipt).passages == 2
    assert await house.texts() == {"we deploy on friday", "then we rest"}
    text = await house.catalogue.text(known(receipt))
    for passage in (await house.catalogue.passages(list(house.index.points), LOCAL)).values():
        assert text[passage.start : passage.end] == passage.text
        assert await house.catalogue.stretch(passage, passage.start, passage.end) == passage.text


async def test_the_same_bytes_again_are_a_duplicate_whatever_they_are_called(house: House) -> None:
    first = await house.teach("plan.txt", "we deploy on friday")
    again = await house.teach("copy of plan.txt", "we deploy on friday")
    assert again.outcome is Outcome.DUPLICATE
    assert known(again).id == known(first).id
    assert len(house.index.points) == 1


async def test_new_content_under_the_same_name_supersedes_the_old_which_stays_listed(house: House) -> None:
    first = await house.teach("plan.txt", "we deploy on friday")
    second = await house.teach("plan.txt", "we deploy on monday")
    assert (second.outcome, second.supersedes) == (Outcome.UPDATED, 1)
    assert known(second).id == known(first).id
    assert await house.texts() == {"we deploy on monday"}
    assert await house.states() == [("plan.txt", 1, State.SUPERSEDED), ("plan.txt", 2, State.READY)]
    assert await house.is_consistent()


async def test_going_back_to_older_content_is_an_update_again(house: House) -> None:
    for day in ("friday", "monday", "friday"):
        receipt = await house.teach("plan.txt", f"we deploy on {day}")
    assert receipt.outcome is Outcome.UPDATED
    assert await house.texts() == {"we deploy on friday"}


async def test_files_of_one_name_in_two_folders_are_two_documents(house: House) -> None:
    await house.teach("README.md", "about apples", where="a/")
    await house.teach("README.md", "about pears", where="b/")
    assert await house.texts() == {"about apples", "about pears"}


async def test_a_file_that_cannot_be_read_is_listed_with_the_reason_and_tried_again_when_taught_again(house: House) -> None:
    receipt = await house.teach("odd.txt", "broken")
    assert (receipt.outcome, receipt.error) == (Outcome.FAILED, "It is broken.")
    assert await house.states() == [("odd.txt", 1, State.FAILED)]
    assert (await house.teach("odd.txt", "broken")).outcome is Outcome.FAILED
    assert await house.states() == [("odd.txt", 1, State.FAILED)]


async def test_a_new_version_that_cannot_be_read_leaves_the_old_one_found(house: House) -> None:
    await house.teach("plan.txt", "we deploy on friday")
    await house.teach("plan.txt", "broken")
    assert await house.texts() == {"we deploy on friday"}


async def test_an_unsupported_file_leaves_nothing_behind(house: House) -> None:
    receipt = await house.teach("film.mp4", "binary")
    assert (receipt.outcome, receipt.document) == (Outcome.UNSUPPORTED, None)
    assert await house.states() == []
    assert [p for p in (house.folder / "files").rglob("*") if p.is_file()] == []


async def test_a_file_that_is_not_there_is_a_failure_not_an_exception(house: House) -> None:
    item = Item("gone.txt", "file:///gone.txt", "file:///gone.txt", "local", "ada")
    receipt = await house.library.learn(house.folder / "gone.txt", item)
    assert receipt.outcome is Outcome.FAILED
    assert "No such file" in str(receipt.error)


async def test_what_one_scope_learned_the_others_do_not_see(house: House) -> None:
    await house.teach("secret.txt", "the merger is in may", scope="slack:T1:C9")
    assert await house.texts("local", "slack:T1:C8") == set()
    assert await house.texts("slack:T1:C9") == {"the merger is in may"}


async def test_the_same_file_shared_in_another_scope_is_seen_there_too_and_read_once(house: House) -> None:
    first = await house.teach("plan.txt", "we deploy on friday", scope="a")
    second = await house.teach("plan.txt", "we deploy on friday", scope="b")
    assert second.outcome is Outcome.LEARNED
    assert known(second).id == known(first).id
    assert await house.texts("b") == {"we deploy on friday"}
    assert {p.scopes for p in house.index.points.values()} == {("a", "b")}
    assert house.reader.read_names == ["plan.txt"]


async def test_new_content_for_one_scope_leaves_the_others_with_what_they_had(house: House) -> None:
    await house.teach("plan.txt", "we deploy on friday", scope="a")
    await house.teach("plan.txt", "we deploy on friday", scope="b")
    await house.teach("plan.txt", "we deploy on monday", scope="b")
    assert await house.texts("a") == {"we deploy on friday"}
    assert await house.texts("b") == {"we deploy on monday"}
    assert {p.scopes for p in house.index.points.values()} == {("a",), ("b",)}


async def test_what_is_attached_becomes_documents_of_its_own(house: House) -> None:
    receipt = await house.teach("mail.eml", "hello\nattach: notes.txt bring cake\n")
    assert [r.outcome for r in receipt.attached] == [Outcome.LEARNED]
    assert await house.texts() == {"hello", "bring cake"}


async def test_an_attachment_that_a_new_version_lacks_is_forgotten(house: House) -> None:
    await house.teach("mail.eml", "hello\nattach: notes.txt bring cake\nattach: more.txt bring tea\n")
    await house.teach("mail.eml", "hello again\nattach: notes.txt bring cake\n")
    assert await house.texts() == {"hello again", "bring cake"}
    assert await house.is_consistent()


async def test_forgetting_takes_text_vectors_file_attachments_and_old_versions_down_to_the_bytes(house: House) -> None:
    await house.teach("mail.eml", "canary-one\nattach: notes.txt canary-two\n")
    receipt = await house.teach("mail.eml", "canary-three\nattach: notes.txt canary-two\n")
    await house.teach("other.txt", "something that stays")
    (house.folder / "given").unlink()
    await house.forget(receipt)
    await compact(house.engine)
    assert await house.texts() == {"something that stays"}
    assert [name for name, _, _ in await house.states()] == ["other.txt"]
    assert await house.is_consistent()
    for file in (p for p in house.folder.rglob("*") if p.is_file()):
        assert b"canary" not in file.read_bytes(), file


async def test_bytes_that_another_document_still_has_are_kept(house: House) -> None:
    one = await house.teach("one.txt", "shared words", scope="a")
    await house.teach("two.txt", "shared words", scope="b")
    await house.forget(one)
    assert (await house.library.relearn(known(await house.teach("two.txt", "shared words", scope="b")).id)).error is None
    assert await house.texts("b") == {"shared words"}


async def test_reading_anew_replaces_the_passages_and_lists_one_version(house: House) -> None:
    receipt = await house.teach("plan.txt", "we deploy on friday\nand rest on sunday")
    before = set(house.index.points)
    assert (await house.library.relearn(known(receipt).id)).outcome is Outcome.LEARNED
    assert not set(house.index.points) & before
    assert [state for _, _, state in await house.states()] == [State.READY]
    assert await house.is_consistent()


@pytest.mark.parametrize("problem", ["broken", "binary"])
async def test_what_cannot_be_read_anew_stays_as_it_was_read_before(house: House, problem: str) -> None:
    receipt = await house.teach("plan.txt", "we deploy on friday")
    house.reader.problem = problem
    again = await house.library.relearn(known(receipt).id)
    assert again.outcome in (Outcome.FAILED, Outcome.UNSUPPORTED)
    assert await house.texts() == {"we deploy on friday"}
    assert [state for _, _, state in await house.states()] == [State.READY]


async def test_killed_while_reading_anew_the_old_reading_is_found_and_the_new_one_taken_up(house: House) -> None:
    receipt = await house.teach("plan.txt", "we deploy on friday")
    house.index.fail_after = 1
    with pytest.raises(KeyboardInterrupt):
        await house.library.relearn(known(receipt).id)
    house.index.fail_after = None
    await house.indexing.mend()
    assert await house.texts() == {"we deploy on friday"}
    assert await house.is_consistent()


async def test_an_older_version_that_was_interrupted_never_replaces_a_newer_one(house: House) -> None:
    await house.teach("plan.txt", "we deploy on friday")
    house.index.fail_after = 0
    with pytest.raises(KeyboardInterrupt):
        await house.teach("plan.txt", "we deploy on monday")
    house.index.fail_after = None
    await house.teach("plan.txt", "we deploy on sunday")
    assert [receipt async for receipt in house.library.resume()] == []
    await house.indexing.mend()
    assert await house.texts() == {"we deploy on sunday"}
    assert await house.is_consistent()


async def test_what_is_forgotten_while_it_is_learned_stays_forgotten(house: House) -> None:
    async with asyncio.TaskGroup() as group:

        async def forget_it() -> None:
            [document] = await house.catalogue.documents()
            group.create_task(house.library.forget([document.id]))
            while await house.catalogue.documents():  # noqa: ASYNC110  # the database tells nobody when rows go
                await asyncio.sleep(0.01)

        house.index.meanwhile = forget_it
        receipt = await house.teach("plan.txt", "we deploy on friday")
    assert (receipt.outcome, receipt.document) == (Outcome.FAILED, None)
    assert "forgotten" in str(receipt.error)
    assert not house.index.points
    assert [p for p in (house.folder / "files").rglob("*") if p.is_file()] == []


async def test_a_file_that_changes_while_it_is_copied_is_not_kept_under_a_wrong_name(tmp_path: Path) -> None:
    (tmp_path / "growing.log").write_text("one line")
    files = FolderFiles(tmp_path / "files")
    with pytest.raises(Unreadable, match="changed"):
        await files.put(tmp_path / "growing.log", "0" * 64)
    assert await files.all() == []


async def test_a_file_edited_to_what_another_says_no_longer_says_what_it_said(house: House) -> None:
    await house.teach("a.txt", "we deploy on friday")
    await house.teach("b.txt", "we deploy on monday")
    assert (await house.teach("b.txt", "we deploy on friday")).outcome is Outcome.DUPLICATE
    assert await house.texts() == {"we deploy on friday"}
    assert await house.is_consistent()


async def test_sharing_a_mail_shares_what_is_attached_to_it(house: House) -> None:
    await house.teach("mail.eml", "hello\nattach: notes.txt bring cake\n", scope="a")
    await house.teach("mail.eml", "hello\nattach: notes.txt bring cake\n", scope="b")
    assert await house.texts("b") == {"hello", "bring cake"}
    assert {p.scopes for p in house.index.points.values()} == {("a", "b")}


async def test_a_scope_keeps_what_it_shares_when_its_new_version_cannot_be_read(house: House) -> None:
    await house.teach("plan.txt", "we deploy on friday", scope="a")
    await house.teach("plan.txt", "we deploy on friday", scope="b")
    await house.teach("plan.txt", "broken", scope="b")
    assert await house.texts("b") == {"we deploy on friday"}


async def test_forgetting_an_archive_keeps_what_was_taught_by_itself(house: House) -> None:
    archive = await house.teach("all.zip", "list\nattach: notes.txt bring cake\n")
    assert (await house.teach("notes.txt", "bring cake")).outcome is Outcome.LEARNED
    await house.forget(archive)
    assert await house.texts() == {"bring cake"}


async def test_files_that_a_kill_has_left_without_a_document_are_swept(house: House) -> None:
    receipt = await house.teach("plan.txt", "we deploy on friday")
    (house.folder / "stray").write_text("stray")
    stray = sha256_of(house.folder / "stray")
    await FolderFiles(house.folder / "files").put(house.folder / "stray", stray)
    await house.library.sweep()
    assert await FolderFiles(house.folder / "files").all() == [known(receipt).sha256]


async def test_an_unknown_or_ambiguous_id_is_refused(house: House) -> None:
    await house.teach("one.txt", "one")
    for wrong in ("nope", "", "%"):
        with pytest.raises(UnknownDocument):
            await house.catalogue.document(wrong)


async def test_the_index_is_rebuilt_from_the_database_alone(house: House) -> None:
    await house.teach("plan.txt", "we deploy on friday\nand rest on sunday")
    before = {i: p.dense.tolist() for i, p in house.index.points.items()}
    house.index.points.clear()
    told: list[tuple[int, int]] = []
    assert await house.indexing.reindex(progress=lambda done, total: told.append((done, total))) == 2
    assert {i: p.dense.tolist() for i, p in house.index.points.items()} == before
    assert told == [(2, 2)]


async def test_mending_adds_what_is_missing_and_removes_what_is_too_much(house: House) -> None:
    await house.teach("plan.txt", "one\ntwo\nthree")
    lost = sorted(house.index.points)[:2]
    stray = house.index.points.pop(lost[0])
    del house.index.points[lost[1]]
    house.index.points["6ba7b811-9dad-11d1-80b4-00c04fd430c8"] = stray
    assert await house.indexing.mend() == 3
    assert await house.is_consistent()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(writes=st.integers(0, 4), old=st.booleans())
async def test_a_kill_at_any_write_leaves_what_teaching_again_makes_whole(
    tmp_path_factory: pytest.TempPathFactory, writes: int, old: bool
) -> None:
    folder = tmp_path_factory.mktemp("house")
    contents = "hello\nattach: notes.txt bring cake\nthe end"
    async with open_database(f"sqlite+aiosqlite:///{folder / 'twin.db'}") as engine:
        house = House.on(engine, folder, MemoryIndex())
        if old:
            await house.teach("mail.eml", "an older mail\nattach: notes.txt bring tea")
        house.index.fail_after = writes
        try:
            await house.teach("mail.eml", contents)
        except KeyboardInterrupt:
            found = await house.texts()
            assert found <= {"hello", "the end", "bring cake"} or "an older mail" in found
        house.index.fail_after = None
    async with open_database(f"sqlite+aiosqlite:///{folder / 'twin.db'}") as engine:
        again = House.on(engine, folder, house.index)
        await again.indexing.mend()
        assert await again.is_consistent()
        await again.teach("mail.eml", contents)
        assert await again.texts() == {"hello", "the end", "bring cake"}
        assert await again.is_consistent()
        assert not [state for state in await again.states() if state[2] is State.PENDING]


async def test_what_was_interrupted_is_taken_up_again(house: House) -> None:
    house.index.fail_after = 0
    with pytest.raises(KeyboardInterrupt):
        await house.teach("plan.txt", "we deploy on friday")
    house.index.fail_after = None
    assert [r.outcome async for r in house.library.resume()] == [Outcome.LEARNED]
    assert await house.texts() == {"we deploy on friday"}


async def test_a_document_leaves_one_scope_and_is_forgotten_with_the_last(house: House) -> None:
    receipt = await house.teach("mail.eml", "hello\nattach: notes.txt bring cake\n", scope="a")
    await house.teach("mail.eml", "hello\nattach: notes.txt bring cake\n", scope="b")
    assert await house.library.unshare(known(receipt).id, "nowhere") == ()
    assert await house.library.unshare(known(receipt).id, "a") == ()
    assert (await house.texts("a"), await house.texts("b")) == (set(), {"hello", "bring cake"})
    assert {p.scopes for p in house.index.points.values()} == {("b",)}
    family = await house.catalogue.family(known(receipt).id)
    assert sorted(await house.library.unshare(known(receipt).id, "b")) == sorted(family)
    assert await house.library.unshare(known(receipt).id, "b") == ()
    assert (await house.states(), house.index.points) == ([], {})
    assert await FolderFiles(house.folder / "files").all() == []


async def test_forgetting_takes_what_is_attached_even_when_it_is_not_named(house: House) -> None:
    receipt = await house.teach("mail.eml", "hello\nattach: notes.txt bring cake\n")
    await house.library.forget([known(receipt).id])
    assert (await house.states(), house.index.points) == ([], {})
    assert await FolderFiles(house.folder / "files").all() == []


async def test_what_could_not_be_forgotten_to_the_end_is_seen_by_nobody_and_forgotten_by_trying_again(house: House) -> None:
    receipt = await house.teach("plan.txt", "we deploy on friday")
    house.index.fail_after = 0
    with pytest.raises(KeyboardInterrupt):
        await house.forget(receipt)
    assert await house.texts() == set()
    house.index.fail_after = None
    await house.forget(receipt)
    assert (await house.states(), house.index.points) == ([], {})
    assert await FolderFiles(house.folder / "files").all() == []


async def test_nothing_new_rests_on_a_document_that_is_about_to_be_forgotten(house: House) -> None:
    document = known(await house.teach("plan.txt", "we deploy on friday")).id
    async with house.engine.connect() as connection:
        assert await house.catalogue.living(connection, [document, "unknown"]) == {document}
    await house.library.hide([document])
    async with house.engine.connect() as connection:
        assert await house.catalogue.living(connection, [document]) == set()
