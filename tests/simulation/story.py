"""What people write, and the words in it by which it is followed wherever it goes."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from string import ascii_lowercase

from bot.chat import Attachment, Message
from tests.simulation.house import EPOCH
from tests.simulation.people import scope_of

_SUBJECTS = (  # noqa: SIM905
    "walrus zeppelin harbour lantern orchid granite saffron violin tundra compass meadow copper falcon glacier hammock "
    "igloo jasmine kettle lagoon mustard nutmeg oyster pepper quarry raven sapphire thistle umbrella velvet willow"
).split()


@dataclass
class Canary:
    """A word that stands in one text only; from the tick `dead` on it may be seen nowhere any more.

    `scope` is where the text belongs, `subject` what it tells of (a question's own word tells of nothing).
    """

    word: str
    scope: str
    subject: str = ""
    dead: int | None = None
    unsure: bool = False  # whether it is still known: somebody began to have it forgotten


@dataclass
class Written:
    """A message of a person, with all its versions, oldest first; `canaries` are those of its latest."""

    versions: list[Message]
    kind: str
    canaries: list[Canary]
    acknowledged: set[str] = field(default_factory=set)
    dying: dict[datetime, list[Canary]] = field(default_factory=dict)  # by when the version was written that undoes them
    erased: bool = False  # its author began to have everything forgotten: nothing is owed to it any more
    gone: bool = False  # and that was done

    @property
    def latest(self) -> Message:
        return self.versions[-1]


class Story:
    """Everything that was ever written in a world."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.written: dict[tuple[str, str], Written] = {}
        self.canaries: dict[str, Canary] = {}
        self.files: dict[str, bytes] = {}
        self._changes = 0

    def canary(self, scope: str, subject: str = "") -> Canary:
        """Make a word that was never said."""
        while (word := f"zq{''.join(self._random.choices(ascii_lowercase, k=4))}x") in self.canaries:
            pass
        self.canaries[word] = Canary(word, scope, subject)
        return self.canaries[word]

    def asks(self, place: str, account: str, *, addressed: bool = True) -> Written:
        """Have somebody ask a question, perhaps one that leans on the one before."""
        canary = self.canary(place)
        return self._new(place, account, "question", self._question(canary), [canary], addressed=addressed)

    def chats(self, place: str, account: str) -> Written:
        """Have somebody say something among people."""
        subject = self._random.choice(_SUBJECTS)
        canary = self.canary(place, subject)
        return self._new(place, account, "chat", f"The {subject} code is {canary.word}.", [canary], addressed=False)

    def thanks(self, place: str, account: str) -> Written:
        """Have somebody say thanks."""
        return self._new(place, account, "thanks", self._random.choice(["Thanks!", "Hello there", "Goodbye"]), [])

    def uploads(self, place: str, account: str) -> Written:
        """Have somebody teach a file, now and then with a question, or one that cannot be read."""
        asks = self._random.random() < 0.2
        canary = self.canary(place)
        text = self._question(canary) if asks else ""
        name, inside = self._file(scope_of(place, account))
        kept = [canary, *inside] if asks else inside
        return self._new(place, account, "file", text, kept, files=(name,))

    def edits(self, written: Written) -> Message:
        """Change a message to something else of its kind."""
        old, place, account = written.latest, written.latest.place, written.latest.account
        canary = self.canary(place)
        files = old.attachments
        match written.kind:
            case "chat":
                subject = self._random.choice(_SUBJECTS)
                canary.subject = subject
                text, kept = f"The {subject} code is {canary.word}.", [canary]
            case "file":
                name, kept = self._file(scope_of(place, account))
                text, files = "", (Attachment(name, name),)
            case _:
                written.kind = "question"
                text, kept = self._question(canary), [canary]
        message = self._version(replace(old, text=text, attachments=files))
        written.dying[message.changed_at] = written.canaries
        written.canaries = kept
        written.versions.append(message)
        return message

    def deletes(self, written: Written) -> Message:
        """Delete a message; some platforms tell nothing but its id then."""
        message = self._version(replace(written.latest, text="", attachments=(), deleted=True, addressed=False))
        if self._random.random() < 0.5:
            message = replace(message, account="", thread=None, author="", link="")
        written.dying[message.changed_at] = written.canaries
        written.canaries = []
        written.versions.append(message)
        return message

    def note(self, scope: str) -> tuple[str, Canary]:
        """Make something to be remembered."""
        subject = self._random.choice(_SUBJECTS)
        canary = self.canary(scope, subject)
        return f"My {subject} code is {canary.word}.", canary

    def _question(self, canary: Canary) -> str:
        told = [one.subject for one in self.canaries.values() if one.subject] or list(_SUBJECTS)
        subject = self._random.choice(told[-12:])
        asked = self._random.choice([f"What is the {subject} code", f"The {subject} code is", "And what about it"])
        return f"{asked}, asks {canary.word}?"

    def _file(self, scope: str) -> tuple[str, list[Canary]]:
        name = f"file{len(self.files)}.txt"
        kind = self._random.choices(["good", "two", "broken", "binary", "attach"], [6, 2, 1, 1, 1])[0]
        subjects = self._random.sample(_SUBJECTS, 2)
        canaries = [self.canary(scope, subject) for subject in subjects]
        lines = [f"The {one.subject} code is {one.word}." for one in canaries]
        match kind:
            case "good":
                text, kept = lines[0], canaries[:1]
            case "two":
                text, kept = "\n".join(lines), canaries
            case "attach":
                text, kept = f"{lines[0]}\nattach: inner{len(self.files)}.txt {lines[1]}", canaries
            case _:
                text, kept = f"{kind}\n{lines[0]}", []
        self.files[name] = text.encode()
        return name, kept

    def _new(
        self,
        place: str,
        account: str,
        kind: str,
        text: str,
        canaries: list[Canary],
        *,
        addressed: bool = True,
        files: tuple[str, ...] = (),
    ) -> Written:
        number = str(len(self.written))
        message = Message(
            event="",
            place=place,
            id=number,
            account=account,
            text=text,
            changed_at=EPOCH,
            thread=self._random.choice([None, None, "t1"]),
            addressed=addressed,
            attachments=tuple(Attachment(name, name) for name in files),
            link=f"https://chat.example/{number}",
            author=account,
        )
        written = Written([self._version(message)], kind, canaries)
        self.written[place, number] = written
        return written

    def _version(self, message: Message) -> Message:
        self._changes += 1
        return replace(message, event=f"e{self._changes}", changed_at=EPOCH + timedelta(seconds=self._changes))
