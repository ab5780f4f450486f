"""A thread with the twin as Slack's agent surface shows it: its title, and whether an answer is under way."""

import structlog

from adapters.slack import names
from adapters.slack.workspace import Failed, Workspace
from bot.chat import Reply, TryLater

log = structlog.get_logger()


async def title(workspace: Workspace, reply: Reply) -> None:
    """Give a private thread its title: what its first message begins with."""
    channel, thread = names.where(reply.place).channel, reply.thread or reply.to
    if not (workspace.agent and reply.about and reply.fresh and thread == reply.to):
        return
    try:
        await workspace.call("agents.sessions.rename", channel_id=channel, thread_ts=thread, title=reply.about)
    except (Failed, ConnectionError, TryLater) as error:
        log.debug("a thread has no title", reason=type(error).__name__)


async def rest(workspace: Workspace, reply: Reply) -> None:
    """Have the thread not look as if an answer were under way: after a stop Slack leaves that to the app."""
    where = {"channel_id": names.where(reply.place).channel, "thread_ts": reply.thread or reply.to}
    try:
        await workspace.call("agents.sessions.setStatus", status="active", **where)
    except (Failed, ConnectionError, TryLater) as error:
        log.debug("a thread keeps its status", reason=type(error).__name__)
