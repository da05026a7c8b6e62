import numpy as np
import pandas as pd
import pyreadstat
import pytest
from openpyxl import Workbook, load_workbook

from harness.cohorts import read_cohort, read_schema

IDS = ["1", "1", "2", "2", "10", "10"]
WEEKS = [0.0, 1.5, 0.0, 1.5, 0.0, 2.0]
MADRS = [30.0, 22.0, 35.0, np.nan, 28.0, 11.0]
DOSES = [0.5, 0.5, 0.1, 0.1, np.nan, np.nan]
ARMS = ["four", "four", "six", "six", "four", "four"]
WIDE = """
[cohort]
name = "trial"
shape = "wide"

[columns.id]
role = "subject"

[columns.week]
role = "time"
unit = "weeks"

[columns.madrs]
role = "outcome"
unit = "points"
integer = true
missing = [-9]

[columns.arm]
role = "factor"

[wide.outcomes.madrs]
"madrs.pre" = 0
"madrs.post" = 1.5
"""


def typed_frame():
    return pd.DataFrame({"id": IDS, "week": WEEKS, "madrs": MADRS, "dose": DOSES, "arm": ARMS})


def write_workbook(frame, path, sheets=("Sheet",)):
    book = Workbook()
    book.active.title = sheets[0]
    for sheet in sheets[1:]:
        book.create_sheet(sheet)
    page = book[sheets[-1]]
    page.append(list(frame.columns))
    for row in frame.itertuples(index=False):
        page.append([None if pd.isna(cell) else cell for cell in row])
    book.save(path)


def test_a_csv_file_gives_its_values_exactly(write):
    cohort = read_cohort(*write())
    np.testing.assert_array_equal(cohort.numeric["madrs"], MADRS)
    np.testing.assert_array_equal(cohort.numeric["dose"], DOSES)
    assert (cohort.name, cohort.subject, cohort.time) == ("trial", "id", "week")
    assert cohort.subjects.levels == ("1", "2", "10")
    assert [cohort.factors["arm"].levels[code] for code in cohort.factors["arm"].codes] == ARMS
    assert cohort.units == {"week": "weeks", "madrs": "points", "dose": "mg/kg"}


def test_the_arrays_of_a_cohort_are_read_only(write):
    cohort = read_cohort(*write())
    for array in (*cohort.numeric.values(), *(factor.codes for factor in cohort.factors.values())):
        assert not array.flags.writeable


@pytest.mark.parametrize("suffix", [".tsv", ".tab", ".parquet", ".xlsx", ".sav", ".dta", ".xpt"])
def test_every_format_gives_the_same_cohort(write, tmp_path, suffix):
    table, schema = write()
    frame, path = typed_frame(), tmp_path / f"trial{suffix}"
    writers = {
        ".tsv": lambda: frame.to_csv(path, sep="\t", index=False),
        ".tab": lambda: frame.to_csv(path, sep="\t", index=False),
        ".parquet": lambda: frame.to_parquet(path),
        ".xlsx": lambda: write_workbook(frame, path),
        ".sav": lambda: pyreadstat.write_sav(frame, path),
        ".dta": lambda: pyreadstat.write_dta(frame, path),
        ".xpt": lambda: pyreadstat.write_xport(frame, path),
    }
    writers[suffix]()
    assert read_cohort(path, schema).sha256 == read_cohort(table, schema).sha256


@pytest.mark.parametrize("suffix", [".parquet", ".xlsx", ".sav", ".dta", ".xpt"])
def test_ids_stored_as_numbers_are_the_labels_they_print_as(write, tmp_path, suffix):
    table, schema = write()
    frame, path = typed_frame().astype({"id": np.int64}), tmp_path / f"trial{suffix}"
    writers = {
        ".parquet": lambda: frame.to_parquet(path),
        ".xlsx": lambda: write_workbook(frame, path),
        ".sav": lambda: pyreadstat.write_sav(frame, path),
        ".dta": lambda: pyreadstat.write_dta(frame, path),
        ".xpt": lambda: pyreadstat.write_xport(frame, path),
    }
    writers[suffix]()
    assert read_cohort(path, schema).sha256 == read_cohort(table, schema).sha256


def test_ids_beyond_the_exact_doubles_stay_distinct(write, tmp_path):
    ids = [2**53, 2**53 + 1, 2**53 + 1]
    frame = pd.DataFrame({"id": ids, "week": [0.0, 0.0, 1.0], "madrs": [1, 2, 3], "dose": 0.5, "arm": "four"})
    frame.to_parquet(tmp_path / "big.parquet")
    cohort = read_cohort(tmp_path / "big.parquet", write()[1])
    assert cohort.subjects.levels == ("9007199254740992", "9007199254740993")


def test_value_labels_of_an_spss_file_become_levels(write, tmp_path):
    table, schema = write()
    frame = typed_frame().assign(arm=[1.0 if arm == "four" else 2.0 for arm in ARMS])
    path = tmp_path / "trial.sav"
    pyreadstat.write_sav(frame, path, variable_value_labels={"arm": {1: "four", 2: "six"}})
    assert read_cohort(path, schema).sha256 == read_cohort(table, schema).sha256


def test_a_missing_code_is_missing_whatever_its_value_label(write, tmp_path, schema_text):
    schema = schema_text.replace('levels = ["four", "six"]', 'levels = ["four", "six"]\nmissing = [-9]')
    arms = [1.0, 2.0, 1.0, 2.0, -9.0, -9.0]
    path = tmp_path / "trial.sav"
    pyreadstat.write_sav(
        typed_frame().assign(arm=arms), path, variable_value_labels={"arm": {1: "four", 2: "six", -9: "refused"}}
    )
    arm = read_cohort(path, write(schema=schema)[1]).factors["arm"]
    assert arm.codes.tolist() == [0, 1, 0, 1, -1, -1]


def test_missing_values_that_an_spss_file_declares_are_missing(write, tmp_path):
    table, schema = write()
    path = tmp_path / "trial.sav"
    pyreadstat.write_sav(typed_frame().fillna({"dose": 99.0}), path, missing_ranges={"dose": [99]})
    assert read_cohort(path, schema).sha256 == read_cohort(table, schema).sha256


def test_the_sheet_of_a_workbook_is_chosen_by_name(write, tmp_path, schema_text):
    path = tmp_path / "trial.xlsx"
    write_workbook(typed_frame(), path, sheets=("Notes", "Visits"))
    table, schema = write(schema=schema_text + '\n[file]\nsheet = "Visits"\n')
    assert read_cohort(path, schema).sha256 == read_cohort(table, schema).sha256


def test_empty_rows_of_a_workbook_are_skipped(write, tmp_path):
    table, schema = write()
    path = tmp_path / "trial.xlsx"
    write_workbook(typed_frame(), path)
    book = load_workbook(path)
    book.active.insert_rows(4)
    book.save(path)
    assert read_cohort(path, schema).sha256 == read_cohort(table, schema).sha256


def test_a_csv_as_continental_spreadsheets_write_it(write, tmp_path, rows_text, schema_text):
    options = '\n[file]\ndelimiter = ";"\ndecimal = ","\nencoding = "cp1252"\n'
    text = rows_text.replace(",", ";").replace(".", ",").replace("four", "vört")
    renamed = schema_text.replace("four", "vört")
    (tmp_path / "own.csv").write_bytes(text.encode("cp1252"))
    (tmp_path / "own.toml").write_text(renamed + options, encoding="utf-8")
    plain = write(rows=rows_text.replace("four", "vört"), schema=renamed)
    assert read_cohort(tmp_path / "own.csv", tmp_path / "own.toml").sha256 == read_cohort(*plain).sha256


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text + "\n\n",
        lambda text: text.removesuffix("\n"),
        lambda text: text.replace("four", '"four"'),
        lambda text: text.replace("-9", "not done"),
        lambda text: text.replace("-9", ""),
        lambda text: text.replace("-9", "-9.0"),
        lambda text: text.replace("30", "3e1"),
        lambda text: text.replace("1,0,", "1,-0.0,"),
    ],
    ids=["mark", "crlf", "blank lines", "no last newline", "quotes", "code", "blank", "float code", "exponent", "-0"],
)
def test_what_does_not_matter_in_a_csv_does_not_matter(write, rows_text, change):
    expected = read_cohort(*write()).sha256
    assert read_cohort(*write(rows=change(rows_text))).sha256 == expected


def test_spaces_are_removed_where_the_schema_says_so(write, rows_text, schema_text):
    expected = read_cohort(*write()).sha256
    spaced = write(rows=rows_text.replace(",", " , "), schema=schema_text + "\n[file]\nstrip = true\n")
    assert read_cohort(*spaced).sha256 == expected


def test_order_of_rows_and_columns_does_not_change_the_hash(write, rows_text):
    expected = read_cohort(*write()).sha256
    header, *rows = (line.split(",") for line in rows_text.splitlines())
    shuffled = [[row[place] for place in (3, 0, 4, 2, 1)] for row in [header, *reversed(rows)]]
    text = "\n".join(",".join(row) for row in shuffled)
    assert read_cohort(*write(rows=text)).sha256 == expected


def test_any_changed_value_changes_the_hash(write, rows_text):
    seen = {read_cohort(*write()).sha256}
    for old, new in (("22", "23"), ("0.5,four\n1,1.5", "0.25,four\n1,1.5"), ("six\n2,1.5", "four\n2,1.5"), ("-9", "9")):
        seen.add(read_cohort(*write(rows=rows_text.replace(old, new, 1))).sha256)
    assert len(seen) == 5


def test_columns_that_the_schema_does_not_name_are_not_read(write, rows_text):
    expected = read_cohort(*write()).sha256
    extra = "\n".join(f"{line},%\x07 free text" for line in rows_text.splitlines())
    assert read_cohort(*write(rows=extra)).sha256 == expected


def test_a_column_can_have_another_name_in_the_file(write, rows_text, schema_text):
    expected = read_cohort(*write()).sha256
    renamed = rows_text.replace("madrs", 'I(system("touch pwned"))'.replace('"', '""').join('""'))
    schema = schema_text.replace('role = "outcome"', """role = "outcome"\nsource = 'I(system("touch pwned"))'""")
    assert read_cohort(*write(rows=renamed, schema=schema)).sha256 == expected


def test_a_wide_table_gives_the_cohort_of_the_long_one(write, schema_text):
    wide = "arm,madrs.post,id,madrs.pre\nfour,22,1,30\nsix,-9,2,35\nfour,11,10,\n"
    long = "id,week,madrs,arm\n1,0,30,four\n1,1.5,22,four\n2,0,35,six\n2,1.5,,six\n10,0,,four\n10,1.5,11,four\n"
    from_wide = read_cohort(*write(rows=wide, schema=WIDE))
    rules = schema_text.replace('[columns.dose]\nrole = "covariate"\nunit = "mg/kg"\n', "")
    assert from_wide.sha256 == read_cohort(*write(rows=long, schema=rules)).sha256
    assert from_wide.n_rows == 6
    assert from_wide.numeric["week"].tolist() == [0, 1.5] * 3


def test_a_wide_table_can_repeat_a_covariate_at_some_times_only(write):
    schema = WIDE + '"madrs.end" = 4\n\n[columns.pulse]\nrole = "covariate"\n\n[wide.outcomes.pulse]\np0 = 0\np4 = 4\n'
    rows = "id,arm,madrs.pre,madrs.post,madrs.end,p0,p4\n1,four,30,20,10,60,64\n2,six,31,21,11,70,74\n"
    cohort = read_cohort(*write(rows=rows, schema=schema))
    np.testing.assert_array_equal(cohort.numeric["pulse"], [60, np.nan, 64, 70, np.nan, 74])
    assert cohort.numeric["madrs"].tolist() == [30, 20, 10, 31, 21, 11]


def test_a_schema_can_be_given_as_a_value_or_a_path(write):
    table, path = write()
    assert read_cohort(str(table), read_schema(path)).sha256 == read_cohort(table, str(path)).sha256


def test_levels_without_a_declared_order_are_sorted_numbers_as_numbers(write, rows_text, schema_text):
    schema = schema_text.replace('levels = ["four", "six"]', "")
    by_text = read_cohort(*write(schema=schema))
    by_number = read_cohort(*write(rows=rows_text.replace("six", "4").replace("four", "10"), schema=schema))
    assert by_text.factors["arm"].levels == ("four", "six")
    assert by_number.factors["arm"].levels == ("4", "10")
