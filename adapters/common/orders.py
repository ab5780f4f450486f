"""What people order on a platform beside asking and teaching: the same words on each, and a Markdown text in return."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Protocol, TypedDict

from adapters.common import texts
from bot.chat import Person, Place

HELP = """\
- `/twin ask QUESTION` is answered to you alone
- `/twin search WORDS` shows the passages nearest to some words
- `/twin docs` lists what I have learned that you may see
- `/twin forget ID` forgets a document for good, `/twin forget me` your notes, questions and opinions
- `/twin teach` tells how to teach me
- `/twin remember TEXT` keeps a note that only you are told of; `/twin notes` lists them
- `/twin digest` sums up the last week here; `/twin digest on` or `off` has me post it every Monday, or not (owners)
- `/twin link` makes your account elsewhere, or on another platform, yours here too; `/twin unlink` ends that
- `/twin learn on` or `off` has me learn what is said and posted here, or not (owners)
- `/twin model` tells who writes my answers here; `/twin model NAME` has another one do it (owners)
- `/twin stats DAYS` sums up what you asked lately"""

TEACH = """\
- Post a file and mention me, or send it to me in a private message: I read it and tell you what I learned.
- Choose “Teach this to Twin” in the menu of a message to have me learn that message and its files.
- What is taught in a channel is for those who may read the channel; what you teach in private is for you alone."""


class Here(TypedDict):
    """Where something is said, and by whom."""

    place: Place
    person: Person


class Changes(TypedDict, total=False):
    """What can be changed about how answers are written."""

    model: str | None
    temperature: float | None
    max_tokens: int | None
    system_prompt: str | None
    persona: str | None


class Ordered(Protocol):
    """What does what is ordered."""

    async def person(self, account: str) -> Person:
        """Return whose account this is."""

    async def documents(self, *, place: Place, person: Person) -> Sequence[texts.Document]:
        """Return all documents that may be seen, newest first."""

    async def document(self, document_id: str, *, place: Place, person: Person) -> texts.Document:
        """Return one document by its id or the unambiguous beginning of it."""

    async def forget(self, document_id: str, *, place: Place, person: Person) -> texts.Document:
        """Forget a document for good."""

    async def search(self, query: str, *, place: Place, person: Person) -> Sequence[texts.Found]:
        """Return the passages nearest to a query."""

    async def why(self, message_id: str, *, place: Place, person: Person) -> texts.Why:
        """Tell how an answer came about."""

    async def give_feedback(
        self, message_id: str, value: int, reason: str = "", *, place: Place, person: Person
    ) -> texts.Opinion:
        """Keep what a person thinks of an answer: 1, -1, or 0 to take it back."""

    async def link_code(self, *, person: Person) -> str:
        """Return a code by which a person shows that another account is theirs."""

    async def link_to(self, code: str, *, person: Person) -> str:
        """Return the name of whoever was given a code."""

    async def link(self, code: str, *, account: str, person: Person) -> None:
        """Make whoever shows a code the person it was given to."""

    async def unlink(self, *, account: str) -> bool:
        """Make an account somebody of their own again; tell whether it was one of several."""

    async def remember(self, text: str, *, place: Place, person: Person) -> texts.Receipt:
        """Keep a note for a person, who alone is told of it."""

    async def notes(self, *, person: Person) -> Sequence[texts.Document]:
        """Return the notes of a person."""

    async def forget_me(self, *, person: Person) -> tuple[int, int]:
        """Forget a person; return how many documents and questions went."""

    async def models(self, *, place: Place) -> texts.Chosen:
        """Return how answers are written in a place."""

    async def use_model(self, changes: Changes, *, place: Place, person: Person) -> texts.Chosen:
        """Change how answers are written in a place."""

    async def reset_model(self, *, place: Place, person: Person) -> texts.Chosen:
        """Undo what was changed in a place; return how it was."""

    async def stats(self, *, place: Place, person: Person, days: int = 7) -> texts.Figures:
        """Sum up what was asked in the last days."""

    async def digest(self, *, place: Place, person: Person, since: datetime | None = None) -> texts.Digest:
        """Sum up what was learned, asked and left unanswered in a place since then."""

    async def weekly(self, on: bool | None = None, *, place: Place, person: Person) -> bool:
        """Say whether a digest is posted in a place each week; switch it on or off."""

    async def learning(self, on: bool | None = None, *, place: Place, person: Person) -> bool:
        """Say whether chat and files are learned in a place without being asked; switch it on or off."""


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody ordered from an account: `here` is the place they are in, `alone` where they alone read what is said."""

    word: str
    rest: str
    here: Place
    alone: Place
    person: Person
    account: str

    @property
    def in_place(self) -> Here:
        return {"place": self.here, "person": self.person}

    @property
    def in_private(self) -> Here:
        return {"place": self.alone, "person": self.person}


@dataclass(frozen=True, slots=True)
class Said:
    """What is said in return, to whoever ordered it alone; `confirm` is the order that does it after all."""

    text: str
    confirm: str = ""


def parsed(line: str) -> tuple[str, str]:
    """Return the word of an order and the rest (pure)."""
    words = line.split(maxsplit=1)
    return "".join(words[:1]).casefold(), "".join(words[1:]).strip()


async def obey(twin: Ordered, order: Order) -> Said:
    """Do what is ordered; a question is for the platform to hand in, so that it survives a kill."""
    if obeys := _ORDERS.get(order.word):
        return await obeys(twin, order)
    unknown = "" if order.word in {"", "help"} else f"I do not know the order `{texts.line(order.word)}`. "
    meant = f"Is `{close[0]}` meant? " if unknown and (close := get_close_matches(order.word, _ORDERS, 1)) else ""
    return Said(f"{unknown}{meant}This is what I can do:\n\n{HELP}")


async def _ask(_twin: Ordered, _order: Order) -> Said:
    return Said("What? `/twin ask QUESTION` is answered to you alone.")


async def _docs(twin: Ordered, order: Order) -> Said:
    return Said(texts.documents(await twin.documents(**order.in_private)))


async def _search(twin: Ordered, order: Order) -> Said:
    if not order.rest:
        return Said("Which words? `/twin search WORDS` shows the passages nearest to them.")
    return Said(texts.passages(await twin.search(order.rest, **order.in_private)))


async def _forget(twin: Ordered, order: Order) -> Said:
    match order.rest.split():
        case ["me"]:
            return Said(
                "Forget your notes, your questions with their answers, and your opinions? This cannot be undone.",
                "forget me yes",
            )
        case ["me", "yes"]:
            return Said(texts.forgotten_person(*await twin.forget_me(person=order.person)))
        case [document_id]:
            document = await twin.document(document_id, **order.in_private)
            return Said(f"Forget “{texts.line(document.title)}”? This cannot be undone.", f"forget {document.id} yes")
        case [document_id, "yes"]:
            forgotten = await twin.forget(document_id, **order.in_private)
            return Said(f"Forgotten: “{texts.line(forgotten.title)}”. Nothing of it is left.")
    return Said(
        "Which document? `/twin forget ID` takes one id; `/twin docs` shows them. `/twin forget me` forgets what I know of you."
    )


async def _remember(twin: Ordered, order: Order) -> Said:
    if not order.rest:
        return Said("What? `/twin remember TEXT` keeps a note that only you are told of.")
    return Said(texts.remembered(await twin.remember(order.rest, **order.in_private)))


async def _notes(twin: Ordered, order: Order) -> Said:
    return Said(texts.notes(await twin.notes(person=order.person)))


async def _model(twin: Ordered, order: Order) -> Said:
    if order.rest == "reset":
        await twin.reset_model(**order.in_place)
    elif order.rest:
        await twin.use_model({"model": order.rest}, **order.in_place)
    return Said(texts.model(await twin.models(place=order.here)))


async def _stats(twin: Ordered, order: Order) -> Said:
    days = order.rest or "7"
    if not (days.isascii() and days.isdigit() and 0 < int(days) < 1_000):
        return Said("How many days? `/twin stats 30` sums up the last 30; 999 is the most.")
    return Said(texts.figures(await twin.stats(**order.in_private, days=int(days)), int(days)))


async def _digest(twin: Ordered, order: Order) -> Said:
    match order.rest.casefold():
        case "on" | "off" as wanted:
            on = await twin.weekly(wanted == "on", **order.in_place)
            return Said(texts.weekly(on))
        case "":
            pass
        case _:
            return Said(
                "`/twin digest` sums up the last week. `/twin digest on` has me post that here every Monday; `off` ends it."
            )
    return Said(texts.digest(await twin.digest(**order.in_place)))


async def _teach(_twin: Ordered, _order: Order) -> Said:
    return Said(TEACH)


async def _link(twin: Ordered, order: Order) -> Said:
    match order.rest.split():
        case []:
            code = await twin.link_code(person=order.person)
            return Said(
                f"Within ten minutes, say `/twin link {code}` to me from your other account. Then both are one person: what you"
                " may see, remember and have forgotten in one, you may in the other. Give the code to nobody else."
            )
        case [code]:
            name = texts.line(await twin.link_to(code, person=order.person)) or "somebody whose name I do not know"
            return Said(
                f"Is the account of {name} yours too? From then on, what either of you may see, the other one sees as well.",
                f"link {code} yes",
            )
        case [code, "yes"]:
            await twin.link(code, account=order.account, person=order.person)
            return Said("Both accounts are yours now. `/twin unlink` makes this one somebody of their own again.")
    return Said("`/twin link` gives you a code; say `/twin link CODE` to me from your other account.")


async def _unlink(twin: Ordered, order: Order) -> Said:
    if order.rest != "yes":
        return Said("Is this account somebody of their own again? What I keep for you stays with your other one.", "unlink yes")
    if await twin.unlink(account=order.account):
        return Said("This account is somebody of their own again.")
    return Said("This account is linked to no other one.")


async def _learn(twin: Ordered, order: Order) -> Said:
    wanted = {"on": True, "off": False, "": None}
    if order.rest.casefold() not in wanted:
        return Said("`/twin learn on` has me learn what is said and posted here, `/twin learn off` ends it (owners).")
    on = await twin.learning(wanted[order.rest.casefold()], **order.in_place)
    said = "I learn what is said and posted here" if on else "I learn only what I am asked to learn here"
    return Said(f"{said}. `/twin learn {'off' if on else 'on'}` changes that (owners).")


_ORDERS: Mapping[str, Callable[[Ordered, Order], Awaitable[Said]]] = {
    "ask": _ask,
    "docs": _docs,
    "search": _search,
    "forget": _forget,
    "remember": _remember,
    "notes": _notes,
    "model": _model,
    "stats": _stats,
    "digest": _digest,
    "teach": _teach,
    "learn": _learn,
    "link": _link,
    "unlink": _unlink,
}
