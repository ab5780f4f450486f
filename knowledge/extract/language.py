"""The language a text is written in, when it says enough to tell."""

from functools import cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier

_SAMPLE = 4000
_FEWEST_LETTERS = 60
_SURE = 0.9


@cache
def _identifier() -> LanguageIdentifier:
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def language_of(text: str) -> str | None:
    """Return the ISO 639-1 code of the language; None for short or mixed texts."""
    sample = text[:_SAMPLE]
    letters = sum(map(str.isalpha, sample))
    if letters < _FEWEST_LETTERS:
        return None
    code, sureness = _identifier().classify(sample)
    return str(code) if sureness >= _SURE else None
