import pytest

from harness.cohorts import Column, FileOptions, Schema, read_cohort, read_schema
from harness.cohorts.toml_lines import line_of
from harness.errors import CohortError


@pytest.fixture
def schema_of(tmp_path):
    def read(text, **options):
        path = tmp_path / "rules.toml"
        path.write_text(text, encoding="utf-8")
        return read_schema(path, **options)

    return read


@pytest.fixture
def complaints(schema_of):
    def problems_of(text):
        with pytest.raises(CohortError) as caught:
            schema_of(text)
        return [str(problem) for problem in caught.value.problems]

    return problems_of


def test_a_schema_says_what_its_file_says(schema_of, schema_text):
    schema = schema_of(schema_text + '\n[file]\ndelimiter = ";"\nmissing = ["NA", 999]\n')
    assert schema.name == "trial"
    assert schema.shape == "long"
    assert schema.options == FileOptions(delimiter=";", missing=("NA", 999.0))
    assert [column.name for column in schema.columns] == ["id", "week", "madrs", "dose", "arm"]
    assert schema.columns[2] == Column(
        name="madrs",
        role="outcome",
        source="madrs",
        unit="points",
        range=(0.0, 60.0),
        integer=True,
        missing=("NA", 999.0, -9.0, "not done"),
    )
    assert schema.columns[4].levels == ("four", "six")
    assert schema.sources == ("id", "week", "madrs", "dose", "arm")


def test_a_schema_without_a_name_has_that_of_its_file(schema_of, schema_text):
    assert schema_of(schema_text.replace('name = "trial"', "")).name == "rules"


def test_other_tables_are_left_alone_where_that_is_said(schema_of, complaints, schema_text):
    text = 'references = ["lme4"]\n' + schema_text + '\n[model]\nkind = "lmm"\n'
    assert schema_of(text, also=("model", "references")).name == "trial"
    assert complaints(text)[0].startswith("line 1: unknown key 'references' at the top")


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            'role = "outcome"',
            'role = "outcom"',
            (
                "line 13: role 'outcom'; expected one of subject, time, outcome, covariate, factor, visit, protocol. "
                "Did you mean 'outcome'?"
            ),
        ),
        (
            "integer = true",
            "interger = true",
            (
                "line 16: unknown key 'interger' in [columns.madrs]; expected role, source, unit, range, integer, "
                "missing, levels, description. Did you mean 'integer'?"
            ),
        ),
        ("integer = true", "integer = 1", "line 16: integer = 1; expected true or false."),
        ("range = [0, 60]", "range = [0]", "line 15: range [0]; expected [smallest, largest]."),
        ("range = [0, 60]", "range = [0, nan]", "line 15: range [0, nan]; expected [smallest, largest]."),
        (
            "range = [0, 60]",
            "range = [60, 0]",
            "line 12, column 'madrs': range [60, 0]; expected [smallest, largest].",
        ),
        (
            "-9,",
            "9,",
            (
                "line 12, column 'madrs': missing code 9 inside the range [0, 60]; expected a code that no real value "
                "can have."
            ),
        ),
        (
            '"not done"',
            "true",
            'line 17: missing [-9, True]; expected a list of numbers and texts, such as [-9, "NA"].',
        ),
        ('"six"', '"four"', "line 23, column 'arm': a level that is listed twice; expected each level once."),
        ('"six"', '" six"', "line 23, column 'arm': level ' six'; expected a printable text without spaces around it."),
        ('"six"', "6", 'line 25: levels [\'four\', 6]; expected a list of texts, such as ["four", "six"].'),
        (
            'levels = ["four", "six"]',
            "range = [0, 1]",
            (
                "line 23, column 'arm': `range` or `integer`; expected neither, because a column with the role "
                "'factor' holds labels."
            ),
        ),
        (
            'unit = "weeks"',
            'levels = ["0"]',
            "line 8, column 'week': `levels`; expected none, because a column with the role 'time' holds numbers.",
        ),
        ('unit = "weeks"', "unit = 7", "line 10: unit = 7; expected a text in quotes."),
        ('role = "time"', 'role = "subject"', "2 columns with the role 'subject'; expected exactly one."),
        ('role = "factor"', 'role = "time"', "2 columns with the role 'time'; expected at most one."),
        (
            'unit = "mg/kg"',
            'source = "madrs"',
            "line 12, column 'madrs': 2 columns of this name; expected each source column once.",
        ),
        ('name = "trial"', 'shape = "broad"', "line 3: shape 'broad'; expected 'long' or 'wide'."),
    ],
)
def test_each_mistake_in_a_schema_has_its_sentence(complaints, schema_text, old, new, sentence):
    assert sentence in complaints(schema_text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new", "place"), [("[columns.week]", "[columns.id]", "line 8"), ('"trial"', "trial", "line 3")]
)
def test_what_is_no_toml_is_named_by_its_line(complaints, schema_text, old, new, place):
    (found,) = complaints(schema_text.replace(old, new, 1))
    assert place in found
    assert found.endswith("; expected TOML.")


def test_all_mistakes_are_reported_at_once(complaints, schema_text):
    text = schema_text.replace('"time"', '"clock"').replace("true", '"yes"').replace("[cohort]", "[cohorts]")
    assert len(complaints(text)) == 3


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ('delimiter = ", "', "delimiter ', '; expected one character, such as ',' or ';'."),
        ('decimal = ";"', "decimal ';'; expected '.' or ','."),
        ('encoding = "utf-9"', "encoding 'utf-9'; expected a known one, such as 'utf-8' or 'latin-1'."),
        ('encoding = "hex"', "encoding 'hex'; expected a known one, such as 'utf-8' or 'latin-1'."),
        ("sheet = 1", "sheet = 1; expected a text in quotes."),
        (
            'engine = "python"',
            "unknown key 'engine' in [file]; expected delimiter, decimal, encoding, sheet, strip, missing.",
        ),
    ],
)
def test_options_of_the_file_are_checked(complaints, schema_text, options, sentence):
    assert complaints(f"[file]\n{options}\n{schema_text}") == [f"line 2: {sentence}"]


def test_a_wide_schema_must_say_when_each_column_was_measured(complaints):
    text = '[cohort]\nshape = "wide"\n[columns.id]\nrole = "subject"\n[columns.bdi]\nrole = "outcome"\n'
    assert complaints(text) == [
        "a wide table without `[wide.outcomes.<name>]`; expected at least one.",
        'a wide table without a time column; expected a column with the role "time".',
    ]
    text += '[columns.month]\nrole = "time"\n[wide.outcomes.hamd]\na = 1\nb = 1.0\n'
    assert complaints(text) == [
        "line 9, column 'hamd': a repeated column that is not declared; expected an outcome or a covariate.",
        "line 9, column 'hamd': 2 columns at time 1; expected one column a time.",
    ]
    assert complaints(text.replace("b = 1.0", 'b = "two"')) == ["line 11: time 'two'; expected a number."]


def test_repeated_columns_belong_to_wide_tables(complaints, schema_text):
    (found,) = complaints(schema_text + '\n[wide.outcomes.madrs]\n"m1" = 0\n')
    assert found == '`wide` columns in a long table; expected shape = "wide", or no `wide` columns.'


@pytest.mark.parametrize("name", ["d" * 1_000_000, "", " x", "a\\nb"])
def test_a_column_name_is_short_and_printable(complaints, schema_text, name):
    (found,) = complaints(schema_text + f'\n[columns."{name}"]\nrole = "covariate"\n')
    assert "expected 1 to 100 printable characters without spaces around them" in found
    assert len(found) < 200


def test_an_unreadable_schema_is_refused(tmp_path):
    with pytest.raises(CohortError, match="No such file or directory; expected a schema in TOML"):
        read_schema(tmp_path / "absent.toml")
    (tmp_path / "latin.toml").write_bytes("# a\n# größe".encode("latin-1"))
    with pytest.raises(CohortError, match="line 2: not UTF-8"):
        read_schema(tmp_path / "latin.toml")
    (tmp_path / "deep.toml").write_text("a = " + "[" * 100_000)
    with pytest.raises(CohortError, match="expected TOML"):
        read_schema(tmp_path / "deep.toml")


def test_a_schema_made_in_python_is_checked_too(write):
    table, _ = write()
    with pytest.raises(CohortError, match="0 columns with the role 'outcome'; expected at least one"):
        read_cohort(table, Schema(name="own", columns=(Column(name="id", role="subject", source="id"),)))


def test_lines_of_tables_and_keys_are_found():
    text = '# [a]\nx = 1\n[a]\n"b.c" = 2\n\n["d".e]\nb = 3\n'
    assert line_of(text, (), "x") == 2
    assert line_of(text, ("a",)) == 3
    assert line_of(text, ("a",), "b.c") == 4
    assert line_of(text, ("d", "e"), "b") == 7
    assert line_of(text, ("a",), "z") == 3
    assert line_of(text, ("z",)) is None
