"""Where the answer of a model is cut: too long, or the same over and over (pure)."""

_OFTEN = 8  # as many times the same is no style
_LEAST = 600  # characters that say the same: rules, tables and refrains are shorter
_PERIOD = 500  # characters of the longest thing whose repetition is noticed; what is longer is cut by length
_PROBE = 32  # characters whose last occurrence tells the period
_EVERY = 200  # characters between two looks

_TAIL = _PERIOD * (_OFTEN + 1)


class Bounds:
    """Watches an answer as it is written."""

    def __init__(self, characters: int) -> None:
        self.reached = False
        self._left = characters
        self._tail = ""
        self._unseen = 0

    def within(self, text: str) -> str:
        """Return what of the next piece is within bounds; once they are `reached` nothing more is."""
        kept = text[: self._left]
        self._left -= len(kept)
        self._unseen += len(kept)
        self._tail = (self._tail + kept)[-_TAIL:]
        if self._unseen >= _EVERY:
            self._unseen = 0
            self.reached = repeats(self._tail)
        self.reached = self.reached or not self._left
        return kept


def repeats(text: str) -> bool:
    """Tell whether a text ends in the same thing over and over."""
    before = text.rfind(text[-_PROBE:], 0, len(text) - 1)
    period = len(text) - _PROBE - before
    long = max(_LEAST, period * _OFTEN)
    if before < 0 or len(text) < long:
        return False
    end = text[-long:]
    return end[period:] == end[:-period]


def blank(text: str) -> bool:
    """Tell whether nothing of a text can be seen."""
    return not any(character.isprintable() and not character.isspace() for character in text)
