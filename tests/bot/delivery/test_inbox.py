"""Each message is received once, whatever is delivered how often and in which order; the latest change wins."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.chat import Message
from bot.db import open_database
from bot.delivery.inbox import ANSWER, CHANGED, DELIVER, LEARN, Accepted, Chore, Errand, Inbox, Policy, judged, version
from bot.tables import INBOX, OUTBOX, POSTS
from tests.simulators.platform import said

TALK, LEARNS = Policy(), Policy(learns=True)


class Remembered:
    """A queue that remembers what was put."""

    def __init__(self) -> None:
        self.errands: list[Errand] = []

    def put(self, _connection: Connection, errand: Errand | Chore) -> None:
        assert isinstance(errand, Errand)
        self.errands.append(errand)


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    async with open_database(f"sqlite+aiosqlite:///{tmp_path / 'twin.db'}") as opened:
        yield opened


def kinds(accepted: Accepted) -> list[str]:
    return [errand.kind for errand in accepted.errands]


async def test_a_message_to_the_twin_asks_for_an_answer_once_however_often_it_is_delivered(engine: AsyncEngine) -> None:
    queue = Remembered()
    inbox = Inbox(engine, queue)
    message = said("when?", 1)
    assert kinds(await inbox.accept(message, TALK)) == [ANSWER]
    for _ in range(3):
        assert (await inbox.accept(message, TALK)).reason == "delivered twice"
    assert len(queue.errands) == 1


async def test_the_same_message_as_another_event_is_answered_once(engine: AsyncEngine) -> None:
    inbox = Inbox(engine, Remembered())
    assert kinds(await inbox.accept(said("when?", 1, event="message"), TALK)) == [ANSWER]
    assert (await inbox.accept(said("when?", 1, event="mention"), TALK)).reason == "nothing new in it"


async def test_a_mention_that_comes_after_its_message_was_passed_over_is_answered(engine: AsyncEngine) -> None:
    inbox = Inbox(engine, Remembered())
    first = await inbox.accept(said("twin, when?", 1, event="message", addressed=False), TALK)
    assert first.reason == "not meant for the twin"
    assert kinds(await inbox.accept(said("twin, when?", 1, event="mention"), TALK)) == [ANSWER]


async def test_of_what_is_not_meant_for_the_twin_nothing_is_kept_but_that_it_came(engine: AsyncEngine) -> None:
    await Inbox(engine, Remembered()).accept(said("between us", 1, addressed=False), TALK)
    async with engine.connect() as connection:
        assert (await connection.execute(select(POSTS))).all() == []
        [row] = (await connection.execute(select(INBOX))).all()
    assert "between us" not in str(row)
    assert row.outcome == "not meant for the twin"


async def test_chat_is_learned_where_that_is_switched_on_and_nowhere_else(engine: AsyncEngine) -> None:
    inbox = Inbox(engine, Remembered())
    assert kinds(await inbox.accept(said("we ship on friday", 1, addressed=False), LEARNS)) == [LEARN]
    assert kinds(await inbox.accept(said("we ship on friday", 2, addressed=False), TALK)) == []


async def test_files_are_learned_where_the_twin_is_spoken_to(engine: AsyncEngine) -> None:
    inbox = Inbox(engine, Remembered())
    assert kinds(await inbox.accept(said("", 1, files=("plan.pdf",)), TALK)) == [LEARN]
    assert kinds(await inbox.accept(said("", 2, files=("plan.pdf",), addressed=False), TALK)) == []


async def test_an_edit_undoes_what_was_and_asks_anew(engine: AsyncEngine) -> None:
    inbox = Inbox(engine, Remembered())
    first = await inbox.accept(said("when?", 1), TALK)
    edited = await inbox.accept(said("when and where?", 1, at=5), TALK)
    assert kinds(edited) == [CHANGED, ANSWER]
    assert [errand.key for errand in edited.ended] == [errand.key for errand in first.errands]


async def test_an_edit_that_is_refused_ends_what_was_asked_before_and_a_second_refusal_replaces_the_first(
    engine: AsyncEngine,
) -> None:
    inbox = Inbox(engine, Remembered())
    first = await inbox.accept(said("when?", 1), TALK)
    refused = await inbox.accept(said("when and where?", 1, at=5), Policy(refusal="Ask me again in 6 seconds."))
    assert kinds(refused) == [CHANGED, DELIVER]
    assert [errand.key for errand in refused.ended] == [errand.key for errand in first.errands]
    await inbox.accept(said("where?", 1, at=6), Policy(refusal="Ask me again in 5 seconds."))
    async with engine.connect() as connection:
        assert list((await connection.execute(select(OUTBOX.c.text))).scalars()) == ["Ask me again in 5 seconds."]


async def test_an_edit_of_the_same_text_changes_nothing(engine: AsyncEngine) -> None:
    inbox = Inbox(engine, Remembered())
    await inbox.accept(said("see https://a.example", 1), TALK)
    assert (await inbox.accept(said("see https://a.example", 1, at=1), TALK)).reason == "nothing new in it"


async def test_what_is_deleted_stays_deleted_whatever_comes_later(engine: AsyncEngine) -> None:
    inbox = Inbox(engine, Remembered())
    assert kinds(await inbox.accept(said("", 1, at=3, deleted=True), TALK)) == [CHANGED]
    for late in (said("my secret", 1), said("my other secret", 1, at=9)):
        assert (await inbox.accept(late, TALK)).reason == "deleted already"
    post = await inbox.post("sim:T1:C1", "1")
    assert post is not None
    assert (post.deleted, post.text) == (True, "")


async def test_a_refusal_is_kept_to_be_told_and_nothing_else_is_done(engine: AsyncEngine) -> None:
    inbox = Inbox(engine, Remembered())
    accepted = await inbox.accept(said("again?", 1), Policy(refusal="That was a lot of questions at once."))
    assert kinds(accepted) == [DELIVER]
    async with engine.connect() as connection:
        assert list((await connection.execute(select(OUTBOX.c.text))).scalars()) == ["That was a lot of questions at once."]


async def test_a_delivery_that_came_before_is_not_new(engine: AsyncEngine) -> None:
    inbox = Inbox(engine, Remembered())
    message = said("when?", 1)
    assert await inbox.is_new(message)
    await inbox.accept(message, TALK)
    assert not await inbox.is_new(message)
    assert not await inbox.is_new(replace(message, event="as a mention"))
    assert await inbox.is_new(said("when and where?", 1, at=2))


async def test_a_job_that_cannot_be_kept_keeps_the_message_out(engine: AsyncEngine) -> None:
    class Full:
        def put(self, _connection: Connection, _errand: Errand | Chore) -> None:
            raise OSError("disk full")

    message = said("when?", 1)
    with pytest.raises(OSError, match="disk full"):
        await Inbox(engine, Full()).accept(message, TALK)
    assert kinds(await Inbox(engine, Remembered()).accept(message, TALK)) == [ANSWER]


CHANGES = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from(["a", "b", "c"]), st.booleans(), st.integers(0, 9)), min_size=1, max_size=6
)


def applied(messages: list[Message]) -> Message | None:
    """Return the state that deliveries leave, as `Inbox` keeps it."""
    known: Message | None = None
    for message in messages:
        accepted = judged(known, message, LEARNS)
        if accepted.reason in {"deleted already", "older than what is known"}:
            continue
        if known is None or accepted.errands or message.changed_at >= known.changed_at:
            known = message
    return known


@given(CHANGES, st.randoms())
def test_in_whatever_order_changes_arrive_the_state_is_that_of_the_sorted_sequence(
    changes: list[tuple[int, str, bool, int]], random: object
) -> None:
    by_time = {at: said(text, 1, at=at, deleted=deleted, event=f"e{at}") for at, text, deleted, _ in changes}
    messages = list(by_time.values())
    random.shuffle(messages)  # type: ignore[attr-defined]
    state = applied(messages)
    assert state is not None
    if any(message.deleted for message in messages):
        assert state.deleted
    else:
        assert version(state) == version(by_time[max(by_time)])


async def test_a_deletion_is_acted_upon_also_when_its_author_had_everything_forgotten_before(engine: AsyncEngine) -> None:
    inbox = Inbox(engine, Remembered())
    await inbox.accept(said("my secret", 1), TALK)
    await inbox.accept(said("", 1, at=3, deleted=True), TALK)
    assert kinds(await inbox.accept(said("", 1, at=5, deleted=True), TALK)) == [CHANGED]
