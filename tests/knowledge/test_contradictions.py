"""What contradicts what stands elsewhere is found where it is plain, and hardly anything else is called a contradiction."""

import pytest

from knowledge.contradictions import comparable, contradict

CONTRADICT = [
    ("Employees have 25 days of leave a year.", "Employees have 30 days of leave a year."),
    ("Employees have 25 days of leave a year.", "Employees have 30 days of leave a year, as of today."),
    ("The canteen opens at 12:30.", "The canteen opens at 11:30."),
    ("Hotels are paid up to 120 euros a night.", "Hotels are paid up to 150 euros a night."),
    ("The fee is €20 a month.", "The fee is €25 a month."),
    ("Overtime is paid at 25%.", "Overtime is paid at 50%."),
    ("The daily allowance is 2000 euros.", "The daily allowance is 2500 euros."),
    ("Passwords must have at least 12 characters.", "Passwords must have at least 16 characters."),
    ("Dogs are allowed in the office.", "Dogs are not allowed in the office."),
    ("Smoking is allowed on the terrace.", "Smoking isn’t allowed on the terrace."),
    ("Visitors may park in the yard.", "Visitors may never park in the yard."),
    ("The notice period is three months.", "The notice period is 6 months."),
    ("Backups are kept for 90 days.", "Backups are kept for 30 days."),
    ("Invoices are paid within 14 days of receipt.", "Invoices are paid within 30 days of receipt."),
    ("The deadline for claims is 3 May 2025.", "The deadline for claims is 10 May 2025."),
    ("The meeting starts at 9:00 every Monday.", "The meeting starts at 10:00 every Monday."),
    ("A trip needs the approval of two managers.", "A trip needs the approval of one manager."),
    ("The server is restarted every 24 hours.", "The server is restarted every 12 hours."),
]
AGREE = [
    # another subject, or a part of it
    ("Employees have 25 days of leave a year.", "Trainees have 30 days of leave a year."),
    ("Part-time employees have 15 days of leave a year.", "Employees have 30 days of leave a year."),
    ("The office in Berlin has 40 desks.", "The office in Munich has 50 desks."),
    ("The canteen opens at 12:30.", "The library opens at 9:00."),
    (
        "The long class for beginners in the gym is at 9:00 on Monday.",
        "The long class for beginners in the gym is at 8:00 on Friday.",
    ),
    # another unit, comparison, or way of writing
    ("A bag may weigh 23 kg.", "A bag may weigh 50 pounds."),
    ("The fee is 20 euros a month.", "The fee is 240 euros a year."),
    ("At least 12 characters are needed.", "At most 64 characters are needed."),
    ("The lamp weighs 1,000 grams.", "The lamp weighs 1000 grams."),
    ("The notice period is three months.", "The notice period is 3 months."),
    ("The canteen opens at 09:30.", "The canteen opens at 9.30."),
    # another year, or row of a table
    ("Revenue reaches 5 million in 2023.", "Revenue reaches 6 million in 2024."),
    ("Sales in 2023 reach 5 million.", "Sales in 2024 reach 5 million."),
    ("2023 sales reach 5 million euros.", "2024 sales reach 5 million euros."),
    # a name, not a measure
    ("The lamp of hall 3 is switched by panel 3.", "The lamp of hall 4 is switched by panel 4."),
    ("See chapter 3 for the travel policy.", "See chapter 4 for the travel policy."),
    ("Use form L 7 for leave.", "Use form L 8 for leave."),
    ("Room 12 has a projector.", "Room 14 has a projector."),
    ("Version 2 is released in May.", "Version 3 is released in May."),
    ("Windows 11 is supported on laptops.", "Windows 10 is supported on laptops."),
    ("It needs libpng-1.2.5 to be installed.", "It needs libpng-1.0.6 to be installed."),
    ("Python 3.11.2 is needed to run it.", "Python 3.11.4 is needed to run it."),
    # no negation of the same
    ("It is not allowed to smoke.", "It is not allowed to smoke indoors."),
    ("Members may not only read but write.", "Members may read but write."),
    ("Form no. 5 applies to leave.", "Form 5 applies to leave."),
    ("Nobody may enter the vault alone.", "Nobody may enter the vault alone."),
    ("The office has 3 floors and 40 desks.", "The office has 4 floors and 52 desks."),
]


@pytest.mark.parametrize(("one", "other"), CONTRADICT)
def test_nearly_the_same_with_another_value_is_a_contradiction(one: str, other: str) -> None:
    assert contradict(one, other)
    assert contradict(other, one)


@pytest.mark.parametrize(("one", "other"), AGREE)
def test_another_subject_label_or_unit_is_none(one: str, other: str) -> None:
    assert not contradict(one, other)
    assert not contradict(other, one)


def test_only_what_states_a_value_now_is_compared() -> None:
    text = (
        "# Leave\n\nLeave is nice.\n3) Employees have 25 days of it.\nDid nobody sell it?\nThe house was built in 1920.\n"
        "Berlin | 25 days | 3\n" + "long " * 100 + "7."
    )
    assert comparable(text) == ["Employees have 25 days of it."]
