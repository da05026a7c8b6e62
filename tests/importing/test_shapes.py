"""One cohort, whatever the shape of its file, the order of its rows and the labels of its subjects."""

import csv
import pickle
from functools import cache

import numpy as np
import pytest

from harness.cohorts import fixture_cohort, to_frame
from harness.importing import import_table, read_mapping, write_long, write_redcap, write_wide
from harness.importing.simulated_clinic import clinic_texts, simulated_clinic, write_clinic
from harness.locations import fixtures_folder

FOLDER = fixtures_folder() / "imports"
FILES = {
    "redcap": ("clinic_redcap.csv", "clinic_redcap.toml", None),
    "wide": ("clinic_wide.csv", "clinic_wide.toml", None),
    "two files": ("clinic_madrs.csv", "clinic_two_files.toml", "clinic_gad7.csv"),
}


@cache
def imported(shape, keys=None):
    data, mapping, second = FILES[shape]
    return import_table(FOLDER / data, FOLDER / mapping, companion=second and FOLDER / second, keys=keys)


def values(frame, columns):
    """Return rows of values without labels of subjects, in an order of their own."""
    return sorted(map(str, frame[columns].astype(object).to_numpy().tolist()))


def test_the_fixtures_are_what_their_recipe_writes(tmp_path):
    write_clinic(tmp_path)
    for name in clinic_texts():
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes()


@pytest.mark.parametrize("shape", FILES)
def test_every_shape_gives_the_cohort_that_was_simulated(shape):
    columns = ["protocol", "visit", "day", "madrs", "gad7", "age", "sex", "start_year"]
    truth = simulated_clinic().astype({"day": float, "age": float, "start_year": float})
    found = imported(shape)
    assert values(found.table.astype({"sex": str, "protocol": str, "visit": str}), columns) == values(truth, columns)
    assert found.cohort.n_subjects == truth["subject"].nunique() == 24
    assert found.cohort.sha256 == imported("redcap").cohort.sha256


def test_a_shipped_cohort_is_read_as_its_own_schema_reads_it():
    columns = ["protocol", "visit", "day", "week", "infusion", "madrs", "gad7", "age", "sex", "start_year"]
    found = import_table(fixtures_folder() / "cohorts" / "ketamine_real.csv", FOLDER / "ketamine_real.toml").cohort
    known = fixture_cohort("ketamine_real")
    assert values(to_frame(found), columns) == values(to_frame(known), columns)
    assert {name: known.units[name] for name in ("madrs", "gad7", "week", "age")}.items() <= found.units.items()


@pytest.mark.parametrize("shape", ["redcap", "wide"])
def test_a_cohort_survives_long_wide_redcap_and_long_again(shape, tmp_path):
    first = imported(shape)
    found, path = first, tmp_path / "again.csv"
    for write in (write_long, write_wide, write_redcap, write_long):
        found = import_table(path, write(found, path))
        assert found.cohort.sha256 == first.cohort.sha256
        assert found.items.keys() == first.items.keys()
        assert all(found.items[scale].equals(items) for scale, items in first.items.items())
    assert path.read_text().count("\n") == first.cohort.n_rows + 1


@pytest.mark.parametrize("seed", range(3))
def test_shuffled_rows_and_new_labels_leave_the_cohort_unchanged(seed, tmp_path):
    with (FOLDER / "clinic_redcap.csv").open(encoding="utf-8", newline="") as stream:
        header, *rows = csv.reader(stream)
    rng = np.random.default_rng(seed)
    rows = [rows[place] for place in rng.permutation(len(rows))]
    labels = sorted({row[0] for row in rows})
    renamed = dict(zip(labels, rng.permutation(10**4)[: len(labels)].tolist(), strict=True))
    with (tmp_path / "shuffled.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([header, *([renamed[row[0]], *row[1:]] for row in rows)])
    found = import_table(tmp_path / "shuffled.csv", FOLDER / "clinic_redcap.toml")
    assert found.cohort.sha256 == imported("redcap").cohort.sha256


@pytest.mark.parametrize("shape", FILES)
def test_nothing_that_was_imported_holds_a_label_a_date_or_a_note(shape):
    whole = pickle.dumps(imported(shape)) + repr(imported(shape)).encode()
    for piece in (b"MRN", b"70137", b"2019-", b"12.02.2019", b"02/12/2019", b"sister", b"555"):
        assert piece not in whole


def test_labels_are_written_only_to_a_file_that_is_asked_for_and_new(tmp_path):
    keys = tmp_path / "keys.csv"
    imported("wide")
    assert not list(tmp_path.iterdir())
    table = imported("wide", keys=keys).table
    with keys.open(encoding="utf-8", newline="") as stream:
        pairs = {row["original"]: row["subject"] for row in csv.DictReader(stream)}
    # The scores of every subject are those that stood in the simulation under its old label.
    for label, rows in simulated_clinic().groupby("subject"):
        own = table[table["subject"] == pairs[label]]
        assert own["madrs"].fillna(-1).tolist() == rows["madrs"].fillna(-1).tolist()
    imported.cache_clear()
    with pytest.raises(FileExistsError):
        imported("wide", keys=keys)


def test_a_label_says_nothing_about_severity_or_the_order_of_the_file():
    table = imported("wide").table
    first = table[table["visit"] == "inf1"]
    assert first["subject"].is_monotonic_increasing
    assert not first["madrs"].is_monotonic_increasing
    assert not first["start_year"].is_monotonic_increasing


def test_redcap_columns_that_are_not_read_are_listed():
    (columns,) = imported("redcap").columns
    assert columns.form_status == ("enrolment_complete", "madrs_complete", "gad7_complete")
    assert columns.checkboxes == ("diagnosis___1", "diagnosis___2")
    assert columns.others == ("redcap_data_access_group", "notes", "gad7_8_difficult")


def test_what_was_found_out_is_a_proposal_in_the_result():
    assert [(found.setting, found.value) for found in imported("wide").detected] == [
        ("encoding", "latin-1"),
        ("delimiter", ";"),
        ("date_format", "%d.%m.%Y"),
    ]
    second = [found for found in imported("two files").detected if found.evidence.startswith("second file: ")]
    assert [(found.setting, found.value) for found in second] == [
        ("encoding", "utf-8"),
        ("delimiter", ","),
        ("date_format", "%Y-%m-%dT%H:%M:%S"),
    ]


def test_empty_events_and_codes_of_missing_values_are_counted():
    hits = {check.rule: check.hits for check in imported("redcap").checks}
    # Three visits without MADRS have -9 in ten items and the total; the event month_6 is empty for 11 patients.
    assert hits["missing code -9"] == 3 * 11
    assert hits["rows without any value"] == 11


def test_the_source_is_known_by_its_hash():
    assert len(imported("two files").source_sha256) == 2
    assert read_mapping(FOLDER / "clinic_wide.toml") == imported("wide").mapping
