"""A question, read: its words, and the kind of thing that would answer it (pure)."""

import re
from itertools import pairwise

from bot.answering.quoting import words

SHAPES = {
    "when": r"when|(?:what|which) (?:\w+ )?(?:year|date|day|month|century|decade|time)s?|wann|когда|в каком году|quand|cuándo",
    "number": r"how (?:many|much|long|far|old|large|big|tall|high|often|fast)|what (?:percent\w*|number|amount|proportion|cost)"
    r"|wie ?(?:viele?|lange?|oft|hoch|weit|teuer)|сколько|combien|cuánt\w+",
    "who": r"who|whom|whose|wer|wem|wen|wessen|кто|кого|кому|кем|qui|quién",
    "where": r"where|(?:what|which) (?:\w+ )?(?:country|city|place|state|region|continent|county|river|location)"
    r"|wo|wohin|где|куда|où|dónde",
    "why": r"why|what (?:\w+ )?(?:reason|cause)s?|warum|weshalb|wieso|почему|зачем|pourquoi",
    "what": r"what(?:['’]s| is| are| was| were) (?!the\b)|what does .+ mean|was (?:ist|sind) (?!d(?:er|ie|as)\b)|что такое",
}
_SHAPE = {name: re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE) for name, pattern in SHAPES.items()}
_TIME = re.compile(
    r"\b(?:1\d{3}|20\d{2})s?\b|\b\d{1,2}(?:st|nd|rd|th)\b|\bcentur|\b\d{1,2}[:.]\d\d\b|\b\d{1,2}[./]\d{1,2}[./]"
    r"|\b\d{1,2} ?[ap]\.?m\b"
    r"|\b(?:jan|feb|m(?:a|ä)r(?:ch|z)|apr|may|june?|july?|aug|sept?|o[ck]t|nov|de[cz])(?:\b|[a-z]*ber\b|uary\b|ust\b|il\b)"
    r"|\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b|\b(?:январ|феврал|март|апрел|ма[йя]\b|июн|июл|август|сентябр|октябр|ноябр|декабр)",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"\d[\d.,]*|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen"
    r"|(?:twen|thir|for|fif|six|seven|eigh|nine)ty|dozens?|hundreds?|thousands?|millions?|billions?|half|twice|once"
    r"|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|elf|zwölf|zwanzig|dreißig|два|две|три|четыре|пять|десять|двадцать"
    r"|тридцать)\b",
    re.IGNORECASE,
)
_CAUSE = re.compile(
    r"\b(?:because|due to|since|so that|in order to|caus\w+|reasons?|therefore|results?"
    r"|weil|da|damit|wegen|потому|поэтому|чтобы)\b",
    re.IGNORECASE,
)
_DEFINES = re.compile(
    r"\b(?:is|are|was|were|means?|refers? to|denotes?|ist|sind|bedeutet|bezeichnet|это|означает)\b|\s[—–-]\s",
    re.IGNORECASE,
)
_SUBJECT = 4  # words that the name of a thing has, at most
_NAME = re.compile(r"\w[\w’'-]*")


class Question:
    """A question, read: its words, and the kind of thing that would answer it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.words = words.content(text)
        self.terms = list(dict.fromkeys(self.words))
        self.pairs = set(pairwise(self.words))
        self.asked = {word.lower() for word in _NAME.findall(text)}
        self.shape = next((shape for shape, pattern in _SHAPE.items() if pattern.search(text)), None)

    def answered_by(self, text: str) -> bool:
        """Tell whether a text holds something of the kind that is asked for and is not said in the question."""
        match self.shape:
            case "when":
                return any(found.lower() not in self.asked for found in _TIME.findall(text))
            case "number":
                return any(found.lower() not in self.asked for found in _NUMBER.findall(text))
            case "who" | "where":
                return bool(_names(text) - self.asked)
            case "what":
                return self._defined_in(text)
            case "why":
                return bool(_CAUSE.search(text))
        return False

    def _defined_in(self, text: str) -> bool:
        """Tell whether a sentence begins by saying what the thing asked about is."""
        verb = _DEFINES.search(text)
        subject = words.content(text[: verb.start()]) if verb else []
        return 0 < len(self.terms) <= _SUBJECT and set(self.terms) <= set(subject)


def _names(text: str) -> set[str]:
    """Return words that look like parts of names: with a capital though no sentence begins there, or two in a row."""
    found: set[str] = set()
    last = None
    for match in _NAME.finditer(text):
        word = match.group()
        capital = word[0].isupper()
        inside = match.start() > 0 and text[: match.start()].rstrip()[-1:] not in ".!?"
        if capital and (inside or last):
            found.update(w.lower() for w in (word, last) if w)
        last = word if capital else None
    return found
