"""Stopped in the middle of much, and held up: what was begun is finished, now or after the next start, and once."""

from pathlib import Path

import pytest

from bot.chat import Message
from tests.faults.running import running
from tests.simulators.llm import LlmServer, Say
from tests.simulators.platform import said

MANY = 20


@pytest.mark.timeout(240)
async def test_stopped_under_load_it_takes_nothing_new_ends_well_and_finishes_after_the_next_start(tmp_path: Path) -> None:
    async with LlmServer() as server:
        server.default = Say(["The canteen ", "opens at ", "half past twelve [1]."], first=1.0, interval=0.5)
        environment = {
            "TWIN_LLM": "openai:stub",
            "OPENAI_BASE_URL": f"{server.url}/v1",
            "OPENAI_API_KEY": "none",
            "TWIN_ANSWERS_AT_ONCE": str(MANY),
        }
        async with running(tmp_path, environment) as one:
            await one.start()
            one.platform.files["hours.md"] = b"# Hours\n\nThe canteen opens at half past twelve.\n"
            await one.redeliver([taught := said("", "file", files=("hours.md",))])
            await one.said(taught)
            names = [f"report-{n}.md" for n in range(MANY)]
            one.platform.files.update({name: f"# {name}\n\nThe colour of {name} is mauve.\n".encode() for name in names})
            questions = [
                said("When does the canteen open?", f"q{n}", account=f"sim:T1:M{n}", thread=f"t{n}") for n in range(MANY)
            ]
            uploads = [said("", name, files=(name,), account=f"sim:T1:M{n}") for n, name in enumerate(names)]
            assert all(await one.deliver_all([*questions, *uploads]))
            await one.platform.until(lambda: len(server.requests) >= MANY // 2)
            assert one.process
            one.process.terminate()
            kept: list[Message] = []
            while await one.deliver(late := said("When does the canteen open?", f"late{len(kept)}", account="sim:T1:U1")):
                kept.append(late)
            assert one.alive  # it finishes what it does, and takes nothing more
            assert await one.dead() == 0, one.log()[-2000:]
            begun = {message.id for message in questions if one.finals(message)}
            assert begun  # what was being answered was finished
            await one.start()
            answers = await one.said(*questions, *kept)
            receipts = await one.said(*uploads)
            assert all("half past twelve" in answer for answer in answers)
            assert all(receipt.startswith("✅ Learned") for receipt in receipts)
            await one.quiet()
            assert await one.mended() == 0
            for message in (*questions, *uploads):
                assert [post.finishes for post in one.platform.visible(message.id)] == [1]
            asked = "SELECT count(*), count(DISTINCT origin) FROM messages WHERE role = 'user' AND origin LIKE '%/q%'"
            assert await one.rows(asked) == [(MANY, MANY)]
            assert await one.rows(f"SELECT count(*) FROM inbox WHERE message = '{late.id}'") == [(0,)]  # noqa: S608
            assert await one.stop() == 0, one.log()[-2000:]


async def test_what_holds_up_the_event_loop_is_named_and_others_are_acknowledged_soon_after(tmp_path: Path) -> None:
    async with running(tmp_path) as one:
        await one.start("desk.receive:sleep:2:1")
        questions = [said("When does the canteen open?", n, account=f"sim:T1:M{n}") for n in range(4)]
        assert await one.deliver_all(questions) == [True] * 4
        told = [line for line in one.log().splitlines() if "the event loop stands still" in line]
        assert any("in receive" in line for line in told)  # a busy machine may hold it up once more
        assert await one.stop() == 0, one.log()[-2000:]
