"""Which processes work on the same jobs, and which of them are dead."""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Protocol, TypeVar
from uuid import uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

T = TypeVar("T")

Work = Callable[[AsyncConnection], Awaitable[T]]
"""What is done in a transaction; it awaits nothing but its connection."""


class Transact(Protocol):
    """Does some work in a transaction of an engine, in the best way for its database."""

    async def __call__(self, engine: AsyncEngine, work: Work[T]) -> T:
        """Do it, or nothing of it."""


async def transact(engine: AsyncEngine, work: Work[T]) -> T:
    """Do some work in a transaction, in the way that all databases know."""
    async with engine.begin() as connection:
        return await work(connection)


class Nodes:
    """This process among those that share a database.

    On SQLite there is one, and what an earlier one left is its own. On Postgres each holds an advisory lock of its session,
    which the server lets go of when the process dies: no clocks are compared. It takes jobs on that same connection, so that a
    process which has lost its lock without noticing can take nothing either.
    """

    def __init__(self, engine: AsyncEngine, transaction: Transact = transact) -> None:
        self._engine = engine
        self._transaction = transaction
        self.shared = engine.dialect.name != "sqlite"
        self.me = f"{socket.gethostname()}-{uuid4()}" if self.shared else "local"
        self._locked: AsyncConnection | None = None

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """Provide a transaction in which this node is alive; one at a time."""
        if not self.shared:
            async with self._engine.begin() as connection:
                yield connection
            return
        connection = await self._alive()
        async with connection.begin():
            yield connection

    async def written(self, work: Work[T]) -> T:
        """Do some work in such a transaction."""
        if not self.shared:
            return await self._transaction(self._engine, work)
        async with self.writing() as connection:
            return await work(connection)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Provide a connection to look with."""
        if not self.shared:
            async with self._engine.execution_options(reading=True).connect() as connection:
                yield connection
            return
        async with self.writing() as connection:
            yield connection

    async def dead(self, connection: AsyncConnection, owners: Iterable[str]) -> list[str]:
        """Return which of these are dead; until the transaction ends no other node will say so of them."""
        if not self.shared:
            return list(owners)
        free = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:other, 0))")
        others = sorted(set(owners) - {self.me})
        return [other for other in others if (await connection.execute(free, {"other": other})).scalar()]

    async def leave(self) -> None:
        """Let the others see that this node works no more."""
        if self._locked is not None:
            connection, self._locked = self._locked, None
            await connection.invalidate()  # given back to the pool, its session would go on holding the lock
            await connection.close()

    async def _alive(self) -> AsyncConnection:
        if self._locked is None or self._locked.invalidated:
            await self.leave()
            self._locked = await self._engine.connect()
            try:
                await self._locked.execute(text("SELECT pg_advisory_lock(hashtextextended(:me, 0))"), {"me": self.me})
                await self._locked.commit()
            except BaseException:
                await self.leave()
                raise
        return self._locked
