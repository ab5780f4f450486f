"""Numbers as a spreadsheet shows them: dates, percentages, currencies, fixed decimals, fractions."""

import re
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from fractions import Fraction

from knowledge.extract.trees import Element, child, every

_BUILT_IN = {
    1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 5: "$#,##0;($#,##0)", 6: "$#,##0;($#,##0)", 7: "$#,##0.00;($#,##0.00)",
    8: "$#,##0.00;($#,##0.00)", 9: "0%", 10: "0.00%", 12: "# ?/?", 13: "# ??/??", 14: "yyyy-mm-dd", 15: "d-mmm-yy",
    16: "d-mmm", 17: "mmm-yy", 18: "h:mm", 19: "h:mm:ss", 20: "h:mm", 21: "h:mm:ss", 22: "yyyy-mm-dd h:mm",
    37: "#,##0;(#,##0)", 38: "#,##0;(#,##0)", 39: "#,##0.00;(#,##0.00)", 40: "#,##0.00;(#,##0.00)", 45: "mm:ss",
    46: "h:mm:ss", 47: "mm:ss",
}  # fmt: skip
_QUOTED = re.compile(r'"([^"]*)"|\\(.)|_.|\*.|\[(?!\$)[^\]]*\]')
_CURRENCY = re.compile(r"\[\$([^\]-]*)[^\]]*\]|([$€£¥])")
_DATE, _TIME = re.compile("[yd]|m{3}", re.IGNORECASE), re.compile("[hs]", re.IGNORECASE)
_DECIMALS = re.compile(r"\.([0#?]+)")
_MAX_DAYS = 2_958_465  # 9999-12-31


class Formats:
    """The number formats of a workbook's cell styles."""

    def __init__(self, styles: Element | None, workbook: Element) -> None:
        own = {element.get("numFmtId", ""): element.get("formatCode", "") for element in every(styles, "numFmt")}
        cells = child(styles, "cellXfs")
        ids = [element.get("numFmtId", "0") for element in every(cells, "xf")]
        self._codes = [own.get(number) or _BUILT_IN.get(int(number) if number.isdigit() else 0, "") for number in ids]
        shifted = any(element.get("date1904") in {"1", "true"} for element in every(workbook, "workbookPr"))
        self._epoch = datetime(1904, 1, 1) if shifted else datetime(1899, 12, 30)  # noqa: DTZ001 - a sheet's times have no zone

    def show(self, text: str, style: str) -> str:
        """Return a cell's number as its style shows it; what is no number comes back as it is."""
        code = self._codes[int(style)] if style.isdigit() and int(style) < len(self._codes) else ""
        try:
            number = Decimal(text)
        except InvalidOperation:
            return text
        return _shown(number, code, self._epoch) if number.is_finite() and abs(number.adjusted()) < 30 else text


def _shown(number: Decimal, code: str, epoch: datetime) -> str:
    sections = code.split(";")
    section = sections[1] if number < 0 and len(sections) > 1 else sections[0]
    bare = _QUOTED.sub("", section)
    if not bare or bare.lower() in {"general", "@"}:
        return _general(number)
    if (_DATE.search(bare) or _TIME.search(bare)) and not any(mark in bare for mark in "#0%?") and 0 <= number <= _MAX_DAYS:
        return _moment(number, bare, epoch)
    if "/" in bare and "?" in bare:
        return _fraction(number, 10 ** bare.rpartition("/")[2].count("?") - 1)
    minus = "-" if number < 0 and len(sections) == 1 else ""
    shown = f"{minus}{_currency(section)}{_digits(abs(number), bare)}{'%' if '%' in bare else ''}"
    return f"({shown})" if "(" in section and number < 0 else f"-{shown}" if number < 0 and "-" in bare else shown


def _general(number: Decimal) -> str:
    """Return at most fifteen significant digits: what lies beyond is an artefact of binary numbers."""
    rounded = Decimal(f"{number:.15g}")
    text = f"{rounded:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _moment(number: Decimal, code: str, epoch: datetime) -> str:
    moment = epoch + timedelta(seconds=round(float(number) * 86_400))
    shapes = {
        (True, True): "%Y-%m-%d %H:%M",
        (True, False): "%Y-%m-%d",
        (False, True): "%H:%M:%S" if "s" in code.lower() else "%H:%M",
    }
    return moment.strftime(shapes.get((bool(_DATE.search(code)), bool(_TIME.search(code))), "%Y-%m-%d"))


def _fraction(number: Decimal, limit: int) -> str:
    whole, part = divmod(abs(number), 1)
    part_of = Fraction(part).limit_denominator(max(limit, 9))
    sign = "-" if number < 0 else ""
    if part_of == 1:
        whole, part_of = whole + 1, Fraction(0)
    return sign + " ".join(
        text for text in (f"{whole:f}" if whole or not part_of else "", str(part_of) if part_of else "") if text
    )


def _currency(section: str) -> str:
    match = _CURRENCY.search(section.replace('"', ""))
    return (match[1] or match[2] or "") if match else ""


def _digits(number: Decimal, code: str) -> str:
    if "%" in code:
        number *= 100
    match = _DECIMALS.search(code)
    if match is None and "0" not in code and "#" not in code:
        return _general(number)
    places = len(match[1]) if match else 0
    rounded = number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return f"{rounded:,f}" if "," in code else f"{rounded:f}"
