"""A file that takes the process down with it each time: given up and told, while everything else is done."""

from pathlib import Path

import pytest

from tests.faults.running import KILLED, running
from tests.knowledge.extract.samples import zipped
from tests.simulators.platform import said


@pytest.mark.timeout(240)
async def test_a_file_that_always_kills_the_process_is_given_up_and_told_and_the_others_are_learned(tmp_path: Path) -> None:
    async with running(tmp_path) as one:
        names = ["poison.md", *(f"good-{n}.md" for n in range(4))]
        one.platform.files.update({name: f"# {name}\n\nThe colour of {name} is mauve.\n".encode() for name in names})
        one.platform.files["bomb.zip"] = zipped({"zeros.txt": bytes(100 << 20)})
        uploads = [said("", name, files=(name,), account=f"sim:T1:M{n}") for n, name in enumerate([*names, "bomb.zip"])]
        deaths = 0
        await one.start("library.read poison.md:kill9:*")
        await one.deliver_all(uploads)
        while not all(map(one.finals, uploads)) and deaths < 9:
            if one.process and one.process.returncode is not None:
                assert one.process.returncode == KILLED
                deaths += 1
                await one.start("library.read poison.md:kill9:*")
                await one.redeliver(uploads)
            await one.platform.until(lambda: not one.alive or all(map(one.finals, uploads)))
        apology, *receipts, bomb = await one.said(*uploads)
        assert deaths == 4
        assert apology.startswith("I could not learn poison.md")
        assert bomb.startswith(
            "⚠️ I could not learn bomb.zip: zeros.txt was left out"
        )  # what breaks its reader breaks nothing else
        assert all(receipt.startswith("✅ Learned") for receipt in receipts)
        await one.quiet()
        assert await one.mended() == 0
        for name in names[1:]:
            assert any(name in text for text in await one.found(f"What colour is {name}?"))
        assert await one.stop() == 0, one.log()[-2000:]
