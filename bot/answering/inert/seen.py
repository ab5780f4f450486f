"""Characters that nobody sees, and that models and platforms read all the same, taken out (pure)."""

import re

_NEWLINES = re.compile(r"\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
# Controls, soft hyphen, fillers, zero widths, bidi controls, invisible operators, musical and shorthand formatting, tags,
# halves of surrogates and noncharacters. Joiners and variation selectors are judged by where they stand.
_NEVER = re.compile(
    "[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\ufdd0-\ufdef\ud800-\udfff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff]"
)
_EMOJI = "\u00a9\u00ae\u203c-\u3299\U0001f000-\U0001faff"
_IDEOGRAPH = "\u3400-\u9fff\uf900-\ufaff\U00020000-\U000323af"
# Arabic, Syriac, Mongolian and the scripts of India, Sri Lanka and their neighbours spell with joiners.
_JOINING = "\u0600-\u08ff\u0900-\u0dff\u0f00-\u109f\u1780-\u18af"
# A selector chooses how the one character before it looks; many in a row carry hidden bytes.
_SELECTOR = re.compile(
    f"(?<![#*0-9{_EMOJI}])[\ufe0e\ufe0f]|[\ufe00-\ufe0d]|(?<![{_IDEOGRAPH}])[\U000e0100-\U000e01ef]"
    "|(?<![\u1820-\u18af])[\u180b-\u180d\u180f]"
)
_JOINER = re.compile(
    f"(?<![{_EMOJI}\ufe0f{_JOINING}])[\u200c\u200d]|[\u200c\u200d](?![{_EMOJI}{_JOINING}])"
    f"|(?<=[{_EMOJI}\ufe0f])\u200c|(?<=[{_EMOJI}\ufe0f])\u200d(?=[{_JOINING}])|(?<=[{_JOINING}])[\u200c\u200d](?=[{_EMOJI}])"
)
_PLAIN = re.compile(r"[\n\t\x20-\x7e]*")


def visible(text: str) -> str:
    """Return a text without what is invisible, with plain line breaks.

    Joiners stay inside emoji and in the scripts that spell with them, variation selectors after what they vary.
    """
    if _PLAIN.fullmatch(text):
        return text
    return _JOINER.sub("", _SELECTOR.sub("", _NEVER.sub("", _NEWLINES.sub("\n", text))))
