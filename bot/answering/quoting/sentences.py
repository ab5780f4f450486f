"""Where sentences, list items and table rows begin and end (pure)."""

import re
from itertools import pairwise

# Ends of sentences of most scripts; a following quotation mark or bracket still belongs to the sentence.
_END = re.compile(r"(?:[.!?…]+|[。！？।؟])[\"'”’»)\]*_]*(?:\[[^\]\n]{1,30}\])*")
_NEWLINE = re.compile(r"[^\S\n]*\n\s*")
_MARKER = re.compile(r"(?:[-*+•–—▪◦‣·]|\(?\d{1,3}[.)]|\(?[a-zA-Z][.)])\s+\S")
_INITIALS = re.compile(r"(?:[^\W\d_]\.)*[^\W\d_]")
_DAY = re.compile(r"\d{1,2}")
_MONTH = re.compile(r"Jan|Feb|März|Apr|Mai|Jun|Jul|Aug|Sep|Okt|Nov|Dez")
_WORD = re.compile(r"[^\W\d_]+")
_WORD_BEFORE = re.compile(r"[\w.&'’-]*\Z")
# What may open a sentence: quotation marks, brackets, emphasis.
_OPENING = "\"'“‘«„([*_¿¡—–- "

# Abbreviations that stand before a name or number far more often than at an end: English, German, Russian, French, Spanish
_ABBREVIATED = """
    mr mrs ms dr prof st rev hon gen col lt sgt capt cmdr adm gov sen rep pres messrs mt ft vs no nos vol vols pp p fig figs
    ch sec art ed eds eq ca cf e.g i.e viz approx est dept univ hr fr nr bzw z.b d.h u.a s bd evtl ggf inkl vgl str tel т.е
    т.к им ул д стр рис см проф акад тыс млн mme mlle sra srta ud uds"""
_ABBREVIATIONS = frozenset(_ABBREVIATED.split())
# These end sentences too: only a usual first word shows that a new one begins.
_ENDING = "inc ltd co corp bros usw etc гг г вв в т.д т.п др руб jr sr a.m p.m al n.y d.c b.c a.d u.s u.k u.n e.u"
_EITHER = frozenset(_ENDING.split())
_FIRST = """
    the a an this that these those it its he she his her they their we our you i in on at by for from with after before
    during as if when while although since because however there here but and or so thus both some many most all each no not
    der die das ein eine er sie es wir im am bei nach seit wenn в на он она они это эти и но а если при после с по le la les
    il elle el los las"""
_OPENERS = frozenset(_FIRST.split())
_LONGEST_WORD = 60  # characters are looked at, however long the line is
# A line this long that does not end a sentence was broken by its page, not by its writer.
_WRAPPED = 55


def spans(text: str) -> list[tuple[int, int]]:
    """Divide a text into sentences, list items, table rows and headings.

    The spans partition the text: the first begins at 0, each begins where the one before ended, the last ends at `len(text)`.
    White space belongs to the span before it; only leading white space opens one.
    """
    cuts = [0]
    for start, end in _lines(text):
        if not is_row(text[start:end]):
            cuts.extend(_ends(text, start, end))
        cuts.append(end)
    borders = sorted(set(cuts) | {len(text)})
    return list(pairwise(borders))


def trimmed(text: str, span: tuple[int, int]) -> tuple[int, int]:
    """Return the span without the white space around it."""
    start, end = span
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def is_item(line: str) -> bool:
    """Tell whether a line is an item of a list."""
    return _MARKER.match(line) is not None


def is_row(line: str) -> bool:
    """Tell whether a line is a row of a table."""
    return " | " in line or "\t" in line.strip() or line.count("|") > 1


def _lines(text: str) -> list[tuple[int, int]]:
    """Divide at line breaks that were meant, and leave together what a page width has torn."""
    found, start = [], 0
    for gap in _NEWLINE.finditer(text):
        if gap.end() < len(text) and not _torn(text[start : gap.start()].rsplit("\n", 1)[-1], text, gap):
            found.append((start, gap.end()))
            start = gap.end()
    return [*found, (start, len(text))] if start < len(text) else found


def _torn(before: str, text: str, gap: re.Match[str]) -> bool:
    """Tell whether the sentence goes on after this line break."""
    after = text[gap.end() : gap.end() + 200].split("\n", 1)[0]
    if gap.group().count("\n") > 1 or is_item(after) or is_row(after) or is_row(before):
        return False
    if (
        not before.strip()
        or before.rstrip()[-1] in ".!?:;…。！？|"
        or after.startswith(("#", ">", "`"))
        or before.startswith("#")
    ):
        return False
    return after[:1].islower() or len(before) >= _WRAPPED


def _ends(text: str, start: int, end: int) -> list[int]:
    """Return where sentences begin inside a line, white space before them left behind."""
    found = []
    for mark in _END.finditer(text, start, end):
        after = mark.end()
        while after < end and text[after].isspace():
            after += 1
        spaced = after > mark.end() or mark.group()[0] in "。！？।"
        if after < end and spaced and not _goes_on(text, start, mark, after):
            found.append(after)
    return found


def _goes_on(text: str, start: int, mark: re.Match[str], after: int) -> bool:
    """Tell whether a mark that could end a sentence does not."""
    rest = text[after : after + 40].lstrip(_OPENING)
    if rest[:1].islower():
        return True
    if mark.group()[0] != "." or mark.group().startswith(".."):
        return False
    found = _WORD_BEFORE.search(text, max(start, mark.start() - _LONGEST_WORD), mark.start())
    word = found.group().strip("'’-") if found else ""
    if not text[start : mark.start() - len(word)].strip() and is_item(text[start : after + 1]):
        return True  # the number of a list item
    return _abbreviated(word, rest)


def _abbreviated(word: str, rest: str) -> bool:
    """Tell whether the full stop after a word belongs to the word alone, given what follows."""
    lower = word.lower().lstrip(".")
    if _DAY.fullmatch(word):
        return bool(_MONTH.match(rest))  # German dates: "31. März"
    if lower in _EITHER or _INITIALS.fullmatch(word):  # "J. Smith", "W. E. B. Du Bois"; but "vitamin C. It helps"
        return _first_word(rest) not in _OPENERS
    return lower in _ABBREVIATIONS


def _first_word(text: str) -> str:
    found = _WORD.match(text)
    return found.group().lower() if found and text[found.end() : found.end() + 1] != "." else ""
