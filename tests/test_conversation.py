"""The conversation on the real parts: grounded answers from a model server, what is withheld, remembered and forgotten."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.answering.writing import AWAY
from bot.app import House, open_house
from bot.chat import Answer, Delta, Person, Place, Restart, Spoken
from bot.engine import MORE, Asked
from bot.errors import UnknownConversation, UnknownMessage
from bot.people.kinds import Kind, PlaceKind
from bot.record.said import FORGOTTEN, Fate
from bot.settings import Settings
from tests.simulators.llm import LlmServer, Say

ADA, BOB, EVE = "slack:T1:ada", "slack:T1:bob", "slack:T1:eve"
OPEN, SECRET = Place("slack:T1:open"), Place("slack:T1:secret")
HOURS = "# Hours\n\n## Canteen\n\nThe canteen opens at half past twelve.\n\n## Library\n\nThe library opens at nine.\n"
PLANS = "# Plans\n\n## Codename\n\nThe codename of the merger is Kingfisher, and it is signed in Lisbon.\n"


@pytest.fixture
async def model() -> AsyncIterator[LlmServer]:
    async with LlmServer() as server:
        yield server


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data")


def with_model(settings: Settings, model: LlmServer) -> Settings:
    return Settings(
        data_dir=settings.data_dir, llm="openai:stub", openai_base_url=f"{model.url}/v1", openai_api_key=SecretStr("none")
    )


async def introduce(house: House) -> dict[str, Person]:
    """Ada and Bob work together; Ada alone is in the secret channel; Eve is a guest in the open one."""
    people = {}
    for account, kind in ((ADA, Kind.MEMBER), (BOB, Kind.MEMBER), (EVE, Kind.GUEST)):
        people[account] = await house.people.met(account, tenant="slack:T1", kind=kind, name=account)
        direct = f"slack:T1:D-{account[-3:]}"
        await house.people.placed(direct, tenant="slack:T1", kind=PlaceKind.DIRECT)
        await house.people.members(direct, [account])
    for place, of, members in ((OPEN, PlaceKind.PUBLIC, [ADA, BOB, EVE]), (SECRET, PlaceKind.PRIVATE, [ADA])):
        await house.people.placed(place.id, tenant="slack:T1", kind=of)
        await house.people.members(place.id, members)
    return people


def direct(account: str) -> Place:
    return Place(f"slack:T1:D-{account[-3:]}")


async def teach(house: House, folder: Path, name: str, text: str, scope: str) -> str:
    file = folder / name
    file.write_text(text)
    [(_, receipt)] = [one async for one in house.twin.learn([file], scope=scope, by=Person("local"))]
    assert receipt.document, receipt
    return receipt.document.id


async def ask(
    house: House, question: str, place: Place, person: Person, conversation: str | None = None
) -> tuple[Answer, list[str]]:
    """Return the answer, and what was shown before it and taken back."""
    shown, void = "", list[str]()
    async for piece in house.twin.ask(question, place=place, person=person, conversation=conversation):
        match piece:
            case Delta(text):
                shown += text
            case Restart():
                void.append(shown)
                shown = ""
            case Answer():
                assert shown == piece.text
                return piece, void
    raise AssertionError("no answer")


async def test_a_model_answers_with_the_sources_it_cites(settings: Settings, model: LlmServer, tmp_path: Path) -> None:
    model.default = Say(["The canteen opens ", "at half past twelve [1]. ", "It serves lobster daily."])
    async with open_house(with_model(settings, model)) as house:
        people = await introduce(house)
        await teach(house, tmp_path, "hours.md", HOURS, OPEN.id)
        answer, _ = await ask(house, "When does the canteen open?", OPEN, people[BOB])
        assert answer.text.startswith("The canteen opens at half past twelve [1].")
        assert "lobster daily [" not in answer.text
        assert [source.quote for source in answer.sources] == ["The canteen opens at half past twelve."]
        assert (answer.provider, answer.model) == ("openai", "stub")
        [request] = model.requests
        assert "half past twelve" in str(request.body)
        assert "tools" not in request.body


async def test_a_model_that_dies_in_the_middle_is_stood_in_for_and_that_is_said(
    settings: Settings, model: LlmServer, tmp_path: Path
) -> None:
    model.default = Say(["The canteen opens at half past twelve [1]. ", "And then "], ending="reset")
    async with open_house(with_model(settings, model)) as house:
        people = await introduce(house)
        await teach(house, tmp_path, "hours.md", HOURS, OPEN.id)
        answer, void = await ask(house, "When does the canteen open?", OPEN, people[BOB])
        assert void
        assert answer.notice == AWAY
        assert answer.provider == "extractive"
        assert "half past twelve" in answer.text


async def test_without_evidence_no_model_is_asked(settings: Settings, model: LlmServer, tmp_path: Path) -> None:
    async with open_house(with_model(settings, model)) as house:
        people = await introduce(house)
        await teach(house, tmp_path, "hours.md", HOURS, SECRET.id)
        answer, _ = await ask(house, "Which enzyme unwinds the double helix during replication?", OPEN, people[BOB])
        assert answer.abstained
        assert model.requests == []


async def test_what_a_reader_may_not_see_is_withheld_and_offered_only_to_who_may(settings: Settings, tmp_path: Path) -> None:
    async with open_house(settings) as house:
        people = await introduce(house)
        await teach(house, tmp_path, "hours.md", HOURS, OPEN.id)
        await teach(house, tmp_path, "plans.md", PLANS, SECRET.id)
        question = "What is the codename of the merger?"
        to_ada, _ = await ask(house, question, OPEN, people[ADA])
        to_bob, _ = await ask(house, question, OPEN, people[BOB])
        assert "Kingfisher" not in to_ada.text + to_bob.text
        assert (to_ada.text, to_ada.abstained) == (to_bob.text, to_bob.abstained)
        assert (to_ada.aside, to_bob.aside) == (MORE, "")
        alone, _ = await ask(house, question, direct(ADA), people[ADA])
        assert "Kingfisher" in alone.text
        other, _ = await ask(house, question, direct(BOB), people[BOB])
        assert "Kingfisher" not in other.text


async def test_leaving_a_place_takes_effect_with_the_next_question_and_for_what_was_said(
    settings: Settings, tmp_path: Path
) -> None:
    async with open_house(settings) as house:
        people = await introduce(house)
        await teach(house, tmp_path, "plans.md", PLANS, SECRET.id)
        place = direct(ADA)
        said, _ = await ask(house, "What is the codename of the merger?", place, people[ADA])
        assert "Kingfisher" in said.text
        await house.people.left(SECRET.id, ADA)
        again, _ = await ask(house, "What is the codename of the merger?", place, people[ADA])
        assert "Kingfisher" not in again.text
        export = await house.twin.export(said.conversation_id, "md", place=place, person=people[ADA])
        assert "Kingfisher" not in export
        shown = await house.parts.engine.stored(said.message_id, place=place, person=people[ADA])
        assert "Kingfisher" not in shown.text


async def test_nobody_reads_or_goes_on_with_the_conversation_of_another(settings: Settings, tmp_path: Path) -> None:
    async with open_house(settings) as house:
        people = await introduce(house)
        await teach(house, tmp_path, "plans.md", PLANS, SECRET.id)
        said, _ = await ask(house, "What is the codename of the merger?", direct(ADA), people[ADA])
        with pytest.raises(UnknownConversation):
            await ask(house, "And where is it signed?", direct(BOB), people[BOB], said.conversation_id)
        for call in (
            house.twin.conversation(said.conversation_id, place=direct(BOB), person=people[BOB]),
            house.twin.why(said.message_id, place=direct(BOB), person=people[BOB]),
            house.twin.give_feedback(said.message_id, 1, place=OPEN, person=people[BOB]),
        ):
            with pytest.raises(UnknownMessage):
                await call


async def test_a_follow_up_is_understood_from_what_was_asked_before(settings: Settings, tmp_path: Path) -> None:
    async with open_house(settings) as house:
        people = await introduce(house)
        await teach(house, tmp_path, "hours.md", HOURS, OPEN.id)
        first, _ = await ask(house, "When does the canteen open?", direct(BOB), people[BOB])
        second, _ = await ask(house, "And the library?", direct(BOB), people[BOB], first.conversation_id)
        assert "nine" in second.text
        assert second.conversation_id == first.conversation_id


async def test_why_names_what_was_searched_and_considered_but_nothing_that_is_hidden_now(
    settings: Settings, tmp_path: Path
) -> None:
    async with open_house(settings) as house:
        people = await introduce(house)
        await teach(house, tmp_path, "hours.md", HOURS, OPEN.id)
        await teach(house, tmp_path, "plans.md", PLANS, SECRET.id)
        place = direct(ADA)
        answer, _ = await ask(house, "When does the canteen open?", place, people[ADA])
        why = await house.twin.why(answer.message_id, place=place, person=people[ADA])
        assert why.query == "When does the canteen open?"
        assert why.considered[0].fate is Fate.CITED
        assert "Plans" in {one.title for one in why.considered}
        await house.people.left(SECRET.id, ADA)
        why = await house.twin.why(answer.message_id, place=place, person=people[ADA])
        assert "Plans" not in {one.title for one in why.considered}


@pytest.fixture
def twins() -> Iterator[tuple[str, str]]:
    """Two documents that answer equally well."""
    yield (
        "# Lift north\n\n## Service\n\nThe lift is serviced by the company Otis every March.\n",
        "# Lift south\n\n## Service\n\nThe lift is serviced by the company Kone every April.\n",
    )


async def test_feedback_moves_what_is_found_a_little_and_can_be_taken_back(
    settings: Settings, tmp_path: Path, twins: tuple[str, str]
) -> None:
    async with open_house(settings) as house:
        people = await introduce(house)
        for n, text in enumerate(twins):
            await teach(house, tmp_path, f"lift-{n}.md", text, OPEN.id)
        place, bob = direct(BOB), people[BOB]

        async def order() -> list[str]:
            found = await house.twin.search("Who services the lift?", place=place, person=bob, limit=2)
            return [one.passage.title for one in found]

        before = await order()
        answer, _ = await ask(house, "Who services the lift?", place, bob)
        for person in people.values():
            await house.parts.feedback.give(answer.message_id, person, -1, "that is the wrong lift")
            await house.parts.feedback.give(answer.message_id, person, -1, "that is the wrong lift")
        why = await house.twin.why(answer.message_id, place=place, person=bob)
        assert why.considered[0].prior == 0.0  # as it was when the answer was given
        cited = {source.passage_id for source in answer.sources}
        priors = await house.parts.knowledge.priors.of(sorted(cited))
        assert set(priors) == cited
        assert all(-1 < value < 0 for value in priors.values())
        if len({source.document_id for source in answer.sources}) == 1:
            assert await order() == before[::-1]
        for person in people.values():
            await house.parts.feedback.give(answer.message_id, person, 0)
        assert await house.parts.knowledge.priors.of(sorted(cited)) == {}
        assert await order() == before


async def test_an_answer_that_is_asked_for_again_takes_the_place_of_the_first(
    settings: Settings, model: LlmServer, tmp_path: Path
) -> None:
    async with open_house(with_model(settings, model)) as house:
        people = await introduce(house)
        await teach(house, tmp_path, "hours.md", HOURS, OPEN.id)
        model.default = Say(["The canteen opens at half past twelve [1]."])
        first, _ = await ask(house, "When does the canteen open?", direct(BOB), people[BOB])
        model.default = Say(["At half past twelve the canteen opens [1]."])
        pieces = await house.twin.regenerate(first.message_id, place=direct(BOB), person=people[BOB])
        [*_, second] = [piece async for piece in pieces]
        assert isinstance(second, Answer)
        assert second.text == "At half past twelve the canteen opens [1]."
        said = await house.twin.conversation(first.conversation_id, place=direct(BOB), person=people[BOB])
        assert [(one.role, one.superseded) for one in said] == [("user", False), ("assistant", True), ("assistant", False)]


async def test_what_is_remembered_for_a_person_is_told_to_them_alone_and_forgotten_with_them(
    settings: Settings, tmp_path: Path
) -> None:
    async with open_house(settings) as house:
        people = await introduce(house)
        await house.twin.remember("My locker is number 4711 in the basement.", place=direct(BOB), person=people[BOB])
        question = "What is the number of my locker?"
        assert "4711" in (await ask(house, question, direct(BOB), people[BOB]))[0].text
        for place, account in ((OPEN, BOB), (direct(ADA), ADA)):
            assert "4711" not in (await ask(house, question, place, people[account]))[0].text
        documents, questions = await house.twin.forget_me(person=people[BOB])
        assert (documents, questions) == (1, 2)
        assert "4711" not in (await ask(house, question, direct(BOB), people[BOB]))[0].text
        assert await house.twin.notes(person=people[BOB]) == []
    for path in (p for p in settings.data_dir.rglob("*") if p.is_file()):
        assert b"4711" not in path.read_bytes(), path


async def test_an_answer_that_rested_on_a_forgotten_document_loses_its_words_cited_or_only_read(
    settings: Settings, model: LlmServer, tmp_path: Path
) -> None:
    model.default = Say(["The codename of the merger is Kingfisher."])
    async with open_house(with_model(settings, model)) as house:
        people = await introduce(house)
        document = await teach(house, tmp_path, "plans.md", PLANS, OPEN.id)
        answer, _ = await ask(house, "What is the codename of the merger?", direct(BOB), people[BOB])
        await house.twin.forget(document, place=Place("local"), person=Person("local"))
        said = await house.twin.conversation(answer.conversation_id, place=direct(BOB), person=people[BOB])
        assert "Kingfisher" not in str(said)
        assert said[-1].text in {FORGOTTEN, "I don't know."}


async def test_what_is_quoted_without_a_model_mentions_nobody_and_links_nowhere_else(
    settings: Settings, tmp_path: Path
) -> None:
    text = "# Alarm\n\nIn case of fire call <!channel> and @everyone, and see https://evil.example/?q=secret ![x](https://a.b/c.png).\n"
    async with open_house(settings) as house:
        people = await introduce(house)
        await teach(house, tmp_path, "alarm.md", text, OPEN.id)
        answer, _ = await ask(house, "Whom do I call in case of fire?", OPEN, people[BOB])
        assert answer.sources
        assert "<!channel>" not in answer.text
        assert "@everyone" not in answer.text
        assert "![" not in answer.text


async def test_what_others_said_in_a_thread_is_taken_into_account_and_an_answer_goes_with_it(
    settings: Settings, model: LlmServer, tmp_path: Path
) -> None:
    model.default = Say(["The canteen opens at half past twelve [1]."])
    async with open_house(with_model(settings, model)) as house:
        people = await introduce(house)
        await teach(house, tmp_path, "hours.md", HOURS, OPEN.id)
        heard = (Spoken("7", "Ada", "Our visitors want to eat in the canteen."),)
        asked = Asked("When does it open?", OPEN, people[BOB], thread="7", question_id="q", origin=f"{OPEN.id}/8", heard=heard)
        [*_, answer] = [piece async for piece in house.parts.engine.answer(asked)]
        assert isinstance(answer, Answer)
        assert "visitors want to eat in the canteen" in str(model.requests[-1].body)
        assert (await house.parts.engine.stored(answer.message_id, place=OPEN, person=people[BOB])).text == answer.text
        await house.parts.history.unhear(f"{OPEN.id}/7")
        assert (await house.parts.engine.stored(answer.message_id, place=OPEN, person=people[BOB])).text == FORGOTTEN
