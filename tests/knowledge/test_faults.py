"""Planned faults happen where and when they are planned, and nowhere else."""

import asyncio
import errno
import os
import signal
import subprocess
import sys

import pytest

from knowledge.errors import IndexAway, NoAudience
from knowledge.faults import Faults


@pytest.fixture
def fault() -> Faults:
    return Faults()


async def test_nothing_happens_where_nothing_is_planned(fault: Faults) -> None:
    fault.point("library.put")
    fault.arm("elsewhere:kill9")
    fault.point("library.put")
    await fault.apoint("library.put")


def test_a_builtin_exception_is_raised_at_the_first_passing_alone(fault: Faults) -> None:
    fault.arm("library.put:raise:TimeoutError")
    with pytest.raises(TimeoutError):
        fault.point("library.put")
    fault.point("library.put")


async def test_one_of_ours_is_raised_at_the_passing_that_was_named(fault: Faults) -> None:
    fault.arm("library.put:raise:knowledge.errors.IndexAway:3, search:raise:knowledge.errors.NoAudience")
    fault.point("library.put")
    await fault.apoint("library.put")
    with pytest.raises(IndexAway):
        await fault.apoint("library.put")
    with pytest.raises(NoAudience):
        fault.point("search")


def test_a_star_means_each_passing(fault: Faults) -> None:
    fault.arm("library.put:enospc:*")
    for _ in range(3):
        with pytest.raises(OSError, match="No space left") as caught:
            fault.point("library.put")
        assert caught.value.errno == errno.ENOSPC


async def test_a_hang_holds_up_its_own_task_alone_and_can_be_cancelled(fault: Faults) -> None:
    fault.arm("answer:hang")
    hanging = asyncio.create_task(fault.apoint("answer"), name="hanging")
    await asyncio.sleep(0.02)
    assert not hanging.done()
    hanging.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hanging


async def test_a_sleep_goes_on_late(fault: Faults) -> None:
    fault.arm("answer:sleep:0.01,slow:sleep:0.01:1")
    await fault.apoint("answer")
    fault.point("slow")


def test_arming_again_forgets_what_was_planned_before(fault: Faults) -> None:
    fault.arm("library.put:enospc")
    fault.arm("")
    fault.point("library.put")


def test_a_kill_leaves_no_time_for_anything() -> None:
    program = (
        "import sys; from knowledge import fault; fault.arm(sys.argv[1])\n"
        "try:\n    fault.point('here'); print('once', flush=True); fault.point('here')\nfinally:\n    print('never')"
    )
    done = subprocess.run([sys.executable, "-c", program, "here:kill9:2"], check=False, capture_output=True, cwd=os.getcwd())  # noqa: S603, PTH109
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGKILL, b"once\n", b"")


@pytest.mark.parametrize(
    "text",
    [
        "library.put",
        "library.put:explode",
        "library.put:kill9:soon",
        "library.put:kill9:0",
        "library.put:kill9:1:2",
        "library.put:raise",
        "library.put:raise:NoSuchError",
        "library.put:raise:print",
        "library.put:raise:no.such.module.Error",
        "library.put:raise:knowledge.errors.IndexOutdated",
        "library.put:sleep",
        "library.put:sleep:long",
    ],
)
def test_a_text_that_cannot_be_understood_is_refused_with_the_form_it_should_have(fault: Faults, text: str) -> None:
    with pytest.raises(ValueError, match=r"'library\.put.*' cannot be understood \(.*It should read name:action"):
        fault.arm(text)
