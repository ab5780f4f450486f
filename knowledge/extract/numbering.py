"""The labels of numbered and bulleted paragraphs in DOCX, counted as Word counts them."""

import re
from collections import defaultdict
from dataclasses import dataclass

from knowledge.extract.trees import Element, attribute, child, every

_BULLET = "•"
_PLACE = re.compile(r"%([1-9])")
_WORTH = (1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1)
_ROMAN = ("M", "CM", "D", "CD", "C", "XC", "L", "XL", "X", "IX", "V", "IV", "I")


@dataclass(frozen=True, slots=True)
class _Level:
    format: str
    text: str
    start: int


class Numbering:
    """The lists a document defines and how far each has counted."""

    def __init__(self, tree: Element | None) -> None:
        self._lists = {attribute(element, "abstractNumId"): element for element in every(tree, "abstractNum")}
        self._uses = {attribute(element, "numId"): element for element in every(tree, "num")}
        self._counts: dict[str, dict[int, int]] = defaultdict(dict)

    def label(self, properties: Element | None, styles: list[Element]) -> str | None:
        """Return the label of the next paragraph with these list properties, or None when it is in no list."""
        if properties is None:
            return None
        number = _value(child(properties, "numId")) or next(
            (found for style in styles if (found := _value(child(style, "pPr", "numPr", "numId")))), None
        )
        use = self._uses.get(number)
        if number in {None, "0"} or use is None:
            return None
        depth = _int(_value(child(properties, "ilvl")), 0)
        level = self._level(use, depth)
        if level is None or level.format == "none":
            return None
        if level.format == "bullet":
            return _BULLET
        return self._count(use, number or "", depth, level)

    def _count(self, use: Element, number: str, depth: int, level: _Level) -> str:
        shared = _value(child(use, "abstractNumId")) or number
        counts = self._counts[number if child(use, "lvlOverride") is not None else shared]
        counts[depth] = counts.get(depth, level.start - 1) + 1
        for deeper in [known for known in counts if known > depth]:
            del counts[deeper]

        def place(match: re.Match[str]) -> str:
            at = int(match[1]) - 1
            above = self._level(use, at)
            return "" if above is None else _numeral(counts.get(at, above.start), above.format)

        return _PLACE.sub(place, level.text)

    def _level(self, use: Element, depth: int) -> _Level | None:
        override = next((level for level in every(use, "lvlOverride") if _int(attribute(level, "ilvl"), -1) == depth), None)
        listed = self._lists.get(_value(child(use, "abstractNumId")))
        level = child(override, "lvl")
        if level is None:
            level = next((level for level in every(listed, "lvl") if _int(attribute(level, "ilvl"), -1) == depth), None)
        if level is None:
            return None
        start = _value(child(override, "startOverride")) or _value(child(level, "start"))
        kind = _value(child(level, "numFmt")) or _alternate(level) or "decimal"
        return _Level(kind, _value(child(level, "lvlText")) or "", _int(start, 1))


def _alternate(level: Element) -> str | None:
    return next((_value(element) for element in every(level, "numFmt")), None)


def _numeral(number: int, kind: str) -> str:
    if kind in {"lowerRoman", "upperRoman"} and 0 < number < 4000:
        roman = _roman(number)
        return roman if kind == "upperRoman" else roman.lower()
    if kind in {"lowerLetter", "upperLetter"} and number > 0:
        letter = chr(ord("A") + (number - 1) % 26) * ((number - 1) // 26 % 10 + 1)
        return letter if kind == "upperLetter" else letter.lower()
    return f"{number:02}" if kind == "decimalZero" else str(number)


def _roman(number: int) -> str:
    letters = []
    for worth, letter in zip(_WORTH, _ROMAN, strict=True):
        times, number = divmod(number, worth)
        letters.append(letter * times)
    return "".join(letters)


def _value(element: Element | None) -> str | None:
    return None if element is None else attribute(element, "val")


def _int(text: str | None, default: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else default
