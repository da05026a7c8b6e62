"""What the grammar of formulas takes, what it rejects, and where it says the fault is."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import FormulaError
from harness.formula import Atom, Formula, RandomTerm, ResidualTerm, formula_text, parse_formula

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
        ("y ~ x + (1 | a/b)", "y ~ x + (1 | a) + (1 | a:b)"),
        ("y ~ x + (0 + t || a/b/c)", "y ~ x + (0 + t || a) + (0 + t || a:b) + (0 + t || a:b:c)"),
        ("y ~ x + (1 | a:b/c)", "y ~ x + (1 | a:b) + (1 | a:b:c)"),
        ("y ~ x + (1 + t | b) + (1 | b:a)", "y ~ x + (1 + t | b) + (1 | b:a)"),
        ("y ~ x + (0 + visit | id)", "y ~ x + (0 + visit | id)"),
        ("y ~ C(g) + C(g, sum):x", "y ~ C(g, treatment) + C(g, sum):x"),
        ("y ~ C(g,helmert)*C(g,poly)", "y ~ C(g, helmert) + C(g, poly) + C(g, helmert):C(g, poly)"),
        ("y ~ poly(t,2) + ns(t , 3)", "y ~ poly(t, 2) + ns(t, 3)"),
        ("y ~ poly + ns + C + us + I", "y ~ poly + ns + C + us + I"),
        ("y ~ us(visit|id) + x", "y ~ x + us(visit | id)"),
        ("y ~ x + (1 | id) + ar1h(visit | arm/id)", "y ~ x + (1 | id) + ar1h(visit | arm / id)"),
        ("y ~ car1(week | id)", "y ~ 1 + car1(week | id)"),
        ("y ~ 0 + us(visit | id)", "y ~ 0 + us(visit | id)"),
        ("y ~ visit*arm - arm", "y ~ visit + visit:arm"),
        ("y ~ a*b*c - c:a:b - b", "y ~ a + c + a:b + a:c + c:b"),
        ("y ~ a - a", "y ~ 1"),
        ("y ~ a - a + a", "y ~ a"),
        ("y ~ x + (t - 1 | id)", "y ~ x + (0 + t | id)"),
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
        ("y ~ a*b - a*c", 11),
        ("y ~ -a + a", 6),
        ("y ~ a - 0", 9),
        ("y ~ a - (1 | id)", 9),
        ("y ~ a/b", 6),
        ("y ~ a,b", 6),
        ("y ~ (1 | a/a)", 12),
        ("y ~ (1 | a:b:a)", 14),
        ("y ~ (1 | a/)", 12),
        ("y ~ (1 | a b)", 12),
        ("y ~ C(g, total)", 10),
        ("y ~ C(g sum)", 9),
        ("y ~ C(g, contr.sum)", 10),
        ("y ~ poly(t)", 11),
        ("y ~ poly(t, 0)", 13),
        ("y ~ poly(t, 10)", 13),
        ("y ~ poly(t, x)", 13),
        ("y ~ ns(t, 21)", 11),
        ("y ~ log(t, 2)", 10),
        ("y ~ us(visit)", 13),
        ("y ~ us(visit, id)", 13),
        ("y ~ us(visit || id)", 14),
        ("y ~ us(visit | id:site)", 18),
        ("y ~ us(visit | arm/site/id)", 24),
        ("y ~ us(id | id)", 13),
        ("y ~ us(visit | id/id)", 19),
        ("y ~ us(visit | id) + cs(visit | id)", 22),
        ("y ~ us(visit | id):a", 19),
        ("y ~ (us(visit | id) | id)", 6),
        ("y ~ un(visit | id)", 5),
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


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("y ~ sqr(t)", "Did you mean 'sqrt'?"),
        ("y ~ toepl(visit | id)", "Did you mean 'toep' or 'toeph'?"),
        ("y ~ C(g, helmet)", "Did you mean 'helmert'?"),
        ("y ~ factor(g)", "Compute the column beforehand."),
        ("y ~ (us(visit | id) | id)", "A structure is a term of its own, as in y ~ x + us(visit | id)."),
        ("y ~ a - b", "There is no b before this '-'."),
        ("y ~ us(visit | id) + cs(visit | id)", "There is us(visit | id) already."),
    ],
)
def test_a_fault_comes_with_what_may_have_been_meant(text, advice):
    with pytest.raises(FormulaError) as caught:
        parse_formula(text)
    assert caught.value.problems[0].advice == advice


def test_the_model_of_a_trial_with_its_visits_becomes_its_tree():
    tree = parse_formula("madrs ~ C(visit, sum) * poly(week, 2) + (0 + visit || site:id) + us(visit | arm / id)")
    coded, curved = Atom(column="visit", coding="sum"), Atom(column="week", function="poly", size=2)
    assert tree == Formula(
        outcome="madrs",
        terms=((coded,), (curved,), (coded, curved)),
        random=(
            RandomTerm(terms=((Atom(column="visit"),),), grouping=("site", "id"), intercept=False, correlated=False),
        ),
        residual=ResidualTerm(structure="us", visit="visit", subject="id", by="arm"),
    )
    assert tree.columns == ("madrs", "visit", "week", "arm", "id", "site")
    assert tree.subject == ("site", "id")


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


# Names of functions and structures are names of columns too.
names = st.one_of(
    st.sampled_from(["C", "I", "poly", "ns", "us", "ar1", "log", "sum"]),
    st.from_regex(r"[a-z_][a-z0-9_]{0,5}", fullmatch=True),
)
atoms = st.one_of(
    st.builds(Atom, column=names, power=st.integers(1, 9)),
    st.builds(Atom, column=names, function=st.sampled_from(["log", "log1p", "sqrt", "exp"])),
    st.builds(Atom, column=names, function=st.sampled_from(["poly", "ns"]), size=st.integers(1, 9)),
    st.builds(Atom, column=names, coding=st.sampled_from(["treatment", "sum", "helmert", "poly"])),
)
products = st.lists(atoms, min_size=1, max_size=3).map(lambda chosen: ":".join(map(str, chosen)))
sums = st.lists(products, min_size=1, max_size=4).map(" + ".join)
starts = st.sampled_from(["", "0 + ", "1 + "])
columns = st.lists(names, min_size=1, max_size=3, unique=True)
groupings = st.builds(lambda chosen, mark: mark.join(chosen), columns, st.sampled_from(["/", ":"]))
randoms = st.builds("({}{} {} {})".format, starts, sums, st.sampled_from(["|", "||"]), groupings)
residuals = st.builds(
    lambda structure, chosen: f"{structure}({chosen[0]} | {' / '.join(chosen[1:])})",
    st.sampled_from(["us", "cs", "csh", "ar1", "ar1h", "toep", "toeph", "ad", "adh", "car1"]),
    st.lists(names, min_size=2, max_size=3, unique=True),
)


@settings(max_examples=60)
@given(
    outcome=names,
    start=starts,
    fixed=sums,
    parts=st.tuples(st.lists(randoms, max_size=2), st.lists(residuals, max_size=1)).flatmap(
        lambda found: st.permutations([*found[0], *found[1]])
    ),
)
def test_a_parsed_formula_survives_being_written_and_read(*, outcome, start, fixed, parts):
    tree = parse_formula(f"{outcome} ~ {' + '.join([start + fixed, *parts])}")
    assert parse_formula(formula_text(tree)) == tree


@settings(max_examples=30)
@given(names, sums, products)
def test_what_is_added_and_removed_again_was_never_there(outcome, kept, removed):
    tree = parse_formula(f"{outcome} ~ 1 + {removed} - {removed} + {kept}")
    assert tree == parse_formula(f"{outcome} ~ {kept}")


@settings(max_examples=300)
@given(st.text(alphabet="yab01249 ~+-*:/,^()|ICusn.'[\x00é", max_size=40))
def test_any_text_is_a_formula_or_a_formula_error(text):
    try:
        tree = parse_formula(text)
    except FormulaError:
        return
    assert parse_formula(formula_text(tree)) == tree
