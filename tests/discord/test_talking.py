"""People talk to the twin in Discord: the real process, over real sockets, from the mention to the byte that is gone."""

import asyncio

from tests.discord.conftest import ADA, GENERAL, GRACE
from tests.discord.people import ANSWER, UNKNOWN, answered, asked, taught
from tests.discord.running import Twin
from tests.knowledge.extract.samples import pdf
from tests.simulators.discord import Discord


async def test_a_file_is_taught_asked_about_and_gone_when_its_message_is_deleted(discord: Discord, twin: Twin) -> None:
    lesson = await taught(discord, GENERAL, ADA)
    await discord.until(lambda: list(lesson.reactions) == ["✅"])
    answer = await asked(discord, GENERAL, GRACE)
    assert "handbook" in answer.content.lower()
    assert list(answer.buttons) == ["👍", "👎", "Sources", "Regenerate", "Why"]
    await discord.delete(lesson)
    await discord.until(lambda: ANSWER not in answer.content, 10)
    await asked(discord, GENERAL, GRACE, UNKNOWN)
    for _ in range(50):
        if not twin.holds(ANSWER):
            break
        await asyncio.sleep(0.2)
    assert twin.holds(ANSWER) == []


async def test_a_pdf_dropped_into_a_private_message_is_answered_from_with_its_page(discord: Discord, twin: Twin) -> None:
    direct = discord.direct(ADA).id
    pages = [["The attic is locked."], ["The safe stands in the cellar behind the boiler."]]
    await taught(discord, direct, ADA, "house.pdf", pdf(pages))
    answer = await asked(discord, direct, ADA, "behind the boiler", "where does the safe stand?")
    assert "house.pdf, p. 2" in answer.content
    outside = await asked(discord, GENERAL, GRACE, UNKNOWN, "<@900> where does the safe stand?")
    assert "boiler" not in outside.content


async def test_a_reply_to_an_answer_goes_on_with_the_conversation(discord: Discord, twin: Twin) -> None:
    await taught(discord, GENERAL, ADA)
    answer = await asked(discord, GENERAL, GRACE)
    more = await discord.say(GENERAL, GRACE, "Which form is leave asked for with?", reply_to=answer)
    assert "L-7" in (await answered(discord, more, "L-7")).content
