"""How the twin writes: the model, its parameters and the persona, everywhere and in each place."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from time import monotonic
from typing import Any, TypedDict, Unpack

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import db
from bot.chat import Person
from bot.errors import BadModelSetting
from bot.limits.lengths import MODEL_NAME, PERSONA, SYSTEM_PROMPT, bounded
from bot.tables import MODELS

EVERYWHERE = "*"
_PLACES = 1_000  # places whose settings are held in memory
_FRESH = 30.0  # seconds they are believed: another process may have changed them

MAX_TEMPERATURE = 2.0
MIN_TOKENS, MAX_TOKENS = 16, 32_000


@dataclass(frozen=True, slots=True)
class Chosen:
    """What holds in a place; `temperature` of `None` leaves it to the model's server, an empty `system_prompt` to the twin."""

    model: str
    temperature: float | None = None
    max_tokens: int = 1_024
    system_prompt: str = ""
    persona: str = ""


class Changes(TypedDict, total=False):
    """What can be changed; `None` leaves it to what is more general."""

    model: str | None
    temperature: float | None
    max_tokens: int | None
    system_prompt: str | None
    persona: str | None


class ModelSettings:
    """Settings by place, over those for everywhere (`*`), over the defaults."""

    def __init__(self, engine: AsyncEngine, defaults: Chosen, *, clock: Callable[[], float] = monotonic) -> None:
        self._engine = engine
        self._defaults = defaults
        self._clock = clock
        self._known: OrderedDict[str, tuple[float, Chosen]] = OrderedDict()
        self._changes = 0

    async def of(self, place_id: str) -> Chosen:
        """Return what holds in a place, or everywhere (`*`)."""
        read_at, known = self._known.get(place_id, (0.0, None))
        if known is not None and self._clock() - read_at < _FRESH:
            return known
        changes, read_at = self._changes, self._clock()
        chosen = await self._read(place_id)
        if changes == self._changes:  # else it may be older than the change
            self._known[place_id] = read_at, chosen
            self._known.move_to_end(place_id)
            if len(self._known) > _PLACES:
                self._known.popitem(last=False)
        return chosen

    async def use(self, place_id: str, by: Person, **changes: Unpack[Changes]) -> Chosen:
        """Change what is named and return what holds now; raises `BadModelSetting` and `TooLong`, and changes nothing then.

        Whether there is a model of that name is for the caller to know.
        """
        values = _checked(changes)
        if not values:
            return await self.of(place_id)
        values |= {"changed_by": by.id, "changed_at": datetime.now(UTC)}
        changed = db.insert(self._engine.dialect, MODELS).values(place=place_id, **values)
        async with self._engine.begin() as connection:
            await connection.execute(changed.on_conflict_do_update(index_elements=[MODELS.c.place], set_=values))
        self._forget()
        return await self.of(place_id)

    async def reset(self, place_id: str) -> Chosen:
        """Leave everything in a place to what is more general again; return what held there until now."""
        before = await self.of(place_id)
        async with self._engine.begin() as connection:
            await connection.execute(delete(MODELS).where(MODELS.c.place == place_id))
        self._forget()
        return before

    async def _read(self, place_id: str) -> Chosen:
        query = select(MODELS).where(MODELS.c.place.in_({EVERYWHERE, place_id}))
        async with self._engine.execution_options(reading=True).connect() as connection:
            rows = {row["place"]: row for row in (await connection.execute(query)).mappings()}
        chosen = self._defaults
        for place in (EVERYWHERE, place_id):
            set_there = {name: rows[place][name] for name in _NAMES} if place in rows else {}
            chosen = replace(chosen, **{name: value for name, value in set_there.items() if value is not None})
        return chosen

    def _forget(self) -> None:
        self._changes += 1
        self._known.clear()  # what holds everywhere holds in any place


_NAMES = tuple(field.name for field in fields(Chosen))


def _checked(changes: Mapping[str, Any]) -> dict[str, Any]:
    checked = dict(changes)
    for name, bound in (("model", MODEL_NAME), ("system_prompt", SYSTEM_PROMPT), ("persona", PERSONA)):
        if (text := checked.get(name)) is not None:
            checked[name] = bounded(text, bound)
    if checked.get("model") == "":
        raise BadModelSetting("Name the model, or leave it out.")
    temperature, tokens = checked.get("temperature"), checked.get("max_tokens")
    if temperature is not None and not 0 <= temperature <= MAX_TEMPERATURE:
        raise BadModelSetting(f"The temperature must be from 0 to {MAX_TEMPERATURE:g}; {temperature:g} is not.")
    if tokens is not None and not MIN_TOKENS <= tokens <= MAX_TOKENS:
        raise BadModelSetting(f"An answer may have {MIN_TOKENS} to {MAX_TOKENS:,} tokens; {tokens:,} is not within that.")
    return checked
