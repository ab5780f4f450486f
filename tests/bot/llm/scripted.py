"""Models that do as they are told without a server, and a clock that only moves when somebody sleeps."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Sequence

from bot.llm.base import Capabilities, ModelAway, Parameters, Piece, Prompt, estimate

Step = Piece | ModelAway | Exception
HANG = TimeoutError("stands for staying silent until somebody loses patience")


class Scripted:
    """Plays one list of steps a request, then the last one again; remembers how often it was asked, and who left."""

    def __init__(self, name: str, *scripts: Sequence[Step]) -> None:
        self.name = name
        self.capabilities = Capabilities()
        self.asked = 0
        self.closed = 0
        self._scripts = deque(scripts)

    def count(self, text: str) -> int:
        return estimate(text)

    async def stream(self, prompt: Prompt, parameters: Parameters) -> AsyncGenerator[Piece]:
        self.asked += 1
        script = self._scripts.popleft() if len(self._scripts) > 1 else self._scripts[0]
        try:
            for step in script:
                if step is HANG:
                    await asyncio.Event().wait()
                if isinstance(step, Exception):
                    raise step
                yield step
                await asyncio.sleep(0)
        finally:
            self.closed += 1


class Clock:
    """Time that passes by sleeping only."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)
