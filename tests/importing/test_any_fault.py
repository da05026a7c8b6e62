"""Whatever stands in a file, it is read or refused: no other error, and nothing personal in what is said."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import CohortError
from harness.importing import import_table

PERSONAL = ("QX-47", "4711", "4712", "4713", "Ottilie", "sister")
TOKENS = (
    *(
        "",
        " ",
        "-9",
        "99",
        "NA",
        "10 ",
        "32*",
        "1e5",
        "-0",
        "+3",
        "00012",
        "9" * 50,
        "=1+1",
        "nan",
        "inf",
        "1_0",
        "0x1",
    ),
    *("1.234", "1,5", "1'000", "52%", "TRUE", "#REF!", "2019-02-30", "31.12.2019", "12/13/2019", "43500", "10:30"),
    *(
        "inf7",
        "four",
        "QX-4711",
        "sister Ottilie",
        "\N{FULLWIDTH DIGIT ONE}",
        "\N{ARABIC-INDIC DIGIT THREE}",
        "\u00a07",
    ),
)


def assert_read_or_refused(path, mapping):
    try:
        rows, problems = import_table(path, mapping).cohort.n_rows, ()
    except CohortError as error:
        rows, problems = 0, error.problems
    assert (0 < rows <= 18) != bool(problems)
    assert not [piece for piece in PERSONAL for problem in problems if piece in str(problem)]


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cells=st.lists(
        st.tuples(
            st.integers(2, 19),
            st.sampled_from(["id", "visit", "arm", "date", "age", "sex", "m1", "m10", "madrs", "gad7", "weight"]),
            st.one_of(st.sampled_from(TOKENS), st.text(max_size=6)),
        ),
        min_size=1,
        max_size=3,
    )
)
def test_any_cells_are_read_or_refused(export, mapping, write, cells):
    for line, column, text in cells:
        export = export.put(line, column, text)
    try:
        content = export.text().encode()
    except UnicodeEncodeError:  # a lone surrogate, which no file can hold
        return
    assert_read_or_refused(write(content), mapping)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_bytes_are_read_or_refused(export, declared, write, data):
    content = bytearray(export.text().encode())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    undeclared = declared(encoding=None, delimiter=None, decimal=None, date_format=None)
    assert_read_or_refused(write(bytes(content)), undeclared)


@pytest.mark.parametrize("name", ["clinic_redcap.csv", "export.csv"])
def test_a_file_that_is_not_there_is_refused(name, tmp_path, mapping):
    with pytest.raises(CohortError, match="No such file"):
        import_table(tmp_path / name, mapping)
