"""What is told to one user alone within a channel: in answer to their command, or so that only they see it."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic

import aiohttp

from adapters.slack import names, outgoing
from adapters.slack.outgoing import Block
from adapters.slack.workspace import Failed, Workspace

SHOWN = "alone"
"""The id of what is told to somebody alone: Slack gives none by which it could be changed."""

_GOOD_FOR = 1_700.0  # seconds; an address is good for half an hour
_USES = 5
_KEPT = 5_000
_NOT_HERE = frozenset({"user_not_in_channel", "not_in_channel", "channel_not_found", "is_archived", "restricted_action"})


@dataclass(slots=True)
class _Address:
    url: str
    until: float
    uses: int = _USES


class Responses:
    """Keeps where commands are answered, while that is possible; a kill loses it, and the answer takes another way."""

    def __init__(self, session: aiohttp.ClientSession, clock: Callable[[], float] = monotonic) -> None:
        self._session = session
        self._clock = clock
        self._addresses: OrderedDict[str, _Address] = OrderedDict()

    def remember(self, message_id: str, response_url: str) -> None:
        """Keep the address for the message that a command becomes."""
        self._addresses[message_id] = _Address(response_url, self._clock() + _GOOD_FOR)
        while len(self._addresses) > _KEPT:
            self._addresses.popitem(last=False)

    async def answer(self, message_id: str, text: str, blocks: Sequence[Block]) -> bool:
        """Answer a command; tell whether that was possible."""
        address = self._addresses.get(message_id)
        if address is None or not address.uses or address.until < self._clock():
            return False
        address.uses -= 1
        body = {"response_type": "ephemeral", "replace_original": False, "text": text, "blocks": list(blocks)}
        try:
            async with self._session.post(address.url, json=body) as response:
                return response.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False


async def tell(
    workspace: Workspace, channel: str, user: str, text: str, blocks: Sequence[Block], *, thread: str | None = None
) -> None:
    """Show something to one user alone in a channel, or in a private message when they are not in it."""
    said = {"text": text, "blocks": list(blocks)}
    try:
        await workspace.call("chat.postEphemeral", channel=channel, user=user, thread_ts=thread, link_names=False, **said)
    except Failed as error:
        if error.code not in _NOT_HERE:
            raise
        direct = (await workspace.call("conversations.open", users=user))["channel"]["id"]
        await workspace.call("chat.postMessage", channel=direct, **said, **outgoing.QUIET)


def is_alone(place: str) -> bool:
    """Say whether what is said in a place is for one user alone."""
    return bool(names.where(place).alone)
