"""One person with several accounts: they show a code that they were given in one of them in another one."""

import hashlib
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.chat import Person
from bot.errors import TwinError
from bot.people.register import People
from bot.record import moving
from bot.tables import LINKS, PEOPLE
from knowledge import Knowledge, fault

log = structlog.get_logger()

GOOD_FOR = timedelta(minutes=10)
_LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # none that is taken for another one
_LENGTH = 8


class UnknownCode(TwinError):
    """A code that was never given, is used, or is too old."""

    def __init__(self) -> None:
        super().__init__("I know no such code: each is good for ten minutes and once. `/twin link` makes a new one.")


class SamePerson(TwinError):
    """A code that was given to the same person."""

    def __init__(self) -> None:
        super().__init__("This account is yours already. Show the code to me from your other account.")


class Linking:
    """Gives codes, and makes one person of two."""

    def __init__(
        self,
        engine: AsyncEngine,
        knowledge: Knowledge,
        people: People,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._engine = engine
        self._knowledge = knowledge
        self._people = people
        self._clock = clock

    async def code(self, person: Person) -> str:
        """Return a new code for a person, in place of one they were given before."""
        code = "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
        row = {"code": _hashed(code), "person_id": person.id, "expires_at": self._clock() + GOOD_FOR, "account": "", "old": ""}
        async with self._engine.begin() as connection:
            unused = (LINKS.c.old == "") & ((LINKS.c.person_id == person.id) | (LINKS.c.expires_at < self._clock()))
            await connection.execute(delete(LINKS).where(unused))
            await connection.execute(insert(LINKS).values(row))
        return f"{code[:4]}-{code[4:]}"

    async def holder(self, code: str, person: Person) -> str:
        """Return the name of whoever was given a code; raises `UnknownCode`, and `SamePerson` if they show it themselves."""
        query = select(LINKS.c.person_id, PEOPLE.c.name).join(PEOPLE, PEOPLE.c.id == LINKS.c.person_id)
        async with self._engine.connect() as connection:
            good = (LINKS.c.code == _hashed(code), LINKS.c.old == "", LINKS.c.expires_at >= self._clock())
            row = (await connection.execute(query.where(*good))).one_or_none()
        if row is None:
            raise UnknownCode()
        if row.person_id == person.id:
            raise SamePerson()
        return str(row.name)

    async def use(self, code: str, account: str, person: Person) -> None:
        """Make whoever shows a code, from an account, the person it was given to; raises as `holder` does.

        The code is kept until everything of theirs was moved: a kill on the way leaves it to `finish`.
        """
        await self.holder(code, person)
        used = update(LINKS).where(LINKS.c.code == _hashed(code), LINKS.c.old == "")
        async with self._engine.begin() as connection:
            if not (await connection.execute(used.values(account=account, old=person.id))).rowcount:
                raise UnknownCode()
        await fault.apoint("link.used")
        await self.finish()

    async def finish(self) -> None:
        """Move what is still to be moved."""
        async with self._engine.connect() as connection:
            rows = (await connection.execute(select(LINKS).where(LINKS.c.old != ""))).all()
        for row in rows:
            await self._people.linked(row.account, Person(row.person_id))
            await fault.apoint("link.linked")
            await moving.person(self._engine, self._knowledge, row.old, row.person_id)
            async with self._engine.begin() as connection:
                await connection.execute(delete(LINKS).where(LINKS.c.code == row.code))
            log.info("two accounts are one person's now")

    async def unlink(self, account: str) -> bool:
        """Make an account a person of its own again, who has nothing yet; tell whether it was one of several."""
        return await self._people.unlinked(account)


def _hashed(code: str) -> str:
    plain = "".join(letter for letter in code.upper() if letter.isalnum())
    return hashlib.sha256(plain.encode()).hexdigest()
