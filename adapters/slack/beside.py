"""What is shown beside an answer: a sign on the message that is replied to, and what its author alone is told."""

from adapters.slack import alone, names, outgoing
from adapters.slack.workspace import Failed, Workspace
from bot.chat import Mark, Reply

_MARKS = {Mark.RECEIVED: "eyes", Mark.LEARNED: "white_check_mark", Mark.FAILED: "warning"}
_FINE = frozenset(
    {"already_reacted", "no_reaction", "message_not_found", "missing_scope", "not_reactable", "too_many_reactions"}
)


async def mark(workspace: Workspace, reply: Reply, mark: Mark) -> None:
    """Put a reaction on the message, in place of the other ones."""
    if alone.is_alone(reply.place):
        return
    at = {"channel": names.where(reply.place).channel, "timestamp": reply.to}
    for other, name in _MARKS.items():
        method = "reactions.add" if other is mark else "reactions.remove"
        if other is mark or mark is not Mark.RECEIVED:
            try:
                await workspace.call(method, name=name, **at)
            except Failed as error:
                if error.code not in _FINE:
                    raise


async def whisper(workspace: Workspace, reply: Reply, text: str) -> None:
    """Tell the author of the message something alone, in the thread."""
    where, user = names.where(reply.place), names.user(reply.account)
    blocks = outgoing.body(outgoing.escaped(text))
    await alone.tell(workspace, where.channel, user, outgoing.fallback(text), blocks, thread=reply.thread)
