"""Who may see what. The only place where an audience is made."""

from bot.chat import Person, Place
from knowledge import Audience

LOCAL = "local"
EVERYONE = "everyone"


def audience(place: Place, person: Person) -> Audience:
    """Return what everyone may see who can read a reply to this person in this place.

    In a channel that is the channel's own material and what is open to all; asked for in person, the person's own. What was
    taught at the terminal stays at the terminal unless it was shared wider.
    """
    if place.id != LOCAL:
        return Audience(frozenset({place.id, EVERYONE}))
    if person.id != LOCAL:
        return Audience(frozenset({f"person:{person.id}", EVERYONE}))
    return Audience(frozenset({LOCAL, EVERYONE}))
