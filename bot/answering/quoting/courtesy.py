"""Small talk is answered in kind: it asks for nothing that could be quoted (pure)."""

import re

# Phrases of English, German, French, Spanish, Italian, Portuguese and Russian, as `str.casefold` leaves them. No text can be
# read as such phrases in two ways, so that matching takes linear time.
_PHRASES = {
    "goodbye": r"(?:good ?)?bye|good ?night|see (?:you|ya)(?: later| soon)?|tsch(?:ü|ue)ss?|tschau|ciao"
    r"|auf wiedersehen|au revoir|à bientôt|adi[oó]s|hasta (?:luego|pronto)|arrivederci|tchau|пока|до свидания",
    "thanks": r"thanks|thank (?:you|u)|thx|ty|cheers|danke(?:schön| schön| sehr)?|(?:vielen|besten|herzlichen) dank|merci"
    r"|gracias|grazie|obrigad[oa]|спасибо|благодарю",
    "greeting": r"hi|hiya|hello|hey|howdy|greetings|good (?:morning|afternoon|evening|day)|how are you|hallo|moin|servus"
    r"|gr(?:ü|ue)ss (?:dich|gott)|guten (?:morgen|tag|abend)|wie geht(?:s| es)|bonjour|bonsoir|salut"
    r"|hola|buen[oa]s (?:d[ií]as|tardes|noches)|buongiorno|buonasera|olá|bom dia|boa (?:tarde|noite)|привет"
    r"|здравствуй(?:те)?|добрый (?:день|вечер)|доброе утро",
}
_ASIDES = (
    r"there|twin|all|everyone|everybody|again|today|ok|okay|great|perfect|nice|so much|very much|a lot|many"
    r"|for (?:your|the) help|zusammen|dir|ihnen|beaucoup|bien|muchas|mil|mille|muito|большое"
)
_ANY = "|".join([*(f"(?P<{kind}>{phrases})" for kind, phrases in _PHRASES.items()), _ASIDES])
_SMALL_TALK = re.compile(rf"(?:(?:{_ANY})(?: |$))+")
_REPLIES = {
    "goodbye": "Goodbye! Come back whenever you have a question about what I have been taught.",
    "thanks": "You're welcome! Ask me whenever you want to know more about what I have been taught.",
    "greeting": "Hello! Ask me a question about what I have been taught, and I will quote what answers it.",
}


def reply(text: str) -> str | None:
    """Return a sentence in reply to a greeting, thanks or a goodbye that says nothing else; None for all other texts."""
    said = " ".join(re.findall(r"\w+", re.sub("['’]", "", text.casefold())))
    small_talk = _SMALL_TALK.fullmatch(said)
    kinds = small_talk.groupdict() if small_talk else {}
    return next((answer for kind, answer in _REPLIES.items() if kinds.get(kind)), None)
