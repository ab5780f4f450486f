"""An end to talk among bots: the twin does not answer itself, nor other bots without being told to."""

from collections import OrderedDict

_THREADS = 10_000  # threads in which a bot was answered last


class LoopGuard:
    """Says whether a message may be answered.

    Bots are answered only in the places of `bots_in`, and in a row, without a human between, `in_thread` times in a thread
    and `in_place` times in a place: who begins a new thread with each message talks in a circle all the same.
    """

    def __init__(self, bots_in: frozenset[str] = frozenset(), *, in_thread: int = 3, in_place: int = 10) -> None:
        self._bots_in = bots_in
        self._in_thread = in_thread
        self._in_place = in_place
        self._own: set[str] = set()
        self._answered: OrderedDict[tuple[str, str | None], int] = OrderedDict()
        self._answered_in: dict[str, int] = {}

    def know(self, account: str) -> None:
        """Remember an account as the twin's own: it is never answered, whatever a platform says of it."""
        self._own.add(account)

    def allows(self, place: str, thread: str | None, from_bot: bool, account: str = "") -> bool:
        """Say whether a message may be answered, and count it if so.

        Ask once for each message of a bot that would be answered, and for each of a human, answered or not.
        """
        if account in self._own:
            return False
        if not from_bot:
            self._answered.pop((place, thread), None)
            self._answered_in.pop(place, None)
            return True
        in_thread, in_place = self._answered.get((place, thread), 0), self._answered_in.get(place, 0)
        if place not in self._bots_in or in_thread >= self._in_thread or in_place >= self._in_place:
            return False
        self._answered[place, thread] = in_thread + 1
        self._answered.move_to_end((place, thread))
        self._answered_in[place] = in_place + 1
        if len(self._answered) > _THREADS:
            self._answered.popitem(last=False)
        return True
