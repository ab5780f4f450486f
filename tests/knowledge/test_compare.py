"""What contradicts what already stands there is found where it is plain, and nothing else is called a contradiction."""

import pytest

from knowledge.compare import comparable, contradict

CONTRADICT = [
    ("Employees have 25 days of leave a year.", "Employees have 30 days of leave a year."),
    ("The canteen opens at 12:30.", "The canteen opens at 11:30."),
    ("Hotels are paid up to 120 euros a night.", "Hotels are paid up to 150 euros a night."),
    ("Passwords must have at least 12 characters.", "Passwords must have at least 16 characters."),
    ("Dogs are allowed in the office.", "Dogs are not allowed in the office."),
    ("The notice period is three months.", "The notice period is six months."),
    ("Backups are kept for 90 days.", "Backups are kept for 30 days."),
    ("Invoices are paid within 14 days of receipt.", "Invoices are paid within 30 days of receipt."),
    ("Visitors may park in the yard.", "Visitors may never park in the yard."),
    ("The meeting starts at 9:00 every Monday.", "The meeting starts at 10:00 every Monday."),
    ("A trip needs the approval of two managers.", "A trip needs the approval of one manager."),
    ("The server is restarted every 24 hours.", "The server is restarted every 12 hours."),
]
AGREE = [
    ("Employees have 25 days of leave a year.", "Employees have 25 days of leave a year, as of today."),
    ("Employees have 25 days of leave a year.", "Trainees have 30 days of leave a year."),
    ("The lamp of hall 3 is switched by panel 3.", "The lamp of hall 4 is switched by panel 4."),
    ("Revenue was 5 million in 2023.", "Revenue was 6 million in 2024."),
    ("See chapter 3 for the travel policy.", "See chapter 4 for the travel policy."),
    ("The canteen opens at 12:30.", "The library opens at 9:00."),
    ("The fee is 20 euros a month.", "The fee is 240 euros a year."),
    ("The house was built in 1920.", "The house was rebuilt in 1950 after the fire."),
    ("Use form L 7 for leave.", "Use form L 8 for leave."),
    ("Room 12 has a projector.", "Room 14 has a projector."),
    ("It is not allowed to smoke.", "It is not allowed to smoke indoors."),
    ("Version 2 was released in May.", "Version 3 was released in May."),
    ("The office has 3 floors and 40 rooms.", "The office has 4 floors and 52 rooms."),
    ("Nobody may enter the vault alone.", "Nobody may enter the vault alone."),
]


@pytest.mark.parametrize(("one", "other"), CONTRADICT)
def test_nearly_the_same_with_another_value_is_a_contradiction(one: str, other: str) -> None:
    assert contradict(one, other)
    assert contradict(other, one)


@pytest.mark.parametrize(("one", "other"), AGREE)
def test_another_subject_label_or_unit_is_none(one: str, other: str) -> None:
    assert not contradict(one, other)
    assert not contradict(other, one)


def test_only_what_states_a_value_is_compared() -> None:
    text = "# Leave\n\nLeave is nice. Employees have 25 days of it.\nNobody may\nsell it. " + "long " * 100 + "7."
    assert comparable(text) == ["Employees have 25 days of it."]
