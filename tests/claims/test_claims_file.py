"""Tables of claims that can't be used: one error with all problems, by line and column."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.claims import read_claims, verify
from harness.claims.claim import CHOICES, COLUMNS, COMPANION_FORMS, KINDS, TEXTS
from harness.claims.claims_file import claims_of
from harness.claims.forms import FORMS
from harness.errors import ClaimsError, CohortError
from harness.locations import data_folder


@pytest.fixture
def refused(tmp_path):
    """Return the problems of a file with this text."""

    def problems(text, name="claims.csv", error=ClaimsError):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        with pytest.raises(error) as caught:
            read_claims(path)
        return caught.value.problems

    return problems


def test_all_problems_of_a_file_are_listed_with_line_and_column(refused):
    problems = refused(
        "id,kind,text,n,test,statistic,df\n"
        "a,mean,12.3,94,,,\n"
        "a,mean,12,3,94,,\n"
        ",avrage,12.3,,,,\n"
        "c,mean,twelve,,t,,\n"
        "d,p,0.03,,,2.1,\n"
        "e,p,1.03,,T,2.1,12\n"
        'f,mean,"12,3",94.5,,,\n'
        "g,mean,12.3\n"
        "\n"
        "h,p,,,,,\n"
        "i,p,0.03,,t,2.1,\n"
    )
    places = [(problem.line, problem.column) for problem in problems]
    assert places == [
        (3, "id"),
        (3, "test"),
        (4, "id"),
        (4, "kind"),
        (5, "test"),
        (5, "text"),
        (6, "test"),
        (7, "test"),
        (8, "text"),
        (8, "n"),
        (9, None),
        (11, "text"),
        (12, "df"),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "an empty file"),
        ("id,kind,text\n", "a header without rows"),
        ("id;kind;text\na;mean;1\n", "one column only"),
        ("id,kind\na,mean\n", "no such column"),
        ("id,kind,text,knd\na,mean,1,2\n", "a column 'knd'; expected a known one, or none. Did you mean 'kind'?"),
        ("id,kind,text,text\na,mean,1,2\n", "2 columns of this name"),
        ("id,kind,text\na,mean,1\na,mean,2\n", "id 'a', as in line 2"),
        ("id,kind,text,model,outcome\na,se,1,m,score\n", "a model and outcome"),
        ("id,kind,text,term\na,se,1,week\n", "nothing; expected one, because term is given"),
        ("id,kind,text,outcome\na,p,0.1,score\n", "expected nothing, as kind 'p' has no use for it"),
        ("id,kind,text,test,rates\na,p,0.1,t,1/2; 1/3\n", "because two rates are given"),
        ("id,kind,text\na\x07b,mean,1\n", "expected characters that can be seen"),
        (f"id,kind,text\n{'a' * 301},mean,1\n", "a text of 301 characters"),
        ("id,kind,text,sides\na,p,0.1,tow\n", "sides 'tow'; expected one of two, one. Did you mean 'two'?"),
    ],
)
def test_the_problem_is_named(refused, text, words):
    assert words in "\n".join(map(str, refused(text)))


@pytest.mark.parametrize(
    ("text", "name", "error"),
    [
        (b"id,kind,text\na,mean,\xff\n", "claims.csv", CohortError),
        (b"id,kind,text\na,mean,1\0\n", "claims.csv", CohortError),
        ('id,kind,text\n"a,mean,1\n', "claims.csv", CohortError),
        ("id,kind,text\na,mean,1\n", "claims.xlsx", ClaimsError),
    ],
)
def test_a_file_that_is_no_text_is_refused(refused, text, name, error):
    assert len(refused(text, name, error)) == 1


def test_no_file_is_a_problem_and_no_traceback(tmp_path):
    with pytest.raises(ClaimsError, match="expected a table of claims"):
        read_claims(tmp_path / "none.csv")


def test_many_problems_are_counted(refused):
    problems = refused("id,kind,text\n" + "".join(f"c{k},mean,x\n" for k in range(80)))
    assert len(problems) == 51
    assert problems[-1].found == "30 more, which are not listed"


def test_a_cell_that_begins_with_an_equals_sign_is_text(tmp_path):
    path = tmp_path / "claims.csv"
    formula = '=HYPERLINK(""http://example.org"")'
    path.write_text(f'id,kind,text,place\n=1+1,mean,= 12.3,"{formula}"\n', encoding="utf-8")
    (claim,) = read_claims(path)
    assert claim.id == "=1+1"
    assert claim.parts["value"].text == "12.3"
    assert claim.place == formula.replace('""', '"')


def test_a_byte_order_mark_and_spaces_around_cells_do_no_harm(tmp_path):
    path = tmp_path / "claims.tsv"
    path.write_text("\ufeffid\tkind\ttext\na \t mean\t 12.3\n", encoding="utf-8")
    (claim,) = read_claims(path)
    assert (claim.id, claim.kind, claim.text, claim.line) == ("a", "mean", "12.3", 2)


def test_every_column_has_a_use_and_every_kind_knows_its_columns():
    used = {column for kind in KINDS.values() for column in kind.columns}
    assert used == set(COLUMNS) - {"id", "kind", "text", "place"}
    assert used == set(TEXTS) | set(COMPANION_FORMS) | set(CHOICES)
    assert {kind.form for kind in KINDS.values()} | set(COMPANION_FORMS.values()) == set(FORMS)


def test_the_page_on_claims_has_every_kind_column_and_choice():
    page = (data_folder() / "docs" / "claims.md").read_text(encoding="utf-8")
    words = set(re.findall(r"[A-Za-z_-]+[0-9]?", page))
    choices = {word for known in CHOICES.values() for option in known for word in option.split()}
    assert {*KINDS, *COLUMNS, *choices} <= words | {"none", "identity"}


@given(
    st.lists(
        st.fixed_dictionaries(
            {"id": st.text(max_size=5), "kind": st.sampled_from([*KINDS, "x"]), "text": st.text(max_size=30)},
            optional=dict.fromkeys(("n", "df", "at", "test"), st.text(alphabet="0123456789.<=-%/;e t", max_size=12)),
        ),
        max_size=4,
    )
)
def test_whatever_stands_in_the_cells_it_is_read_or_refused(rows):
    header = ["id", "kind", "text", "n", "df", "at", "test"]
    cells = [header, *([row.get(column, "") for column in header] for row in rows)]
    try:
        found = claims_of(cells, range(1, len(cells) + 1), "claims.csv")
    except ClaimsError as error:
        assert error.problems  # noqa: PT017  # either is right, nothing else may be raised
    else:
        assert found


SAMPLES = {
    "number": ["0", "-3e29", "1e-30", "12.3", "0.00", "7"],
    "size": ["0", "3e29", "1e-30", "12.3", "0.00"],
    "probability": ["0.000", "1", "p < 1e-30", "p > 0.05", "-0.2"],
    "share": ["0", "120 %", "0.3"],
    "proportion": ["0/0 (0 %)", "5/3", "7", "10000000/10000000 (1e9 %)", "< 1 %"],
    "percentage": ["0", "1e29 %", "0/0 (0 %)", "< 1 %", "-3"],
    "mean and SD": ["0 (0)", "1e29 (1e-29)", "2.5 (0.24)", "-1 (-1)"],
    "limits": ["0 to 0", "-1e29 to 1e29", "3 to 2", "95 % CI 1 to 2"],
    "level": ["95 %", "1e-9 %", "0.9999999"],
    "list": ["0; 0", "1e29; -1e29", "33; 33; 34"],
    "rates": ["0/0; 0/1", "0/5; 5/5", "1/10000000; 9999999/10000000"],
    "whole": ["0", "1", "10000000", "12"],
    "range": ["0 to 60", "-1e29 to 1e29"],
}


@given(st.data())
def test_whatever_can_be_read_can_be_judged(data):
    kind = data.draw(st.sampled_from(list(KINDS)))
    cells = {"id": "a", "kind": kind, "text": data.draw(st.sampled_from(SAMPLES[KINDS[kind].form]))}
    for column in KINDS[kind].columns:
        options = CHOICES.get(column) or SAMPLES.get(COMPANION_FORMS.get(column, ""))
        if options and data.draw(st.booleans()):
            cells[column] = data.draw(st.sampled_from(options))
    try:
        claims = claims_of([list(cells), list(cells.values())], (1, 2), "claims.csv")
    except ClaimsError:
        return  # a statistic without its test, rates with another one
    (one,) = verify(claims).judged
    assert one.findings
    assert all(finding.reason for finding in one.findings)
