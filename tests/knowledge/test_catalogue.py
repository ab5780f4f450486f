"""What the database shows of documents, and to whom."""

import pytest

from knowledge.documents import Audience
from knowledge.errors import UnknownDocument
from tests.knowledge.house import LOCAL, House, known

FEW = Audience(frozenset({"few"}))


async def test_documents_are_listed_for_those_who_may_see_them_with_the_scopes_that_are_theirs(house: House) -> None:
    await house.teach("plan.txt", "we deploy on friday", scope="few")
    await house.teach("plan.txt", "we deploy on friday", scope="local")
    await house.teach("secret.txt", "the merger is in may", scope="few")
    assert [(d.name, d.scopes) for d in await house.catalogue.documents(LOCAL)] == [("plan.txt", ("local",))]
    assert {d.name for d in await house.catalogue.documents(FEW)} == {"plan.txt", "secret.txt"}
    assert {d.name: d.scopes for d in await house.catalogue.documents()}["plan.txt"] == ("few", "local")


async def test_what_an_audience_may_not_see_is_as_unknown_as_what_is_not_there(house: House) -> None:
    secret = known(await house.teach("secret.txt", "the merger is in may", scope="few"))
    said = []
    for wanted in (secret.id, "0" * len(secret.id)):
        with pytest.raises(UnknownDocument) as error:
            await house.catalogue.document(wanted, LOCAL)
        said.append(str(error.value).replace(wanted, "…"))
    assert said[0] == said[1]
    assert (await house.catalogue.document(secret.id, FEW)).scopes == ("few",)


async def test_what_an_audience_may_not_see_makes_no_beginning_of_an_id_ambiguous(house: House) -> None:
    seen = known(await house.teach("seen.txt", "we deploy on friday"))
    for n in range(40):  # two in sixteen begin alike
        await house.teach(f"{n}.txt", f"secret {n}", scope="few")
    assert (await house.catalogue.document(seen.id[:1], LOCAL)).id == seen.id


async def test_the_visible_of_some_documents_are_those_that_can_be_found_now(house: House) -> None:
    seen = known(await house.teach("seen.txt", "we deploy on friday")).id
    hidden = known(await house.teach("hidden.txt", "the merger is in may", scope="few")).id
    broken = known(await house.teach("odd.txt", "broken")).id
    gone = known(await house.teach("gone.txt", "forget me"))
    await house.library.forget([gone.id])
    assert await house.catalogue.visible([seen, hidden, broken, gone.id], LOCAL) == {seen}
    assert await house.catalogue.visible([], LOCAL) == set()


async def test_documents_are_found_by_source_scope_and_teacher_each_once(house: House) -> None:
    await house.teach("plan.txt", "we deploy on friday")
    await house.teach("plan.txt", "we deploy on monday")
    await house.teach("plan.txt", "broken")
    await house.teach("plan.txt", "something else", scope="few")
    [document] = await house.catalogue.by_source("file:///plan.txt", "local")
    assert (document.version, document.scopes, document.added_by) == (2, ("local",), "ada")
    assert await house.catalogue.in_scope("local") == [document]
    assert len(await house.catalogue.added_by("ada")) == 2
    assert await house.catalogue.by_source("file:///plan", "local") == await house.catalogue.added_by("bob") == []


async def test_what_was_taught_below_a_source_is_named_without_what_came_inside_it(house: House) -> None:
    said = known(await house.tell("see the file", source="chat:1"))
    path = house.folder / "given"
    path.write_text("the file\nattach: notes.txt bring cake\n")
    await house.tell("another", source="chat:12")
    mail = known(await house.teach("1#mail.eml", path.read_text(), where="")).id
    assert await house.catalogue.from_source("file:///1") == [("file:///1#mail.eml", mail)]
    assert await house.catalogue.from_source("chat:1") == [("chat:1", said.id)]


async def test_the_text_of_a_document_that_is_gone_meanwhile_is_unknown(house: House) -> None:
    document = known(await house.teach("plan.txt", "we deploy on friday"))
    await house.library.forget([document.id])
    with pytest.raises(UnknownDocument):
        await house.catalogue.text(document)
