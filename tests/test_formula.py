"""What the grammar of formulas takes, what it rejects, and where it says the fault is."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import FormulaError
from harness.formula import Atom, Formula, RandomTerm, formula_text, parse_formula

WEEK, GROUP = Atom(column="week"), Atom(column="protocol")


def problems(text):
    with pytest.raises(FormulaError) as caught:
        parse_formula(text)
    return [(problem.column, problem.found) for problem in caught.value.problems]


def test_the_formula_of_a_trial_becomes_its_tree():
    visit = Atom(column="visit")
    assert parse_formula("madrs ~ visit * protocol + (1 + week | id)") == Formula(
        outcome="madrs",
        terms=((visit,), (GROUP,), (visit, GROUP)),
        random=(RandomTerm(terms=((WEEK,),), grouping=("id",)),),
    )


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("y~a*b*c", "y ~ a + b + c + a:b + a:c + b:c + a:b:c"),
        ("y ~ a:b + a + b:a + a", "y ~ a + a:b"),
        ("y ~ a*a", "y ~ a"),
        ("y ~ a:b + b + c", "y ~ b + c + b:a"),
        ("y ~ week^2 + I(week^2) + week^1", "y ~ week^2 + week"),
        ("y ~ log(t) + log1p(t) + sqrt(t) + exp(t)", "y ~ log(t) + log1p(t) + sqrt(t) + exp(t)"),
        ("y ~ log + log(log)", "y ~ log + log(log)"),
        ("y ~ -1 + x", "y ~ 0 + x"),
        ("y ~ x - 1", "y ~ 0 + x"),
        ("y ~ 0 + x", "y ~ 0 + x"),
        ("y ~ 1", "y ~ 1"),
        ("y ~ x + (t | id)", "y ~ x + (1 + t | id)"),
        ("y ~ x + (0 + t | id)", "y ~ x + (0 + t | id)"),
        ("y ~ x + (1 + t || id)", "y ~ x + (1 + t || id)"),
        ("y ~ (1 | a) + x + (1 | b)", "y ~ x + (1 | a) + (1 | b)"),
        ("größe ~\n\tdosis", "größe ~ dosis"),
    ],
)
def test_a_formula_reads_as(text, canonical):
    assert formula_text(parse_formula(text)) == canonical


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", 1),
        ("y", 2),
        ("y ~", 4),
        ("y ~ a +", 8),
        ("y ~ a b", 7),
        ("y ~ df.a", 7),
        ("y ~ 'a'", 5),
        ("y ~ a[0]", 6),
        ("y ~ `a`", 5),
        ("y ~ a; b", 6),
        ("y ~ system(a)", 5),
        ("y ~ log(a + b)", 11),
        ("y ~ log(a)^2", 11),
        ("y ~ a^0", 7),
        ("y ~ a^12", 7),
        ("y ~ a^²", 7),
        ("y ~ a^b", 7),
        ("y ~ I(a)", 8),
        ("y ~ 2", 5),
        ("y ~ a - b", 9),
        ("y ~ 0 + 1", 9),
        ("y ~ a:1", 7),
        ("y ~ (a + b):c", 11),
        ("y ~ (0 | id)", 12),
        ("y ~ (1 | id", 12),
        ("y ~ a*b*c*d*e*f*g", 5),
        ("log(y) ~ a", 4),
        ("y ~ __import__('os').system('true')", 5),
        ("y ~ a\x00", 6),
    ],
)
def test_a_fault_is_named_by_its_character(text, position):
    assert problems(text)[0][0] == f"character {position}"


def test_all_faults_are_listed():
    found = problems("y ~ x['a'] + foo(z, 1) + (1 | id) + q.r + 3 - x")
    assert [place for place, _ in found] == [f"character {k}" for k in (6, 14, 38, 43, 47)][: len(found)]
    assert len(found) >= 4


def test_no_more_than_a_screenful_of_faults_is_listed():
    found = problems("y ~ " + " + ".join(["2"] * 100))
    assert len(found) == 21
    assert found[-1][1] == "80 more problems"


@pytest.mark.parametrize("text", ["y ~ " + "a" * 10**6, "y ~ " + "(" * 10_000, "y ~ " + "a+" * 10_000 + "a"])
def test_an_endless_formula_is_refused_with_its_length(text):
    ((_, found),) = problems(text)
    assert found == f"a formula of {len(text)} characters"


def test_deep_brackets_are_a_fault_not_a_crash():
    assert problems("y ~ " + "(" * 4000)[0] == ("character 6", "found '('")


names = st.from_regex(r"[a-z_][a-z0-9_]{0,5}", fullmatch=True).filter(lambda name: name != "I")
atoms = st.one_of(
    st.builds(Atom, column=names, power=st.integers(1, 9)),
    st.builds(Atom, column=names, function=st.sampled_from(["log", "log1p", "sqrt", "exp"])),
)
products = st.lists(atoms, min_size=1, max_size=3).map(lambda chosen: ":".join(map(str, chosen)))
sums = st.lists(products, min_size=1, max_size=4).map(" + ".join)


@given(
    outcome=names,
    start=st.sampled_from(["", "0 + ", "1 + "]),
    fixed=sums,
    slopes=sums,
    bar=st.sampled_from(["|", "||"]),
    subject=names,
)
def test_a_parsed_formula_survives_being_written_and_read(*, outcome, start, fixed, slopes, bar, subject):
    tree = parse_formula(f"{outcome} ~ {start}{fixed} + ({start}{slopes} {bar} {subject})")
    assert parse_formula(formula_text(tree)) == tree


@settings(max_examples=300)
@given(st.text(alphabet="yab01249 ~+-*:^()|I.'[\x00é", max_size=40))
def test_any_text_is_a_formula_or_a_formula_error(text):
    try:
        tree = parse_formula(text)
    except FormulaError:
        return
    assert parse_formula(formula_text(tree)) == tree
