"""Which passage carries a statement, and where in it (pure)."""

from collections.abc import Iterable, Sequence
from functools import cached_property

from bot.answering.citing.statement import Statement
from bot.answering.quoting import sentences, words
from knowledge import Found

# The rule: a statement must share enough of its words with a passage that it cites; if it cites none that does, with some
# passage, which is then cited for it. A number that is nowhere in the passages or the question belies it, and names that are
# nowhere weigh double. Where the passage is of another language, only numbers and names can be compared.
_CITED = 0.25  # of its words
_ALONE = 0.5
_SHARED = 2  # words at least, unless it has fewer
_BEGINNING = 5  # letters by which longer words are taken for forms of one
_LONGEST = 400  # characters of a quote


class Ground:
    """One passage that statements may rest on."""

    def __init__(self, hit: Found) -> None:
        self.hit = hit
        self._weight: dict[tuple[int, int], float] = {}
        self._first: tuple[int, int] | None = None

    @cached_property
    def statement(self) -> Statement:
        """All that the passage says, with what it is headed by."""
        passage = self.hit.passage
        return Statement(f"{passage.title}\n{passage.heading or ''}\n{passage.context}\n{passage.text}")

    @cached_property
    def terms(self) -> frozenset[str]:
        """The stems of its words, and the beginnings of the longer ones."""
        terms = self.statement.terms
        return terms | {term[:_BEGINNING] for term in terms if len(term) > _BEGINNING}

    @cached_property
    def _sentences(self) -> list[tuple[int, int, frozenset[str]]]:
        text = self.hit.passage.text
        spans = (sentences.trimmed(text, span) for span in sentences.spans(text))
        return [(a, b, frozenset(words.content(text[a:b]))) for a, b in spans if a < b]

    def shares(self, statement: Statement) -> set[str]:
        """Return the words of a statement that stand in the passage."""
        return {
            term
            for term in statement.terms
            if term in self.terms or (len(term) > _BEGINNING and term[:_BEGINNING] in self.terms)
        }

    def foreign(self, statement: Statement) -> bool:
        """Tell whether the passage is of another language, so that other words may say the same."""
        return bool(statement.language) and self.statement.language not in ("", statement.language)

    def rest(self, statement: Statement) -> None:
        """Keep where the passage carries a statement."""
        if not self._sentences:
            return

        def weight(place: tuple[int, int, frozenset[str]]) -> float:
            shared = place[2] & statement.terms
            return len(shared) + sum(term[0].isdigit() for term in shared) - len(place[2]) / 100

        start, end, _ = max(self._sentences, key=weight)
        self._first = self._first or (start, end)
        self._weight[start, end] = 1.0

    def quote(self) -> str:
        """Return the stretch of the passage that carries what was said first, and what else was, where it stands beside it."""
        text = self.hit.passage.text
        if self._first is None:
            return text[:_LONGEST].strip()
        start, end = self._first
        for a, b in sorted(self._weight):
            beside = not text[end:a].strip() if a >= end else b <= start and not text[b:start].strip()
            if beside and max(end, b) - min(start, a) <= _LONGEST:
                start, end = min(start, a), max(end, b)
        if end - start > _LONGEST:
            end = max(text.rfind(" ", start, start + _LONGEST), start + _LONGEST // 2)
        return text[start:end].strip()


class Grounds:
    """The passages of a prompt, by their numbers there, and the question they were found for."""

    def __init__(self, found: Sequence[Found], question: str) -> None:
        self.found = found
        self._question = Statement(question)
        self._all = [Ground(hit) for hit in found]

    def __getitem__(self, n: int) -> Ground:
        return self._all[n - 1]

    def __contains__(self, n: int) -> bool:
        return 1 <= n <= len(self._all)

    @cached_property
    def _figures(self) -> frozenset[str]:
        return self._question.figures.union(*(ground.statement.figures for ground in self._all))

    @cached_property
    def _known(self) -> frozenset[str]:
        return self._question.terms.union(*(ground.terms for ground in self._all))

    def carrying(self, statement: Statement, cited: Iterable[int]) -> list[int]:
        """Return the passages that a statement rests on: those it cites, else the best; none when there is none."""
        if not statement.numbers <= self._figures:
            return []
        valid = [n for n in cited if n in self]
        shared = {n: self[n].shares(statement) for n in valid}
        together = set().union(*shared.values())
        weight = self._weigh(statement)
        least = min(_SHARED, len(statement.terms))
        if valid and (not statement.terms or (len(together) >= least and len(together) >= _CITED * weight)):
            return [n for n in valid if shared[n] or not statement.terms]
        foreign = [n for n in valid if self[n].foreign(statement)]
        return foreign or self._best(statement, weight, least)

    def _best(self, statement: Statement, weight: float, least: int) -> list[int]:
        best, most = 0, 0
        for n, ground in enumerate(self._all, start=1):
            shared = len(ground.shares(statement))
            if shared > most and statement.numbers <= ground.statement.figures | self._question.figures:
                best, most = n, shared
        return [best] if best and most >= least and most >= _ALONE * weight else []

    def _weigh(self, statement: Statement) -> float:
        """Return how many words must be accounted for; names that are nowhere count twice."""
        return len(statement.terms) + sum(
            name not in self._known and name[:_BEGINNING] not in self._known for name in statement.names
        )
