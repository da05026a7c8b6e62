"""Inputs that the campaign found: each crashed once."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.cases import read_own_case
from harness.cohorts import read_cohort, read_schema
from harness.engines import solve
from harness.errors import CohortError, InputError, Problem, SpecError
from harness.references import wire

SCHEMA = """
[cohort]
name = "mine"
[columns.id]
role = "subject"
[columns.week]
role = "time"
[columns.score]
role = "outcome"
"""
TABLE = "id,week,score\n" + "".join(f"p{i},{week},{20 + i % 7 - week}\n" for i in range(8) for week in range(4))


@pytest.fixture
def write(tmp_path):
    def write(name, text):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_family_that_nobody_has_is_refused_where_it_is_fitted(write):
    model = '[model]\nkind = "gbtm"\noutcome = "score"\ntime = "week"\nsubject = "id"\norders = [1]\n'
    case = read_own_case(write("mine.csv", TABLE), write("mine.toml", f'{SCHEMA}{model}family = "`touch pwned`"\n'))
    with pytest.raises(SpecError, match="touch pwned"):
        solve(case)


def test_a_name_in_parquet_that_is_no_text_is_a_damaged_file(write, tmp_path):
    path = tmp_path / "mine.parquet"
    pq.write_table(pa.table({"id": ["a", "a"], "week": [0, 1], "score": [1, 2]}), path)
    path.write_bytes(path.read_bytes().replace(b"week", b"\xff\xfeek"))
    with pytest.raises(CohortError, match="a damaged file"):
        read_cohort(path, write("s.toml", SCHEMA))


@pytest.mark.parametrize("header", ["[[columns.week]]", "[1]\n[[x]]", '["a"]'])
def test_a_header_that_is_no_table_is_passed_over_in_the_search_for_lines(write, header):
    with pytest.raises(CohortError):
        read_schema(write("s.toml", SCHEMA.replace("[columns.week]", header)))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[" * 10_000,
        b'{"list": ' * 10_000,
        b'{"list": [{"null": true}], "names": ["a", "b"]}',
        b'{"text": [1]}',
        b'{"double": 1}',
        b'{"integer": [1e999]}',
        b'{"integer": [99999999999999999999]}',
        b"[1]",
        b"\xff",
    ],
)
def test_a_damaged_answer_is_a_value_error(body):
    with pytest.raises(ValueError, match="a frame without a value"):
        wire.unframe(body)


@pytest.mark.parametrize("text", ["\x1b[2J", "\ud800", "\u202e", "a\nb", "x" * 10**6])
def test_no_message_obeys_what_it_quotes(text):
    told = str(InputError(text, [Problem(found=text, expected=text, column=text, advice=text)]))
    assert told.isprintable()
    assert told.encode()
    assert len(told) < 5000
