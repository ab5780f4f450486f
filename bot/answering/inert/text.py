"""The words of a model, or of a document, as they may be shown on any platform (pure)."""

import html
import re
from collections.abc import Set as AbstractSet

from bot.answering.inert import address, code
from bot.answering.inert.seen import visible

REMOVED = "(link removed)"

# Nothing invisible is put between the letters of a mention or a link (it would be taken out again, here or elsewhere), and no
# look-alike in their place (normalised, they would be back): a plain blank after `<`, `@`, `!` and `]` keeps them from forming.

_ROUNDS = 8
_NONE: frozenset[str] = frozenset()
_WEB = re.compile(r"https?://\S", re.IGNORECASE)
_TAGS = (
    "a|abbr|acronym|address|applet|area|article|aside|audio|b|base|bdi|bdo|big|blink|blockquote|body|br|button|canvas|caption"
    "|center|cite|code|col|colgroup|datalist|dd|del|details|dfn|dialog|dir|div|dl|dt|em|embed|fieldset|figcaption|figure|font"
    "|footer|form|frame|frameset|h[1-6]|head|header|hr|html|i|iframe|image|img|input|ins|kbd|label|legend|li|link|main|map|mark"
    "|marquee|math|menu|meta|meter|nav|noscript|object|ol|optgroup|option|output|p|param|picture|portal|pre|progress|q|s|samp"
    "|script|section|select|slot|small|source|span|strike|strong|style|sub|summary|sup|svg|table|tbody|td|template|textarea"
    "|tfoot|th|thead|time|title|tr|track|tt|u|ul|use|var|video|wbr|xml"
)
_INSIDE = r"(?:[^\[\]\\]|\\.|\[[^\[\]]{0,200}\]){0,500}"
_LINK = (
    rf"(?P<link>!?\[(?P<label>{_INSIDE})\](?:\(\s*(?P<to><[^<>\n]*>|[^\s()<>]*(?:\([^\s()]*\)[^\s()<>]*)*)"
    r"(?:\s+(?:\"[^\"]*\"|'[^']*'|\([^()]*\)))?\s*\)|\[(?P<ref>[^\[\]]*)\]))"
)
_DEFINED = r"(?P<defined>^(?P<lead>[ \t>*+\d.)-]{0,40})\[(?P<name>[^\[\]]+)\]:)"
_POINTED = r"(?P<pointed><(?P<auto>[a-z][a-z0-9+.-]{1,30}:[^\s<>|]*)(?:\|(?P<said>[^<>]*))?>)"
_CALLED = r"(?P<called><(?P<sigil>[@#!])(?P<who>[^<>|]*)(?:\|(?P<shown>[^<>]*))?>)"
_TAG = rf"(?P<tag><!--.{{0,2000}}?-->|</?(?:{_TAGS})\b[^<>]*>)"
_REST = r"(?P<lt><(?=[^\s\d=<-]|$))|(?P<at>[@＠﹫](?=[^\W\d]|[*_&!]|$))|(?P<end>!(?=\[)|\](?=\())"
_SCAN = re.compile(
    "|".join([_DEFINED, _LINK, _POINTED, _TAG, _CALLED, address.URL, address.MAIL, address.DOMAIN, _REST]),
    re.IGNORECASE | re.MULTILINE | re.DOTALL,
)
_IN_CODE = re.compile(
    rf"(?P<url>{address.SCHEME}[^\s<>`]*)|(?P<domain>\bwww\d?\.[^\s<>`]+)"
    r"|(?P<at>[@＠﹫](?=everyone|here|channel))|(?P<lt><(?=[@#!&]|/[\w -]+:\d))",
    re.IGNORECASE,
)
_TELLING = re.compile(r"[<@＠﹫`&~]|\][(\[:]|!\[|\w[.。．｡]\w|:\S")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,31});", re.IGNORECASE)
_GLUE = ("|", "^", "{", "}", "\\", "…")  # ends an address here, and belongs to it elsewhere
_NUMBERS = re.compile(r"\^?\d[\d\s,;–-]*")
_STRIPPED = re.compile(r"[<>@＠﹫`&!\[\]():/.。．｡\\~]")


def harmless(text: str, allowed: AbstractSet[str] = _NONE) -> str:
    """Return Markdown without images, HTML, mentions, invisible characters, and links but to the allowed addresses.

    An address that is allowed stays as `<address>` or `[label](address)`, exactly; any other web address is removed, and a bare
    domain is written so that no program links it. Code keeps its look. What comes out comes out the same once more.
    """
    text = visible(text)
    for _ in range(_ROUNDS):
        if not _TELLING.search(text):
            return text
        before, text = text, visible(_once(text, allowed)).replace(f"]{REMOVED}", f"] {REMOVED}")  # no target of a label
        if text == before:
            return text
    return _STRIPPED.sub(" ", text)  # nobody writes like that in earnest


def line(text: str, most: int = 200) -> str:
    """Return a title or name as harmless text on one line, at most so many characters."""
    said = " ".join(harmless(text).split())
    return said if len(said) <= most else said[: most - 1].rstrip() + "…"


def _once(text: str, allowed: AbstractSet[str]) -> str:
    made: list[str] = []
    after_code = False
    for is_code, part in code.parts(text):
        if is_code:
            if made and made[-1].endswith("\\"):
                made[-1] = made[-1].rstrip("\\")
            made += [" "] if after_code and part.startswith("`") and made[-1].endswith("`") else []
            made.append(_IN_CODE.sub(lambda found: _in_code(found, allowed), part))
        elif part:
            made.append(_SCAN.sub(lambda found: _decided(found, allowed), _decoded(part)))
        after_code = is_code if part else after_code
    return "".join(made)


def _decoded(text: str) -> str:
    """Return a text with its entities as the characters they stand for, however often they were wrapped."""
    for _ in range(_ROUNDS):
        if "&" not in text or not _ENTITY.search(text):
            return text
        text = visible(_ENTITY.sub(_character, text)).replace("`", "'")
    return text.replace("&", " ")


def _character(entity: re.Match[str]) -> str:
    said = html.unescape(entity.group())
    return said if said != entity.group() else f"& {entity.group()[1:]}"


def _decided(found: re.Match[str], allowed: AbstractSet[str]) -> str:
    """Return what is shown for something that is more than text to some program."""
    whole = found.group()
    match found.lastgroup:
        case "link":
            shown = _linked(found, allowed)
        case "defined":
            shown = _undefined(found)
        case "pointed":
            shown = _pointed(found, allowed)
        case "called":
            shown = _called(found)
        case "tag":
            shown = " " if whole.lower().startswith("<br") else ""
        case "url" | "domain":
            shown = _addressed(whole, allowed, domain=found.lastgroup == "domain")
            shown += " " if shown == whole and found.string.startswith(_GLUE, found.end()) else ""
        case "at":
            shown = "@ "
        case _:
            shown = whole if found.lastgroup == "mail" else f"{whole} "
    return shown


def _undefined(found: re.Match[str]) -> str:
    """Return what defines a link or a footnote as text; a citation at the beginning of a line stays one."""
    name = found["name"]
    return f"{found['lead']}[{name.strip('^')}] " if _NUMBERS.fullmatch(name) else f"{found['lead']}{name}: "


def _linked(found: re.Match[str], allowed: AbstractSet[str]) -> str:
    label, image = found["label"].strip(), found.group().startswith("!")
    if found["to"] is None:  # by reference: what it refers to is never kept
        ref = found["ref"]
        if not image and _NUMBERS.fullmatch(label) and _NUMBERS.fullmatch(ref):
            return f"[{label}][{ref}]"
        numbered = f"[{label}]" if _NUMBERS.fullmatch(label) else label
        return f"{numbered} [{ref}]" if _NUMBERS.fullmatch(ref) else numbered
    to = found["to"].strip("<>")
    said = " ".join(_SCAN.sub(lambda part: _decided(part, _NONE), label).split())
    if not image and to in allowed and _WEB.match(to) and not re.search(r"[()\s]", to):
        return f"[{said}]({to})" if said and said != REMOVED and not re.search(r"[\[\]]", said) else f"{said} <{to}>".strip()
    return f"[{said}]" if not image and _NUMBERS.fullmatch(said) else said


def _pointed(found: re.Match[str], allowed: AbstractSet[str]) -> str:
    to, said = found["auto"], (found["said"] or "").strip()
    if to in allowed and _WEB.match(to):
        return f"{said} <{to}>".strip()
    if said:
        return said
    return to[7:] if re.fullmatch(rf"mailto:{address.MAIL}", to, re.IGNORECASE) else REMOVED


def _called(found: re.Match[str]) -> str:
    """Return a mention in Slack's or Discord's form as a word."""
    said = (found["shown"] or found["who"]).strip("@#!& ")
    sigil = {"@": "@ ", "#": "#", "!": ""}[found["sigil"]]
    return f"{sigil}{said}"


def _addressed(whole: str, allowed: AbstractSet[str], *, domain: bool) -> str:
    own = address.trimmed(whole)
    after = whole[len(own) :]
    if own in allowed:
        if _WEB.match(own):
            return f"<{own}>{after}"
        if domain:
            return f"{own} {after}" if after.startswith(("。", "．", "｡")) else whole
    if address.is_file(own):
        return whole
    if re.fullmatch(r"(?:[\w-]+[.。．｡])+[\w-]+", own):
        return re.sub(r"[.。．｡]", "[.]", own) + after
    if own.lower().startswith("mailto:") and re.fullmatch(address.MAIL, own[7:], re.IGNORECASE):
        return own[7:] + after
    return REMOVED + after


def _in_code(found: re.Match[str], allowed: AbstractSet[str]) -> str:
    if found.lastgroup in ("url", "domain"):
        own = address.trimmed(found.group())
        return (
            found.group()
            if own in allowed and (found.lastgroup == "domain" or _WEB.match(own))
            else REMOVED + found.group()[len(own) :]
        )
    return f"{found.group()} "
