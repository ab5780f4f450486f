"""Secrets that are kept for platforms, such as the tokens of workspaces, encrypted with a key that is not in the database."""

import asyncio
import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import db
from bot.errors import BadSettings
from bot.tables import SECRETS

_SALT = b"twin/secrets"
_WRONG = (
    "TWIN_SECRET_KEY is not the key that the kept secrets were closed with. "
    "Put the earlier key behind the new one, separated by a comma."
)


class Vault:
    """Keeps secrets under names; `key` is one key, or several separated by commas: the first closes, all of them open.

    Whatever needs a key raises `BadSettings` when there is none, or none that fits.
    """

    def __init__(self, engine: AsyncEngine, key: str | None) -> None:
        self._engine = engine
        self._readers = engine.execution_options(reading=True)
        self._keys = [each.strip() for each in (key or "").split(",") if each.strip()]
        self._ciphers: Sequence[Fernet] = ()

    async def sealed(self) -> bool:
        """Say whether secrets can be kept: a key is set."""
        return bool(self._keys)

    async def put(self, name: str, secret: Mapping[str, object]) -> None:
        """Keep a secret under a name, in place of what was there."""
        newest, *_ = await self._opened()
        row = {"sealed": newest.encrypt(json.dumps(secret).encode()), "changed_at": datetime.now(UTC)}
        insert = db.insert(self._engine.dialect, SECRETS).values(name=name, **row)
        async with self._engine.begin() as connection:
            await connection.execute(insert.on_conflict_do_update(index_elements=["name"], set_=row))

    async def get(self, name: str) -> Mapping[str, object] | None:
        """Return a secret."""
        sealed = await self._sealed(name)
        if sealed is None:
            return None
        secret: dict[str, object] = json.loads(_decrypted(await self._opened(), sealed))
        return secret

    async def delete(self, name: str) -> bool:
        """Let go of a secret; say whether it was there, which is said once, however many ask at the same time."""
        async with self._engine.begin() as connection:
            return bool((await connection.execute(delete(SECRETS).where(SECRETS.c.name == name))).rowcount)

    async def names(self, prefix: str) -> list[str]:
        """Return the names that begin so, in their order."""
        named = select(SECRETS.c.name).where(SECRETS.c.name.startswith(prefix, autoescape=True)).order_by(SECRETS.c.name)
        async with self._readers.connect() as connection:
            return list((await connection.execute(named)).scalars())

    async def renew(self) -> None:
        """Close with the first key what an earlier one closed, so that the earlier one is not needed any more."""
        if len(self._keys) < 2:
            return
        ciphers = await self._opened()
        for name in await self.names(""):
            old = await self._sealed(name)
            if old is not None and not _opens(ciphers[0], old):
                same = (SECRETS.c.name == name) & (SECRETS.c.sealed == old)  # what changes meanwhile stays as it is
                new = ciphers[0].encrypt(_decrypted(ciphers, old))
                async with self._engine.begin() as connection:
                    await connection.execute(update(SECRETS).where(same).values(sealed=new))

    async def _sealed(self, name: str) -> bytes | None:
        query = select(SECRETS.c.sealed).where(SECRETS.c.name == name)
        async with self._readers.connect() as connection:
            sealed = (await connection.execute(query)).scalar()
        return None if sealed is None else bytes(sealed)

    async def _opened(self) -> Sequence[Fernet]:
        if not self._keys:
            raise BadSettings(["TWIN_SECRET_KEY is missing: secrets are kept encrypted with it."])
        if not self._ciphers:
            self._ciphers = await asyncio.to_thread(lambda: [_cipher(key) for key in self._keys])
        return self._ciphers


def _cipher(key: str) -> Fernet:
    # scrypt and not HKDF: a key that a person made up must be slow to guess for whoever has a copy of the database. Each takes
    # about a twentieth of a second, once. The salt is the same everywhere, so that a key alone opens a database put elsewhere.
    return Fernet(base64.urlsafe_b64encode(hashlib.scrypt(key.encode(), salt=_SALT, n=1 << 14, r=8, p=1, dklen=32)))


def _decrypted(ciphers: Sequence[Fernet], sealed: bytes) -> bytes:
    try:
        return MultiFernet(ciphers).decrypt(sealed)
    except InvalidToken as error:
        raise BadSettings([_WRONG]) from error


def _opens(cipher: Fernet, sealed: bytes) -> bool:
    try:
        cipher.decrypt(sealed)
    except InvalidToken:
        return False
    return True
