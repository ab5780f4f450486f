"""What people's programs take for an address: URLs, and bare domains (pure)."""

import re

from bot.answering.inert.seen import visible

# Of two letters: those of countries. A word of two letters after a full stop is rarer than a link made of a domain.
_COUNTRIES = """
    ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs bt bw by bz ca cc cd cf cg ch
    ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu fi fj fk fm fo fr ga gd ge gf gg gh gi gl gm
    gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it je jm jo jp ke kg kh ki km kn kp kr kw ky kz la
    lb lc li lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo mp mq mr ms mt mu mv mw mx my mz na nc ne nf ng ni nl no np
    nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs ru rw sa sb sc sd se sg sh si sk sl sm sn so sr ss st su
    sv sx sy sz tc td tf tg th tj tk tl tm tn to tr tt tv tw tz ua ug uk us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw"""
_OTHERS = """
    com org net edu gov mil int info biz name pro mobi asia app dev page web site website online store shop blog cloud tech
    tools space live life news media press club team work works world today top xyz icu link click help support services
    solutions digital agency company email chat social network systems host hosting domains zip mov wiki game games fun vip win
    bid loan men party date racing review science stream trade download gift country kim cricket accountant faith ink one zone
    onion local test example invalid internal lan home corp bank finance money capital law legal health care london berlin
    nyc рф бел укр срб мон қаз онлайн сайт орг дети москва рус
    中国 中國 公司 网络 網路 香港 台湾 台灣 한국 भारत 网址 みんな テスト"""
_ENDINGS = "|".join(sorted([*_COUNTRIES.split(), *_OTHERS.split(), r"xn--[a-z0-9-]+"], key=len, reverse=True))
# `readme.md` and `setup.sh` are files far more often than the domains they could be.
_FILE = re.compile(r"[\w-]+\.(?:ai|app|as|cc|md|mm|mo|mov|name|pl|pm|ps|py|rs|sc|sh|so|st|tf|test|to|zip)", re.IGNORECASE)

_DOT = r"[.。．｡]"
_REST = r"[^\s<>\[\]\"“”«»„、，；：！？（）【】「」『』|^`{}\\…]*"  # an address ends where one of these stands
_SCHEMES = (
    r"javascript|vbscript|livescript|mailto|tel|sms|blob|view-source|callto|facetime|slack|discord|intent|data(?=:[\w;,])"
)
SCHEME = rf"(?:[a-z][a-z0-9+.-]{{0,30}}:(?://|[\\/]{{2}})|\b(?:{_SCHEMES}|file(?=:/)):(?=\S))"
URL = rf"(?P<url>{SCHEME}{_REST})"
"""An address that says how it is to be opened; what follows the scheme may be anything."""
_WELL_KNOWN = "|".join([*_COUNTRIES.split(), *["com", "org", "net", "edu", "gov", "info", "biz"]])
_AT = r"@(?!everyone|here|channel)"
_NO_DOMAIN = rf"(?!(?:[\w-]+\.)+(?:{_ENDINGS})@)"  # `evil.com@anna.berg` is shown as a link by whoever does not know the ending
MAIL = (
    rf"(?P<mail>(?<![\w.+@-])(?:[\w.+-]+{_AT}(?:[\w-]+\.)+(?:{_WELL_KNOWN})|{_NO_DOMAIN}[\w.+-]+{_AT}[\w-]+(?:\.[\w-]+)+)"
    rf"(?![\w@:/?#-]|{_DOT}\w))"
)
"""A mail address, which nobody fetches."""
DOMAIN = (
    rf"(?P<domain>(?<![\w@.-])(?:(?:[\w-]{{1,63}}{_DOT}){{1,12}}(?:{_ENDINGS})(?!\w|-+\w|{_DOT}\w)(?:{_DOT}?[:/?#\\@&=%+$~]{_REST})?"
    rf"|\d{{1,3}}(?:\.\d{{1,3}}){{3}}[:/]{_REST})|(?<!\w)www\d?{_DOT}{_REST})"
)
"""A domain, or what begins like a web site, with what follows it."""

_ANY = re.compile(rf"{URL}|{MAIL}|{DOMAIN}", re.IGNORECASE)
_LIKELY = re.compile(rf"{_DOT}\w|[:/\\]\S")
_AFTER = re.compile(r"[.,;:!?'\"’*_~。．｡]+$")


def trimmed(address: str) -> str:
    """Return an address without what belongs to the sentence around it."""
    while True:
        shorter = _AFTER.sub("", address)
        if shorter.endswith(")") and shorter.count(")") > shorter.count("("):
            shorter = shorter[:-1]
        if shorter == address:
            return address
        address = shorter


def addresses(text: str) -> frozenset[str]:
    """Return every address that stands in a text, exactly as it stands there."""
    likely = (word for word in visible(text).split() if _LIKELY.search(word))
    found = (one for word in likely for one in _ANY.finditer(word) if one.lastgroup != "mail")
    return frozenset(address for one in found if not is_file(address := trimmed(one.group())))


def is_file(address: str) -> bool:
    """Tell whether what could be a domain is rather the name of a file."""
    return _FILE.fullmatch(trimmed(address)) is not None
