"""Sheets give groups of rows with their header, and numbers as people see them."""

import io
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from knowledge.extract.sheets import delimiter
from tests.knowledge.extract.samples import block_of, blocks, holds_together, read


def saved(workbook: Workbook) -> bytes:
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def people(rows: int) -> Workbook:
    workbook = Workbook()
    sheet = workbook.worksheets[0]
    sheet.title = "People"
    sheet.append(["Name", "Town"])
    for number in range(rows):
        sheet.append([f"Person with number {number}", f"Town of the number {number}"])
    return workbook


def test_rows_come_in_groups_that_say_which_rows_they_are() -> None:
    extracted = read(saved(people(40)))
    paths = [block.path for block in extracted.blocks]
    assert paths[0][0] == "People"
    assert paths[0][1].startswith("rows 1–")
    assert paths[-1][1].endswith("–41")
    assert holds_together(extracted)


def test_every_group_is_led_by_the_header_row() -> None:
    extracted = read(saved(people(40)))
    assert len(extracted.blocks) > 2
    assert all(table.startswith("Name | Town\n") for table in blocks(extracted))
    assert {block.repeat for block in extracted.blocks} == {"Name | Town"}


def test_sheets_stand_under_their_names() -> None:
    workbook = people(1)
    workbook.create_sheet("Towns").append(["Only one cell"])
    assert block_of(read(saved(workbook)), "Only one cell").path == ("Towns", "row 1")


@pytest.mark.parametrize(
    ("value", "style", "shown"),
    [
        (1599.99, "#,##0.00", "1,599.99"),
        (-1599.99, '"$"#,##0.00_);("$"#,##0.00)', "($1,599.99)"),
        (0.025, "0.00%", "2.50%"),
        (2.5, "# ?/?", "2 1/2"),
        (0.1 + 0.2, "General", "0.3"),
        (123456789012345, "General", "123456789012345"),
        (datetime(2024, 1, 31), "yyyy-mm-dd", "2024-01-31"),  # noqa: DTZ001 - a sheet's times have no zone
        (datetime(2024, 1, 31, 9, 30), "d/m/yy h:mm", "2024-01-31 09:30"),  # noqa: DTZ001 - the same
        (7, "[$€-407] #,##0.00", "€7.00"),
        (3, "000", "3"),
        (True, "General", "TRUE"),
    ],
)
def test_numbers_are_shown_as_their_format_says(value: float | datetime, style: str, shown: str) -> None:
    workbook = Workbook()
    cell = workbook.worksheets[0].cell(1, 1)
    cell.value = value
    cell.number_format = style
    assert read(saved(workbook)).text == shown


def test_empty_rows_and_columns_between_are_kept_apart() -> None:
    workbook = Workbook()
    workbook.worksheets[0]["C5"] = "far"
    workbook.worksheets[0]["A5"] = "near"
    extracted = read(saved(workbook))
    assert extracted.text == "near | | far"
    assert extracted.blocks[0].path == ("Sheet", "row 5")


@pytest.mark.parametrize(
    ("text", "mark"), [("a;b\nc;d,e", ";"), ("a\tb\nc\td", "\t"), ("a,b\nc,d", ","), ("a|b|c\n1|2|3", "|")]
)
def test_the_separator_is_found(text: str, mark: str) -> None:
    assert delimiter(text) == mark


def test_csv_has_rows_quotes_and_a_header() -> None:
    extracted = read(b'name;note\nAda;"first; and\nforemost"\nAlan;second', "people.csv")
    assert extracted.kind == "csv"
    assert extracted.text == "name | note\nAda | first; and foremost\nAlan | second"


@given(
    st.lists(
        st.lists(st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=12), min_size=1, max_size=4),
        min_size=1,
        max_size=30,
    )
)
def test_blocks_hold_together_for_any_table(rows: list[list[str]]) -> None:
    text = "a,b\n" + "\n".join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows)
    assert holds_together(read(text.encode("utf-8", "replace"), "x.csv"))
