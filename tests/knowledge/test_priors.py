"""What people think of a passage moves it a little in what is found."""

import pytest
from sqlalchemy import func, select

from knowledge.priors import Priors
from knowledge.tables import PRIORS
from tests.knowledge.house import LOCAL, House, known

LINES = [f"the answer number {n} to the question of the day" for n in range(30)]


@pytest.fixture
async def full(house: House) -> House:
    """Return a house that knows thirty passages."""
    await house.teach("answers.txt", "\n".join(LINES))
    return house


async def found(house: House) -> list[str]:
    results = await house.retrieval.search("what is the answer", audience=LOCAL, limit=30, mode="dense")
    return [one.passage.id for one in results.found]


async def test_an_opinion_moves_a_passage_and_taking_it_back_moves_it_back(full: House) -> None:
    before = await found(full)
    await full.priors.set({before[15]: 1.0})
    liked = await found(full)
    assert 0 < liked.index(before[15]) < 15
    assert [i for i in liked if i != before[15]] == [i for i in before if i != before[15]]
    await full.priors.set({before[15]: -1.0})
    assert (await found(full)).index(before[15]) > 15
    await full.priors.set({before[15]: 0.0})
    assert await found(full) == before
    assert await full.priors.of(before) == {}


async def test_what_is_found_says_what_is_thought_of_it(full: House) -> None:
    first, second, *_ = await found(full)
    await full.priors.set({first: 0.5, second: -7.0})
    results = await full.retrieval.search("what is the answer", audience=LOCAL, limit=30, mode="dense")
    assert {one.passage.id: one.prior for one in results.found if one.prior} == {first: 0.5, second: -1.0}


async def test_opinions_are_of_passages_that_exist_and_go_with_them(full: House) -> None:
    ids = list(full.index.points)
    await full.priors.set({ids[0]: 1.0, ids[1]: -0.5, "gone": 1.0})
    await full.priors.set({ids[0]: 0.25})
    assert await full.priors.of([*ids, "gone"]) == {ids[0]: 0.25, ids[1]: -0.5}
    [document] = await full.catalogue.documents()
    await full.library.relearn(document.id)
    async with full.engine.connect() as connection:
        assert (await connection.execute(select(func.count()).select_from(PRIORS))).scalar() == 0


async def test_opinions_are_found_after_a_search_that_knew_of_none_and_by_the_next_process(full: House) -> None:
    before = await found(full)
    await full.priors.set({before[0]: 0.0})
    assert await full.priors.of(before) == {}
    await full.priors.set({before[0]: 1.0})
    assert await full.priors.of(before) == await Priors(full.engine).of(before) == {before[0]: 1.0}


async def test_nothing_to_set_is_nothing(house: House) -> None:
    await house.priors.set({})
    assert await house.priors.of([]) == {}
    assert known(await house.teach("a.txt", "one")).passages == 1
