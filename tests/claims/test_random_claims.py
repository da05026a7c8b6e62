"""Ten thousand correct claims, printed to 0-4 digits, of which none may be called wrong.

Each number is computed by a formula of its own (scipy, exact fractions, the cells of the file, tables of the fits), and
rounded by the printing program that is drawn: half up, half to even, or as a double is formatted. The judge sees the
prints alone.
"""

import csv
import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from harness.claims import Answer, verify
from harness.cohorts.subset import keep_levels
from harness.gbtm.result import fit_gbtm_cohort
from harness.lmm.result import fit_lmm_cohort
from harness.locations import fixtures_folder

SEED = 20_261_126
N_CLAIMS = 10_000


class Printer:
    """Draws and prints numbers."""

    def __init__(self, seed):
        self.random = np.random.default_rng(seed)

    def printed(self, value, digits=None):
        """Return a number to 0-4 decimals by one of three programs."""
        digits = int(self.random.integers(0, 5)) if digits is None else digits
        way = self.random.integers(3)
        if way == 0:
            return f"{float(value):.{digits}f}"
        scaled = Fraction(value) * 10**digits
        whole = math.floor(abs(scaled) + Fraction(1, 2)) if way == 1 else round(abs(scaled))
        sign = "-" if scaled < 0 else ""
        text = f"{whole:0{digits + 1}d}"
        return f"{sign}{text[:-digits]}.{text[-digits:]}" if digits else f"{sign}{text}"

    def p(self, value, digits=None):
        """Return a p value, as an inequality where it would be zero."""
        digits = int(self.random.integers(1, 5)) if digits is None else digits
        if value < 10**-digits:
            return f"p < {10.0**-digits:.{digits}f}"
        return f"p = {self.printed(value, digits)}"

    def integer(self, low, high):
        return int(self.random.integers(low, high + 1))

    def chosen(self, *options):
        return options[self.integer(0, len(options) - 1)]


def proportions(draw):
    n = draw.integer(1, 400)
    count = draw.integer(0, n)
    percent = draw.printed(Fraction(100 * count, n))
    yield {"kind": "count", "text": draw.chosen(f"{count}/{n} ({percent} %)", f"{percent} % ({count}/{n})")}
    yield {"kind": "percent", "text": f"{percent} %", "n": str(n)}
    yield {"kind": "count", "text": f"{count} ({percent}%)", "n": str(n)}
    cuts = sorted(draw.integer(0, n) for _ in range(draw.integer(1, 4)))
    groups = [b - a for a, b in zip([0, *cuts], [*cuts, n], strict=True)]
    digits = draw.integer(0, 4)
    percents = "; ".join(draw.printed(Fraction(100 * group, n), digits) for group in groups)
    yield {"kind": "percents", "text": percents, "n": str(n)}
    yield {"kind": "count", "text": f"{n}", "parts": "; ".join(map(str, groups))}


def scores(draw):
    n, items = draw.integer(2, 150), draw.chosen(1, 1, 5, 7, 10)
    whole = [draw.integer(0, 4 * items) for _ in range(n)]
    values = [Fraction(score, items) for score in whole]
    mean = sum(values) / n
    variance = sum((value - mean) ** 2 for value in values) / (n - 1)
    sd = math.sqrt(variance)
    shared = {"n": str(n), "items": str(items), "range": "0 to 4"}
    yield {"kind": "mean", "text": draw.printed(mean), **shared}
    se = draw.printed(sd / math.sqrt(n))
    yield {"kind": "mean_sd", "text": f"{draw.printed(mean)} ({draw.printed(sd)})", "se": se, **shared}
    yield {"kind": "sd", "text": draw.printed(sd), "mean": draw.printed(mean), "se": se, **shared}
    yield {"kind": "se", "text": se, "sd": draw.printed(sd), "n": str(n)}
    other = Fraction(draw.integer(0, 400), 97)
    parts = f"{draw.printed(mean)}; {draw.printed(other)}"
    yield {"kind": "difference", "text": draw.printed(mean - other), "parts": parts}


def wald(draw):
    se = float(np.exp(draw.random.normal(-0.5, 1)))
    estimate = float(draw.random.normal(0, 2.5)) * se
    df = draw.chosen(None, float(draw.random.uniform(3, 400)), float(draw.integer(2, 60)))
    law = stats.norm if df is None else stats.t(df)
    t = estimate / se
    p = 2 * law.sf(abs(t))
    level = draw.chosen(90, 95, 99)
    reach = law.ppf(0.5 + level / 200)
    beside = {"estimate": draw.printed(estimate), "se": draw.printed(se)}
    known = {} if df is None else {"df": draw.printed(df)}
    test = "z" if df is None else "t"
    yield {"kind": "statistic", "text": draw.printed(draw.chosen(t, abs(t))), "test": test, **beside}
    yield {"kind": "estimate", "text": draw.printed(estimate), "se": draw.printed(se), "statistic": draw.printed(t)}
    yield {"kind": "se", "text": draw.printed(se), "estimate": draw.printed(estimate), "statistic": draw.printed(t)}
    yield {"kind": "p", "text": draw.p(p), **beside, **known}
    yield {"kind": "p", "text": draw.p(p), "test": test, "statistic": draw.printed(t), **known}
    yield {"kind": "p", "text": draw.p(p / 2), "sides": "one", **beside, **known}
    lower, upper = estimate - reach * se, estimate + reach * se
    limits = f"{draw.printed(lower)} to {draw.printed(upper)}"
    yield {"kind": "interval", "text": limits, "level": f"{level} %", **beside, **known}
    alone = {"interval": limits, "scale": "identity"}
    yield {"kind": "estimate", "text": draw.printed(estimate), **alone}
    yield {"kind": "p", "text": draw.p(p), "estimate": draw.printed(estimate), "level": f"{level} %", **alone, **known}
    ratio = math.exp(estimate)
    if abs(estimate) + reach * se < 8:
        limits = f"{draw.printed(math.exp(lower))}; {draw.printed(math.exp(upper))}"
        logged = {"estimate": draw.printed(ratio), "scale": "log", **known}
        yield {"kind": "interval", "text": limits, "level": f"{level} %", "se": draw.printed(se), **logged}
        yield {"kind": "p", "text": draw.p(p), "interval": limits, "level": f"{level} %", **logged}


def other_tests(draw):
    df = draw.integer(1, 12)
    x = float(draw.random.chisquare(df) * draw.random.uniform(0.5, 3))
    chi = {"test": "chi-square", "statistic": draw.printed(x), "df": str(df)}
    yield {"kind": "p", "text": draw.p(stats.chi2.sf(x, df)), **chi}
    df2 = draw.chosen(float(draw.integer(3, 300)), float(draw.random.uniform(3, 300)))
    f = float(stats.f.rvs(df, df2, random_state=draw.random)) * draw.random.uniform(0.5, 3)
    of_f = {"test": "F", "statistic": draw.printed(f), "df": str(df), "df2": draw.printed(df2)}
    yield {"kind": "p", "text": draw.p(stats.f.sf(f, df, df2)), **of_f}
    sides = [(draw.integer(0, n), n) for n in (draw.integer(4, 120), draw.integer(4, 120))]
    table = np.array([[events, n - events] for events, n in sides])
    if (table.sum(axis=0) > 0).all():
        name = draw.chosen("chi-square", "chi-square corrected", "Fisher")
        rates = "; ".join(f"{events}/{n}" for events, n in sides)
        statistic, p = stats.chi2_contingency(table, correction=name == "chi-square corrected")[:2]
        if name == "Fisher":
            p = stats.fisher_exact(table)[1]
        else:
            yield {"kind": "statistic", "text": draw.printed(statistic), "test": name, "rates": rates}
        yield {"kind": "p", "text": draw.p(p), "test": name, "rates": rates}
    L, k, n = float(draw.random.normal(-900, 300)), draw.integer(1, 30), draw.integer(10, 999)
    beside = {"log_likelihood": draw.printed(L), "parameters": str(k)}
    yield {"kind": "aic", "text": draw.printed(-2 * L + 2 * k), **beside}
    bic = draw.chosen(-2 * L + k * math.log(n), L - k * math.log(n) / 2)
    yield {"kind": "bic", "text": draw.printed(bic), draw.chosen("n", "n_rows"): str(n), **beside}


def of_data(draw, rows):
    visit = draw.chosen("inf1", "inf2", "inf3", "inf4")
    protocol = draw.chosen("four", "six")
    column = draw.chosen("madrs", "gad7")
    at = f"visit={visit}; protocol={protocol}"
    chosen = [row for row in rows if (row["visit"], row["protocol"]) == (visit, protocol)]
    values = [int(row[column]) for row in chosen if row[column]]
    n, mean = len(values), Fraction(sum(values), len(values))
    sd = float(np.std(values, ddof=1))
    asked = {"outcome": column, "at": at}
    yield {"kind": "mean", "text": draw.printed(mean), **asked}
    yield {"kind": "mean_sd", "text": f"{draw.printed(mean)} ({draw.printed(sd)})", "n": str(n), **asked}
    yield {"kind": "se", "text": draw.printed(sd / math.sqrt(n)), **asked}
    yield {"kind": "median", "text": draw.printed(Fraction(np.median(values))), **asked}
    cut = draw.integer(3, 40)
    count = sum(value <= cut for value in values)
    percent = draw.printed(Fraction(100 * count, n))
    yield {"kind": "count", "text": f"{count}/{n} ({percent} %)", "at": at, "event": f"{column} <= {cut}"}
    failed = draw.printed(Fraction(100 * count, len(chosen)))
    yield {"kind": "percent", "text": failed, "at": at, "event": f"{column} <= {cut}", "missing": "failure"}
    baseline = {row["subject"]: int(row["madrs"]) for row in rows if row["visit"] == "inf1"}
    pairs = [(baseline[row["subject"]], int(row["madrs"])) for row in chosen if row["madrs"]]
    change = Fraction(sum(y - b for b, y in pairs), len(pairs))
    yield {"kind": "mean", "text": draw.printed(change), "outcome": "change", "at": at}
    responded = sum(2 * (b - y) >= b for b, y in pairs)
    yield {
        "kind": "percent",
        "text": draw.printed(Fraction(100 * responded, len(pairs))),
        "at": at,
        "event": "response",
    }


def of_models(draw, fits):
    name = draw.chosen(*fits)
    fit = fits[name]
    if name == "classes":
        table, words = fit.coefficients(), {"statistic": "z"}
        row = table.iloc[draw.integer(4, len(table) - 2)]
        term = f"class[{row.latent_class}].beta[{row.parameter}]"
        g = draw.integer(1, 4)
        share = fit.class_shares[g - 1]
        yield {"kind": "share", "text": f"{draw.printed(100 * share)} %", "model": name, "term": f"class[{g}]"}
        yield {"kind": "bic", "text": draw.printed(draw.chosen(fit.bic, fit.bic_observations)), "model": name}
    else:
        table, words = fit.fixed_effects(), {"statistic": "t"}
        place = draw.integer(0, len(table) - 1)
        row, term = table.iloc[place], str(table.index[place])
        yield {"kind": "df", "text": draw.printed(row.df), "model": name, "term": term}
        yield {"kind": "aic", "text": draw.printed(fit.aic), "model": name}
    # As a program leaves it that stops a little early.
    off = row.estimate + row.standard_error * draw.random.uniform(-5e-5, 5e-5)
    asked = {"model": name, "term": term}
    yield {"kind": "estimate", "text": draw.printed(off), **asked}
    yield {"kind": "se", "text": draw.printed(row.standard_error), **asked}
    yield {"kind": "statistic", "text": draw.printed(row[words["statistic"]]), **asked}
    yield {"kind": "p", "text": draw.p(row.p), **asked}
    limits = f"{draw.printed(row.lower)} to {draw.printed(row.upper)}"
    yield {"kind": "interval", "text": limits, "level": "95 %", **asked}
    yield {"kind": "log_likelihood", "text": draw.printed(fit.log_likelihood), "model": name}


@pytest.fixture(scope="module")
def correct(spec, cohort):
    """Ten thousand claims as rows of a table."""
    draw = Printer(SEED)
    path = fixtures_folder() / "cohorts" / "ketamine_real.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    fits = {}
    for name, choice in spec.models.items():
        kept = keep_levels(cohort, choice.keep)
        fit = fit_gbtm_cohort if name == "classes" else fit_lmm_cohort
        fits[name] = fit(choice.spec, kept)
    made = []
    while len(made) < N_CLAIMS:
        for family in (proportions, scores, wald, wald, other_tests):
            made += family(draw)
        made += of_data(draw, rows)
        made += of_models(draw, fits)
    return made[:N_CLAIMS]


def test_no_correct_claim_is_called_inconsistent(correct, claims, cohort, spec):
    found = verify(claims(*correct), cohort, spec)
    false_alarms = [
        f"{one.claim.kind} {one.claim.text} {dict(one.claim.words)} {one.deciding[0].reason}"
        for one in found.judged
        if one.answer is Answer.INCONSISTENT
    ]
    assert false_alarms == []
    counts = Counter(one.answer for one in found.judged)
    # What is left unchecked has whole-number scores whose every mean is possible, or a standard error that may be 0.
    assert counts[Answer.CONSISTENT] > 0.9 * N_CLAIMS
    by_kind = Counter(one.claim.kind for one in found.judged if one.answer is Answer.CONSISTENT)
    assert min(by_kind.values()) > 50, by_kind


def test_two_units_of_the_last_digit_are_seen_wherever_the_data_are_exact(claims, cohort, spec):
    draw = Printer(SEED + 1)
    path = fixtures_folder() / "cohorts" / "ketamine_real.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    made = []
    for _ in range(40):
        for cells in of_data(draw, rows):
            if cells["kind"] in {"mean", "se", "median", "percent"}:
                digits = len(cells["text"].partition(".")[2])
                off = Fraction(cells["text"]) + draw.chosen(-2, 2) * Fraction(1, 10**digits)
                if off >= 0 or cells["kind"] == "mean":
                    made.append({**cells, "text": f"{float(off):.{digits}f}"})
    found = verify(claims(*made), cohort, spec)
    assert len(made) > 150
    assert {one.answer for one in found.judged} == {Answer.INCONSISTENT}
