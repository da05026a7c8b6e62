import io

import pandas as pd
import pyreadstat
import pytest
from openpyxl import Workbook, load_workbook

from harness.cohorts import read_cohort
from harness.errors import CohortError

WIDE = """
[cohort]
shape = "wide"
[columns.id]
role = "subject"
[columns.week]
role = "time"
[columns.madrs]
role = "outcome"
[wide.outcomes.madrs]
pre = 0
post = 2
"""


@pytest.fixture
def refusal(write):
    """Return the error's problems as sentences, for a table that must be refused."""

    def problems_of(rows, schema=None, name="trial.csv"):
        paths = write(rows=rows, name=name) if schema is None else write(rows=rows, schema=schema, name=name)
        with pytest.raises(CohortError) as caught:
            read_cohort(*paths)
        assert caught.value.where == str(paths[0])
        return [str(problem) for problem in caught.value.problems]

    return problems_of


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("30", "61", "line 2, column 'madrs': '61'; expected a number from 0 to 60."),
        ("30", "-1", "line 2, column 'madrs': '-1'; expected a number from 0 to 60."),
        ("30", "888", "line 2, column 'madrs': '888'; expected a number from 0 to 60."),
        ("30", "30.5", "line 2, column 'madrs': '30.5'; expected a whole number."),
        ("30", "32*", "line 2, column 'madrs': '32*'; expected a number."),
        ("30", "TRUE", "line 2, column 'madrs': 'TRUE'; expected a number."),
        ("30", "0x1e", "line 2, column 'madrs': '0x1e'; expected a number."),
        ("30", "3_0", "line 2, column 'madrs': '3_0'; expected a number."),
        ("30", "٣٠", "line 2, column 'madrs': '٣٠'; expected a number."),
        ("30", "inf", "line 2, column 'madrs': 'inf'; expected a number."),
        ("30", "2024-01-31", "line 2, column 'madrs': '2024-01-31'; expected a number."),
        ("30", "=cmd|' /C calc'!A0", """line 2, column 'madrs': "=cmd|' /C calc'!A0"; expected a number."""),
        ("30", "1e999", "line 2, column 'madrs': '1e999'; expected a number that a double can hold exactly."),
        ("30", "1e-999", "line 2, column 'madrs': '1e-999'; expected a number that a double can hold exactly."),
        (
            "0.5,four\n1,1.5",
            "9007199254740993,four\n1,1.5",
            "line 2, column 'dose': '9007199254740993'; expected a number that a double can hold exactly.",
        ),
        (
            "30",
            " 30",
            "line 2, column 'madrs': ' 30'; expected a number. Remove the spaces, or set strip = true under [file].",
        ),
        (
            "30",
            '"30,5"',
            (
                "line 2, column 'madrs': '30,5'; expected a number. "
                "Set decimal = ',' under [file] if it is the decimal sign."
            ),
        ),
        (
            "30",
            "NaN",
            (
                "line 2, column 'madrs': 'NaN'; expected a number. "
                "Declare missing = ['NaN'] if it stands for a missing value."
            ),
        ),
        ("1.5,22,0.5,four", "1.5,22,0.5,five", "line 3, column 'arm': 'five'; expected one of 'four', 'six'."),
        ("2,0,35", ",0,35", "line 4, column 'id': no subject; expected a subject in every row."),
        ("2,0,35", "2,,35", "line 4, column 'week': no time; expected a time in every row."),
        (
            "10,2,11",
            "10,0.0,11",
            (
                "line 7: the same subject and time as in line 6; expected each subject and time once. "
                "Remove one of the two; the harness does not choose."
            ),
        ),
        ("10,2,11,,four", "10,2,11,four", "line 7: 4 cells; expected 5, as in the header."),
        ("10,2,11,,four", "10,2,11,,four,1,2", "line 7: 7 cells; expected 5, as in the header."),
    ],
)
def test_a_cell_that_does_not_fit_is_named_with_its_place(refusal, rows_text, old, new, sentence):
    assert refusal(rows_text.replace(old, new, 1)) == [sentence]


def test_spaces_and_control_characters_are_no_part_of_a_label(refusal, rows_text):
    found = refusal(rows_text.replace("six", " six", 1).replace("10,0", '"1\n0",0'))
    assert len(found) == 2
    assert found[0].startswith("line 4, column 'arm': ' six'; expected a label without spaces around it")
    assert found[1].startswith("line 6, column 'id': '1\\n0'; expected a label without spaces around it")


def test_all_violations_are_reported_at_once_in_the_order_of_lines(refusal, rows_text):
    text = rows_text.replace("30,0.5,four", "99,half,five").replace("10,0,28", ",0,28").replace("10,2", "1,1.5")
    found = refusal(text)
    assert [sentence.split(";")[0] for sentence in found] == [
        "line 2, column 'madrs': '99'",
        "line 2, column 'dose': 'half'",
        "line 2, column 'arm': 'five'",
        "line 6, column 'id': no subject",
        "line 7: the same subject and time as in line 3",
    ]


def test_only_the_first_fifty_violations_are_listed_and_the_rest_counted(refusal):
    rows = "id,week,madrs,dose,arm\n" + "".join(f"{i},0,bad,1,four\n" for i in range(120))
    found = refusal(rows)
    assert len(found) == 51
    assert found[-1] == "70 more, which are not listed; expected no problem."


def test_messages_show_the_offending_cell_alone(refusal, rows_text):
    text = rows_text.replace("1,0,30,0.5,four", "Anna Meier,0,999,0.5,four") + "Anna Meier,0,3,,four\nBert,0,,,four\n"
    (*found,) = refusal(text)
    assert len(found) == 3
    assert "Anna" not in "".join(found)
    assert "Bert" not in "".join(found)


def test_a_long_cell_is_cut(refusal, rows_text):
    (found,) = refusal(rows_text.replace("30", "x" * 100_000, 1))
    assert "(cut)" in found
    assert len(found) < 120


def test_a_label_has_at_most_two_hundred_characters(refusal, rows_text):
    (found,) = refusal(rows_text.replace("2,0,35", "2" * 10_000 + ",0,35", 1).replace("2,1.5,-9,0.1,six\n", ""))
    assert found == "line 4, column 'id': a text of 10000 characters; expected a label of at most 200."


def test_a_subject_without_any_outcome_is_named_by_its_line(refusal, rows_text):
    (found,) = refusal(rows_text.replace("35", ""))
    assert found == (
        "line 4: a subject without any observed outcome; expected at least one value of madrs. "
        "Leave such subjects out, and report how many they were."
    )


def test_a_refused_score_is_not_taken_for_an_absent_one(refusal, rows_text):
    (found,) = refusal(rows_text.replace("35", "99"))
    assert found.startswith("line 4, column 'madrs': '99'")


def test_an_outcome_without_values_is_refused(refusal):
    (found,) = refusal("id,week,madrs,dose,arm\n1,0,,1,four\n1,1,-9,1,four\n")
    assert found == "column 'madrs': no value at all; expected an outcome with values."


def test_a_constant_outcome_is_refused(refusal):
    (found,) = refusal("id,week,madrs,dose,arm\n1,0,7,1,four\n1,1,7,1,four\n")
    assert found == "column 'madrs': the same value in every row; expected an outcome that varies."


def test_missing_columns_come_with_those_that_look_alike(refusal, rows_text):
    found = refusal(rows_text.replace("madrs", "MADRS ").replace("week", "weeks"))
    assert found == [
        (
            "column 'week': no such column; expected it in the header, because the schema names it. "
            "The header has 'weeks'."
        ),
        (
            "column 'madrs': no such column; expected it in the header, because the schema names it. "
            "The header has 'MADRS '."
        ),
    ]


def test_a_name_that_stands_twice_in_the_header_is_refused(refusal, rows_text):
    (found,) = refusal(rows_text.replace("dose", "madrs").replace("0.5", "5").replace("0.1", "1"))[:1]
    assert found.startswith("column 'dose': no such column")
    (found,) = refusal("id,week,madrs,madrs,arm,dose\n1,0,7,8,four,1\n")
    assert found == "line 1, column 'madrs': 2 columns of this name; expected one."


@pytest.mark.parametrize("text", ["", "\n", "\r\n\n"])
def test_an_empty_file_is_refused(refusal, text):
    assert refusal(text) == ["an empty file; expected a header and at least one row."]


def test_a_header_alone_is_refused(refusal):
    assert refusal("id,week,madrs,dose,arm\n") == ["a header without rows; expected at least one row."]


def test_a_wrong_delimiter_is_recognised(refusal, rows_text):
    assert refusal(rows_text.replace(",", ";")) == [
        (
            "line 1: one column only with the delimiter ',', but 4 ';'; expected at least 5 columns. "
            "Set delimiter = ';' under [file]."
        )
    ]


def test_a_wrong_encoding_is_named_by_byte_and_line(refusal, rows_text):
    raw = rows_text.replace("six", "fünf", 1).encode("latin-1")
    (found,) = refusal(raw)
    place = raw.index(b"\xfc")
    assert found == (
        f"line 4: byte 0xfc at position {place}; expected utf-8. "
        'Set encoding under [file], such as encoding = "cp1252" or "latin-1".'
    )


def test_the_byte_is_right_behind_a_byte_order_mark(refusal, rows_text):
    raw = b"\xef\xbb\xbf" + rows_text.replace("six", "fünf", 1).encode("latin-1")
    assert f"line 4: byte 0xfc at position {raw.index(0xFC)};" in refusal(raw)[0]


def test_utf_16_is_recognised(refusal, rows_text):
    (found,) = refusal(rows_text.encode("utf-16"))
    assert 'Set encoding = "utf-16"' in found


def test_binary_contents_are_refused(refusal):
    assert refusal(b"id,week\n1,\x00\n") == ["line 2: a NUL character; expected text. Is it a binary file, or UTF-16?"]


def test_a_quotation_that_does_not_end_is_refused(refusal, rows_text):
    (found,) = refusal(rows_text.replace("2,0,35", '"2,0,35'))
    assert found.startswith("line 4: ")


def test_an_endless_name_is_refused(refusal, rows_text):
    (found,) = refusal(rows_text.replace("dose", "d" * 1_000_000))
    assert "field larger than field limit" in found
    assert len(found) < 200


def test_a_column_named_like_code_is_only_a_name(refusal, rows_text, tmp_path):
    (found,) = refusal(rows_text.replace("dose", """I(system(''touch pwned''))"""))
    assert found.startswith("column 'dose': no such column")
    assert not list(tmp_path.glob("pwned"))


def test_a_file_that_is_not_there_is_refused(write, tmp_path):
    _, schema = write()
    for suffix in (".csv", ".parquet", ".xlsx", ".sav", ".dta", ".sas7bdat", ".xpt"):
        with pytest.raises(CohortError, match="No such file or directory; expected a file that can be read"):
            read_cohort(tmp_path / f"absent{suffix}", schema)


def test_a_folder_is_refused(write, tmp_path):
    _, schema = write()
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(CohortError, match="Is a directory"):
        read_cohort(tmp_path / "folder.csv", schema)


def test_an_unknown_suffix_is_refused(refusal, rows_text):
    (found,) = refusal(rows_text, name="trial.rds")
    assert found.startswith("suffix '.rds'; expected one of .csv, .tsv")


@pytest.mark.parametrize("suffix", [".parquet", ".xlsx", ".sav", ".dta", ".sas7bdat", ".xpt"])
@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not a workbook", b"PAR1 no PAR1", b"\xff" * 3000])
def test_a_damaged_file_is_refused(refusal, suffix, content):
    (found,) = refusal(content, name=f"trial{suffix}")
    assert "damaged" in found or "expected a file" in found


def test_truncated_files_are_refused(write, tmp_path):
    _, schema = write()
    frame = pd.DataFrame({"id": ["1", "2"], "week": [0.0, 1.0], "madrs": [1.0, 2.0], "dose": 1.0, "arm": "four"})
    frame.to_parquet(tmp_path / "whole.parquet")
    book = io.BytesIO()
    frame.to_excel(book, index=False)
    for suffix, whole in ((".parquet", (tmp_path / "whole.parquet").read_bytes()), (".xlsx", book.getvalue())):
        for share in (0.1, 0.5, 0.9):
            cut = tmp_path / f"cut{suffix}"
            cut.write_bytes(whole[: int(len(whole) * share)])
            with pytest.raises(CohortError):
                read_cohort(cut, schema)


def test_text_is_no_number_in_a_typed_table(write, tmp_path):
    _, schema = write()
    frame = pd.DataFrame({"id": ["1", "2"], "week": [0.0, 1.0], "madrs": ["1", "2*"], "dose": 1.0, "arm": "four"})
    frame.to_parquet(tmp_path / "text.parquet")
    with pytest.raises(CohortError) as caught:
        read_cohort(tmp_path / "text.parquet", schema)
    assert [str(problem) for problem in caught.value.problems] == [
        "line 2, column 'madrs': '1'; expected a number.",
        "line 3, column 'madrs': '2*'; expected a number.",
    ]


def test_dates_truth_values_and_infinities_are_no_numbers(write, tmp_path):
    _, schema = write()
    frame = pd.DataFrame(
        {
            "id": ["1", "2"],
            "week": pd.to_datetime(["2024-01-01", "2024-01-08"]),
            "madrs": [True, False],
            "dose": [1.0, float("inf")],
            "arm": "four",
        }
    )
    frame.to_parquet(tmp_path / "odd.parquet")
    with pytest.raises(CohortError) as caught:
        read_cohort(tmp_path / "odd.parquet", schema)
    found = [str(problem) for problem in caught.value.problems]
    assert (
        "line 2, column 'week': a date or time; expected a number. Convert it to days since the first visit." in found
    )
    assert "line 2, column 'madrs': True; expected a number. For yes and no, use role = \"factor\"." in found
    assert "line 3, column 'dose': inf; expected a finite number." in found
    assert len(found) == 5


def test_lists_in_cells_are_refused(write, tmp_path):
    frame = pd.DataFrame({"id": ["1"], "week": [0.0], "madrs": [[1, 2]], "dose": 1.0, "arm": "four"})
    frame.to_parquet(tmp_path / "lists.parquet")
    with pytest.raises(CohortError, match="column 'madrs': lists or structures; expected plain cells"):
        read_cohort(tmp_path / "lists.parquet", write()[1])


def test_tables_without_rows_are_refused_in_every_format(write, tmp_path):
    _, schema = write()
    frame = pd.DataFrame({"id": [""], "week": [0.0], "madrs": [1.0], "dose": 1.0, "arm": "four"})[:0]
    frame.to_parquet(tmp_path / "none.parquet")
    frame.to_excel(tmp_path / "none.xlsx", index=False)
    pyreadstat.write_dta(frame, tmp_path / "none.dta")
    for suffix in (".parquet", ".xlsx", ".dta"):
        with pytest.raises(CohortError, match="a header without rows"):
            read_cohort(tmp_path / f"none{suffix}", schema)


def test_one_of_several_sheets_must_be_named(write, tmp_path, schema_text):
    book = Workbook()
    book.create_sheet("Visits")
    book.save(tmp_path / "two.xlsx")
    with pytest.raises(CohortError, match=r"2 sheets; expected one of the sheets 'Sheet', 'Visits'\. Set sheet"):
        read_cohort(tmp_path / "two.xlsx", write()[1])
    schema = write(schema=schema_text + '\n[file]\nsheet = "Week 1"\n')[1]
    with pytest.raises(CohortError, match="no sheet 'Week 1'"):
        read_cohort(tmp_path / "two.xlsx", schema)


def test_a_formula_without_a_stored_value_is_not_a_missing_value(write, tmp_path):
    frame = pd.DataFrame({"id": ["1", "2"], "week": [0, 1], "madrs": [1, 2], "dose": [1, 1], "arm": "four"})
    frame.to_excel(tmp_path / "formula.xlsx", index=False)
    book = load_workbook(tmp_path / "formula.xlsx")
    book.active["C3"] = "=C2+1"
    book.save(tmp_path / "formula.xlsx")
    with pytest.raises(CohortError, match="line 3, column 'madrs': a formula without a stored value; expected a value"):
        read_cohort(tmp_path / "formula.xlsx", write()[1])


def test_a_subject_has_one_row_in_a_wide_table(refusal):
    assert refusal("id,pre,post\n7,1,2\n8,3,4\n7,5,6\n,7,8\n", WIDE) == [
        (
            "line 4: the same subject as in line 2; expected each subject once. "
            "Remove one of the two; the harness does not choose."
        ),
        "line 5, column 'id': no subject; expected a subject in every row.",
    ]


def test_a_cell_of_a_wide_table_is_named_by_its_own_column(refusal):
    assert refusal("id,pre,post\n7,1,2\n8,3,four\n", WIDE) == ["line 3, column 'post': 'four'; expected a number."]


def test_a_subject_without_outcome_in_a_wide_table_is_named_by_its_line(refusal):
    (found,) = refusal("id,pre,post\n7,1,2\n8,,\n", WIDE)
    assert found.startswith("line 3: a subject without any observed outcome")


def test_two_rows_of_the_same_visit_are_refused(refusal, rows_text, schema_text):
    schema = schema_text + '\n[columns.visit]\nrole = "visit"\n'
    visits = ("visit", "pre", "post", "pre", "post", "pre", "pre")
    text = "\n".join(f"{line},{visit}" for line, visit in zip(rows_text.splitlines(), visits, strict=True))
    (found,) = refusal(text, schema)
    assert found.startswith("line 7: the same subject and visit as in line 6")
