"""The HTTP server: whether the twin is alive, and what platforms post."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiohttp import web

from bot.errors import ServiceAway
from bot.settings import Settings


@asynccontextmanager
async def open_http(settings: Settings, routes: Sequence[web.RouteDef] = ()) -> AsyncIterator[str]:
    """Serve `/health` and the routes of platforms; yields the address, raises `ServiceAway` when the port is taken."""
    app = web.Application()
    app.add_routes([web.get("/health", _health), *routes])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=5)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, settings.http_host, settings.http_port).start()
        except OSError as error:
            raise ServiceAway(
                f"Port {settings.http_port} of {settings.http_host} cannot be opened: {error.strerror}. "
                "Set TWIN_HTTP_PORT to another one."
            ) from error
        host, port = runner.addresses[0][:2]  # of port 0, the one that was free
        yield f"http://{f'[{host}]' if ':' in host else host}:{port}"
    finally:
        await runner.cleanup()


async def _health(_request: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})
