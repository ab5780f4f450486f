"""Who may see what."""

from bot.access import audience
from bot.chat import Person, Place


def test_at_the_terminal_the_owner_sees_what_was_taught_there_and_what_is_open_to_all() -> None:
    assert audience(Place("local"), Person("local")).scopes == {"local", "everyone"}


def test_in_a_channel_only_the_channels_own_material_and_what_is_open_to_all_is_seen_whoever_asks() -> None:
    for person in (Person("local"), Person("ada")):
        assert audience(Place("slack:T1:C9"), person).scopes == {"slack:T1:C9", "everyone"}


def test_a_person_asking_in_private_sees_their_own_and_what_is_open_to_all() -> None:
    assert audience(Place("local"), Person("ada")).scopes == {"person:ada", "everyone"}
