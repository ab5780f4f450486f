"""Tries each setting and says in plain words what is wrong and how to mend it."""

import asyncio
import difflib
import os
import platform
import shutil
import socket
import tempfile
from collections.abc import Awaitable, Mapping
from dataclasses import astuple, dataclass
from pathlib import Path

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from qdrant_client import AsyncQdrantClient
from qdrant_client.http.exceptions import ApiException
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from adapters.discord import checks as discord_checks
from adapters.slack import checks
from adapters.slack.installs import Installs
from bot import app, db, lock, modes
from bot.apology import explain
from bot.errors import ServiceAway, TwinError
from bot.llm import offers
from bot.llm.shelf import names_of
from bot.settings import Settings, names
from bot.vault import Vault
from knowledge import minilm
from knowledge.embeddings import Embedder
from knowledge.extract.reader import Reader
from knowledge.index import open_index

_ROOM = 1 << 30  # bytes that should be free: some thousand documents with their vectors
_DISCORD = "docs/discord.md goes through it step by step; .env.example names each setting."
_SLACK = "docs/slack.md goes through it step by step; .env.example names each setting."
_PATIENCE = 5  # seconds that a service has to answer


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was tried. The twin runs also without what is not `needed`; `fix` is empty when all is well."""

    name: str
    ok: bool
    detail: str
    fix: str = ""
    needed: bool = True


_UNTRIED = Check("sandbox", False, "not tried, since it needs the embedding model", "Mend that one first.", needed=False)


async def examine(settings: Settings, environment: Mapping[str, str] = os.environ) -> list[Check]:
    """Try everything, leaving no trace and not disturbing a twin that is running."""
    model = await embedding(settings)
    return [
        Check("python", True, f"{platform.python_version()} on {platform.system()} {platform.machine()}"),
        spelling(environment),
        data_folder(settings),
        await database(settings),
        model,
        await index(settings),
        await sandbox(settings) if model.ok else _UNTRIED,
        *await language_models(settings),
        *await slack(settings),
        *await discord(settings),
        port(settings),
    ]


def wrong_settings(complaints: str) -> Check:
    """Return the check for settings that cannot be used at all, so that nothing else can be tried."""
    return Check("settings", False, complaints, "Mend them in the environment or in .env; .env.example explains each.")


def spelling(environment: Mapping[str, str]) -> Check:
    """Look for variables that are almost a setting."""
    known = set(names().values())
    for name in sorted(environment):
        if name.startswith("TWIN_") and name not in known and (close := difflib.get_close_matches(name, known, 1, 0.8)):
            return Check("settings", False, f"{name} is set, but means nothing.", f"Is {close[0]} meant?", needed=False)
    return Check("settings", True, "all can be used", needed=False)


def data_folder(settings: Settings) -> Check:
    """Look whether the data folder can be written to or made, and has room."""
    name, folder = "data folder", settings.data_dir.absolute()
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not there.is_dir():
        return Check(name, False, f"{there} is a file, not a folder.", "Point TWIN_DATA_DIR at a folder.")
    if not os.access(there, os.W_OK | os.X_OK):
        return Check(name, False, f"{there} is no folder that can be written to.", "Point TWIN_DATA_DIR at one of your own.")
    free = shutil.disk_usage(there).free
    if free < _ROOM:
        return Check(name, False, f"{folder}: only {free >> 20} MB are free.", "Make room, or move TWIN_DATA_DIR.")
    running = _running(settings)
    used = f", in use by the twin that runs as process {running}" if running else ""
    return Check(name, True, f"{folder}, {free >> 30} GB free{used}")


async def database(settings: Settings) -> Check:
    """Open the database for reading and compare its schema with ours."""
    fix = (
        "Check DATABASE_URL, and that the server runs."
        if settings.database_url
        else "Restore twin.db from a copy, or move it away."
    )
    return await _tried("database", _database(settings), fix)


async def embedding(settings: Settings) -> Check:
    """Compare the model's files with their checksums and embed a sentence."""
    fix = (
        "`make setup` makes the default model anew."
        if _is_packaged(settings)
        else "Correct TWIN_EMBEDDING_MODEL, or leave it out to use the model that is packaged."
    )
    return await _tried("embedding model", _embedding(settings), fix)


async def index(settings: Settings) -> Check:
    """Start an embedded index of its own, or ask the Qdrant server."""
    fix = (
        "Check QDRANT_URL and QDRANT_API_KEY, and that the server runs."
        if settings.qdrant_url
        else "`make clean setup` installs anew."
    )
    return await _tried("index", _index(settings), fix)


async def sandbox(settings: Settings) -> Check:
    """Start the process that reads files and ask what holds it."""
    fix = "Install libseccomp (Debian: apt install libseccomp2)."
    return await _tried("sandbox", _sandbox(settings), fix, needed=False)


async def language_models(settings: Settings) -> list[Check]:
    """Try each model that is set: without them the twin quotes."""
    name = "language model"
    if not (names := names_of(settings.llm)):
        return [Check(name, True, "none is set, answers are quoted from the sources", needed=False)]
    endpoints = app.endpoints(settings)
    trials = [_tried(name, offers.tried(each, endpoints), _remedy(each, settings), needed=False) for each in names]
    return list(await asyncio.gather(*trials))


def _remedy(model: str, settings: Settings) -> str:
    provider, _, name = model.partition(":")
    match provider:
        case "ollama":
            return f"Start Ollama and get the model (`ollama pull {name}`), or set OLLAMA_HOST to where it runs."
        case "openai" if settings.openai_base_url:
            return "Check that the server at OPENAI_BASE_URL runs, its model's name, and OPENAI_API_KEY if it wants one."
        case "openai":
            return "Set OPENAI_API_KEY, or OPENAI_BASE_URL to a server of your own, and check the model's name."
        case "anthropic":
            return "Set ANTHROPIC_API_KEY, and check the model's name and that the network is there."
    return "Correct TWIN_LLM; `twin models list` shows what there is."


async def slack(settings: Settings) -> list[Check]:
    """Try the tokens of Slack, as far as can be done without a trace there."""
    mode = modes.slack(settings)
    if not mode.wanted:
        return [Check("slack", True, "not connected, since no token of it is set", needed=False)]
    if complaints := mode.complaints():
        return [Check("slack", False, " ".join(complaints), _SLACK)]
    try:
        found = await checks.examine(mode, await _tokens(settings) if mode.several else [mode.bot_token or ""])
    except Exception as error:
        return [Check("slack", False, explain(error), _SLACK)]
    return [Check(*astuple(each)) for each in found]


async def discord(settings: Settings) -> list[Check]:
    """Try the token of Discord, and what the twin may do where, without a trace there."""
    mode = modes.discord(settings)
    if not mode.wanted:
        return [Check("discord", True, "not connected, since DISCORD_TOKEN is not set", needed=False)]
    try:
        found = await discord_checks.examine(mode)
    except Exception as error:
        return [Check("discord", False, explain(error), _DISCORD)]
    return [Check(*astuple(each)) for each in found]


async def slack_delivery(settings: Settings, target: str) -> Check:
    """Try whether Slack delivers a message that is posted to a channel or a user."""
    name, mode = "slack delivery", modes.slack(settings)
    if running := _running(settings):
        said = f"not tried: the twin that runs as process {running} would hear the message instead"
        return Check(name, False, said, "Stop it first, or mention it in a channel and see it answer.")
    if mode.complaints() or not mode.wanted:
        return Check(name, False, "not tried, since the twin is not connected to Slack", _SLACK)
    return Check(*astuple(await checks.post(mode, target)))


async def _tokens(settings: Settings) -> list[str]:
    """Return the tokens of the workspaces that installed the app."""
    if (engine := _reading(settings)) is None:
        return []
    try:
        installs = Installs(Vault(engine, settings.secret_key.get_secret_value() if settings.secret_key else None))
        return [token for team in await installs.teams() if (token := await installs.token(team))]
    except SQLAlchemyError:  # the check of the database says what is wrong; an older one has no such table yet
        return []
    finally:
        await engine.dispose()


def port(settings: Settings) -> Check:
    """Look whether the port is free, or taken by the twin that is running."""
    place = f"{settings.http_host}:{settings.http_port}"
    try:
        found = socket.getaddrinfo(settings.http_host, settings.http_port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = found[0]
        with socket.socket(family, kind, protocol) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
    except OSError as error:
        if _running(settings):
            return Check("port", True, f"{place} is taken, as it should be while a twin runs")
        return Check("port", False, f"{place} cannot be opened: {error.strerror}.", "Set TWIN_HTTP_PORT to another one.")
    return Check("port", True, f"{place} is free")


def _running(settings: Settings) -> int | None:
    return lock.holder(settings.data_dir) if settings.data_dir.is_dir() else None


async def _tried(name: str, trial: Awaitable[str], fix: str, *, needed: bool = True) -> Check:
    try:
        return Check(name, True, await trial, needed=needed)
    except Exception as error:  # a doctor that falls over helps nobody
        return Check(name, False, explain(error), fix, needed)


async def _database(settings: Settings) -> str:
    if (engine := _reading(settings)) is None:
        return "SQLite, made at the first start"
    try:
        async with asyncio.timeout(_PATIENCE), engine.connect() as connection:
            revision = await connection.run_sync(_revision)
            return f"{'SQLite' if engine.dialect.name == 'sqlite' else 'Postgres'}, {revision}"
    except (SQLAlchemyError, OSError) as error:  # a timeout is an OSError
        reason = str(error).partition("\n")[0] or "no answer"
        raise ServiceAway(f"The database cannot be opened: {reason}") from error
    finally:
        await engine.dispose()


def _reading(settings: Settings) -> AsyncEngine | None:
    """Return the database for reading; `None` when it is a file that is made at the first start."""
    if settings.database_url is not None:
        return create_async_engine(app.database_url(settings))
    file = settings.data_dir.resolve() / "twin.db"
    return create_async_engine(f"sqlite+aiosqlite:///{file.as_uri()}?mode=ro&uri=true") if file.exists() else None


def _revision(connection: Connection) -> str:
    scripts = ScriptDirectory.from_config(db.alembic_config())
    current, newest = MigrationContext.configure(connection).get_current_revision(), scripts.get_current_head()
    if current == newest:
        return f"schema {current} is current"
    if current is not None and current not in {script.revision for script in scripts.walk_revisions()}:
        raise TwinError(f"The database was written by a newer Twin (schema {current}). Update this one.")
    return f"schema {current or 'none yet'}, brought to {newest} at the next start"


async def _embedding(settings: Settings) -> str:
    embedder = await asyncio.to_thread(_load, settings)
    try:
        await embedder.query("Does it work?")
    finally:
        embedder.close()
    return f"{embedder.model}: {embedder.dimension} dimensions, {embedder.window} tokens"


def _is_packaged(settings: Settings) -> bool:
    return settings.embedding_model.removeprefix("sentence-transformers/") == minilm.NAME


def _load(settings: Settings) -> Embedder:
    options = app.options(settings)
    if _is_packaged(settings):
        minilm.verify(minilm.folder(options.models, options.embedding_variant))  # opening would put a missing one there
    return Embedder.open(options.embedding_model, variant=options.embedding_variant, models=options.models)


async def _index(settings: Settings) -> str:
    if settings.qdrant_url is None:
        # An index of its own: the twin's may be open, and opening it puts right what a kill left.
        with tempfile.TemporaryDirectory(prefix="twin-doctor-") as folder:
            async with open_index(folder=Path(folder) / "index", collection="doctor", dimension=minilm.DIMENSION) as index:
                await index.count()
        return "embedded, its worker process answers"
    key = settings.qdrant_api_key.get_secret_value() if settings.qdrant_api_key else None
    client = AsyncQdrantClient(url=settings.qdrant_url, api_key=key, timeout=_PATIENCE, check_compatibility=False)
    try:
        await client.get_collections()
    except (ApiException, OSError) as error:
        raise ServiceAway(f"The Qdrant server at {settings.qdrant_url} does not answer, or refuses the key.") from error
    finally:
        await client.close()
    return f"the Qdrant server at {settings.qdrant_url} answers"


async def _sandbox(settings: Settings) -> str:
    embedder = await asyncio.to_thread(_load, settings)
    embedder.close()
    async with Reader.open(tokenizer=embedder.tokenizer, window=embedder.window) as reader:
        means = await reader.containment()
    if not {"seccomp", "network namespace"} & set(means):
        raise TwinError(f"Files are read in a process that is held only by: {', '.join(means)}.")
    return f"files are read in a process held by: {', '.join(means)}"
