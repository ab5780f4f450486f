"""What is found for a question: for all who will read the answer, and whether its asker alone could be told more."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field

from bot.answering.support import support
from bot.record.said import Candidate, Fate
from knowledge import Audience, Found, Knowledge, Reason, Results

_BETTER = 0.1  # of probability: by so much a private passage must be better to be worth an offer
_WORTH_TELLING = 0.2  # the least probability of a passage to speak of it at all


@dataclass(frozen=True, slots=True)
class Findings:
    """Passages that every reader may see, best first; how likely they hold the answer; and what was left out and why.

    `more` says that the asker alone may see something better; nobody else may learn that.
    """

    results: Results = field(default_factory=Results)
    support: float = 0.0
    more: bool = False

    @property
    def found(self) -> tuple[Found, ...]:
        return self.results.found

    def candidates(self, fates: dict[str, Fate]) -> tuple[Candidate, ...]:
        """Return everything that was considered, best first, with what became of it; the default is to be ranked lower."""
        found = [
            Candidate(p.id, p.document_id, one.score, one.dense, one.lexical, one.prior, fates.get(p.id, Fate.LOWER))
            for one in self.results.found
            if (p := one.passage)
        ]
        left = [
            Candidate(o.passage_id, o.document_id, o.score, o.dense, o.lexical, o.prior, _FATES[o.reason])
            for o in self.results.left_out
        ]
        return (*found, *left)


_FATES = {Reason.REPEATS: Fate.REPEATS, Reason.RANKED_LOWER: Fate.LOWER}


Sight = tuple[Audience, Audience]
"""What all readers of a reply may see, and what its asker may see alone."""


class Look:
    """Searches with what may be seen at that moment; the search ends with a look at the live rows of what it found."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge

    async def at(self, query: str, sight: Awaitable[Sight]) -> Findings:
        """Search for all readers of a reply, and in the same way for the asker alone."""
        question = self._knowledge.retrieval.question(query)
        (audience, alone), _ = await asyncio.gather(sight, question.vector())
        if alone.scopes <= audience.scopes:  # a private chat, or nothing that is not said here anyway
            results = await self._knowledge.retrieval.search(question, audience=audience)
            return Findings(results, support(query, results))
        results, private = await self._knowledge.retrieval.search_both(question, audience=audience, private=alone)
        return Findings(results, support(query, results), more=_better(results, private))


def _better(shared: Results, private: Results) -> bool:
    """Tell whether the best that is private is better than the best that is not (pure)."""
    known = {one.passage.id for one in shared.found}
    best = max((one.score for one in shared.found), default=0.0)
    own = max((one.score for one in private.found if one.passage.id not in known), default=0.0)
    return own >= max(best + _BETTER, _WORTH_TELLING)
