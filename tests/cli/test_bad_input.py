"""Own data and specs that can't be used: one message with all problems, status 2, no traceback, nothing written."""

import pytest

from harness import cli

SCHEMA = """
[cohort]
name = "mine"

[columns.id]
role = "subject"

[columns.week]
role = "time"

[columns.score]
role = "outcome"
range = [0, 60]

[columns.arm]
role = "protocol"
"""
LMM = """
[model]
kind = "lmm"
formula = "score ~ week + (1 | id)"
"""
GBTM = """
[model]
kind = "gbtm"
outcome = "score"
time = "week"
subject = "id"
orders = [1, 1]
"""
HEADER = "id,week,score,arm"
ROWS = [f"p{i},{week},{20 + i % 7 - week + (i * week) % 3},{'ab'[i % 2]}" for i in range(12) for week in range(4)]


def table(rows=ROWS, header=HEADER):
    return "\n".join([header, *rows]) + "\n"


def with_cells(change):
    """Return the table with each row's cells changed: change(subject, week, score, arm) -> cells."""
    return table([",".join(change(*row.split(","))) for row in ROWS])


@pytest.fixture
def refused(harness, tmp_path):
    """Return a function that compares own data, proves that it is refused cleanly, and returns the message."""

    def compare(data, spec, *options, name="mine.csv"):
        if data is not None:
            (tmp_path / name).write_bytes(data if isinstance(data, bytes) else data.encode())
        if spec is not None:
            (tmp_path / "mine.toml").write_text(spec, encoding="utf-8")
        before = harness.files
        status, output, error = harness.run("compare", "--data", name, "--spec", "mine.toml", *options)
        assert status == cli.USAGE, error
        assert not output
        assert "Traceback" not in error
        assert "expected" in error
        assert harness.files == before
        return error

    return compare


# ---- own data that can't be used ----

MISSING = with_cells(lambda i, w, y, a: (i, w, "" if i == "p3" else y, a))
TABLES = {
    "duplicate visit": (table([*ROWS, ROWS[3]]), LMM, "line 50: the same subject and time as in line 5"),
    "text as score": (table().replace("p3,2,", "p3,2,x"), LMM, "line 16, column 'score': 'x21'; expected a number"),
    "score out of range": (table().replace("p3,2,", "p3,2,9"), LMM, "'921'; expected a number from 0 to 60"),
    "subject without data": (MISSING, LMM, "line 14: a subject without any observed outcome"),
    "subject without data, trajectories": (MISSING, GBTM, "line 14: a subject without any observed outcome"),
    "no outcome": (with_cells(lambda i, w, _, a: (i, w, "", a)), LMM, "column 'score': no value at all"),
    "constant outcome": (with_cells(lambda i, w, _, a: (i, w, "7", a)), LMM, "column 'score': the same value"),
    "constant covariate": (
        table([f"{row},5" for row in ROWS], f"{HEADER},age"),
        '\n[columns.age]\nrole = "covariate"\n' + LMM.replace("(1 |", "(1 + age |"),
        "column 'age': a random-effect column that is constant (5)",
    ),
    "constant factor": (
        with_cells(lambda i, w, y, _: (i, w, y, "a")),
        LMM.replace("week +", "week + arm +"),
        "column 'arm': only the level 'a'",
    ),
    "constant time": (
        table([f"q{k},1,{row.split(',')[2]},a" for k, row in enumerate(ROWS)]),
        GBTM,
        "column 'week': order 1 with 1 distinct time",
    ),
    "rank-deficient design": (
        table([f"{row},{2 * int(row.split(',')[1])}" for row in ROWS], f"{HEADER},days"),
        '\n[columns.days]\nrole = "covariate"\n' + LMM.replace("(1 |", "(1 + week + days |"),
        "column 'days': a random-effect column that is determined by week",
    ),
    "more classes than subjects": (table(), GBTM.replace("[1, 1]", str([1] * 13)), "13 classes for 12 subject"),
    "unknown column of the model": (table(), LMM.replace("~ week", "~ weak"), "Did you mean 'week'?"),
    "unknown outcome of the model": (table(), GBTM.replace('"score"', '"scores"'), "'scores' is not in the cohort"),
    "empty file": ("", LMM, "an empty file"),
    "no rows": (table([]), LMM, "a header without rows"),
    "latin-1": (table([*ROWS, "pé,1,3,a"]).encode("latin-1"), LMM, "byte 0xe9 at position"),
    "UTF-16": (table().encode("utf-16"), LMM, "UTF-16"),
    "bytes": (bytes(range(256)) * 4, LMM, "expected utf-8"),
}


@pytest.mark.parametrize(("data", "model", "message"), TABLES.values(), ids=TABLES)
def test_a_table_that_cannot_be_used_is_refused(refused, data, model, message):
    assert message in refused(data, SCHEMA + model)


def test_a_column_that_the_table_does_not_have_is_refused(refused):
    assert "column 'dose': no such column" in refused(table(), SCHEMA + '\n[columns.dose]\nrole = "covariate"\n' + LMM)


def test_a_format_that_nobody_reads_is_refused(refused):
    assert "suffix '.exe'; expected one of .csv" in refused(table(), SCHEMA + LMM, name="mine.exe")


def test_files_that_are_not_there_are_refused(refused):
    assert "mine.csv: No such file" in refused(None, SCHEMA + LMM)
    assert "spec nothing.toml: No such file" in refused(table(), SCHEMA + LMM, "--spec", "nothing.toml")


def test_all_problems_of_a_table_are_listed_at_once(refused):
    error = refused(table([*ROWS, ROWS[3]]).replace("p3,2,", "p3,2,x").replace("p4,1,", "p4,1,9"), SCHEMA + LMM)
    assert "mine.csv: 3 problems" in error
    for problem in ("line 16, column 'score'", "line 19, column 'score'", "line 50: the same subject"):
        assert problem in error


# ---- specs that can't be used ----

CODE = [
    "system('touch pwned')",
    "I(system('touch pwned'))",
    "__import__('os').system('touch pwned')",
    "eval(parse(text = 'q()'))",
    "base::quit()",
    "week; quit()",
    "`week`",
    "lambda: 0",
    "${HOME}",
    "../../week",
]


@pytest.mark.parametrize("code", CODE)
def test_a_spec_that_names_code_is_refused_and_the_code_is_not_run(refused, code):
    for spec in (
        SCHEMA + LMM.replace("~ week", f"~ {code}"),
        SCHEMA + LMM.replace("1 | id", f"{code} | id"),
        SCHEMA + GBTM.replace('outcome = "score"', f'outcome = "{code}"'),
    ):
        refused(table(), spec)


@pytest.mark.parametrize(
    ("spec", "messages"),
    [
        ('cohort = "../../x"\n' + LMM, ["cohort"]),
        (SCHEMA + 'keep = { arm = ["../../x"] }\n' + LMM, ["keep"]),
        (SCHEMA + LMM.replace('"lmm"', '"../lmm"'), ["kind = '../lmm'"]),
        ('references = ["../lme4"]\n' + SCHEMA + LMM, ["../lme4", "a list from lme4, lme4_default"]),
        (SCHEMA + LMM + 'criterion = "MLE"\ncolour = 3\n', ["2 problems", "'MLE'", "an unknown key"]),
        (SCHEMA.replace('"time"', '"tiem"') + LMM.replace("~ week", "~ week +"), ["2 problems", "'tiem'", "formula"]),
        ('references = ["sas"]\n' + SCHEMA + LMM.replace("~ week", "~ f(week)"), ["2 problems", "'sas'", "'f'"]),
        (SCHEMA, ["no [model]"]),
        ("nonsense", ["expected TOML"]),
        ("a = [" + "[" * 5000, ["expected TOML"]),
    ],
)
def test_a_spec_that_cannot_be_used_is_refused_with_all_its_problems(refused, spec, messages):
    error = refused(table(), spec)
    for message in messages:
        assert message in error


def test_data_and_spec_belong_together(harness):
    for arguments in (
        ["--data", "mine.csv"],
        ["--spec", "mine.toml"],
        ["a_case", "--data", "a.csv", "--spec", "b.toml"],
    ):
        status, _, error = harness.run("compare", *arguments)
        assert status == cli.USAGE
        assert "--data and --spec together" in error
    assert not harness.files


def test_own_data_without_r_end_as_nothing_compared(harness, tmp_path):
    (tmp_path / "mine.csv").write_text(table())
    (tmp_path / "mine.toml").write_text(SCHEMA + LMM)
    status, _, error = harness.run("compare", "--data", "mine.csv", "--spec", "mine.toml")
    assert status == cli.NOTHING
    assert "nothing was compared" in error


def test_the_help_has_all_its_words(harness):
    """Square brackets are markup there, and would vanish."""
    status, out, _ = harness.run("compare", "--help")
    assert status == 0
    assert "schema and a model." in " ".join(out.split())
