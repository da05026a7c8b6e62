"""Numbers printed beside each other. Constants marked R are R 4.2.2's; whole-number scores are enumerated."""

import statistics
from fractions import Fraction
from itertools import combinations_with_replacement

import pytest

from harness.claims import Answer
from harness.claims.granularity import possible_sums
from harness.claims.printed import decimal_text, number

YES, NO, OPEN = Answer.CONSISTENT, Answer.INCONSISTENT, Answer.NOT_CHECKABLE
F41 = {"test": "F", "statistic": "4.1", "df": "2"}
OR = {"estimate": "1.8", "se": "0.25", "scale": "log", "level": "95 %"}
WALD = {"estimate": "1.25", "se": "0.40", "df": "30", "level": "95 %"}
CHI = "chi-square"
RATES = "13/94; 31/115"
FIT = {"log_likelihood": "-3200.835", "parameters": "8"}


@pytest.mark.parametrize(
    ("cells", "answer", "cause"),
    [
        # counts and percentages
        ({"kind": "count", "text": "13/94 (13.8 %)"}, YES, ""),
        ({"kind": "count", "text": "13/94 (13.9 %)"}, NO, "it was rounded up"),
        ({"kind": "count", "text": "94/13"}, NO, ""),
        ({"kind": "count", "text": "13/0 (50 %)"}, NO, ""),
        ({"kind": "count", "text": "13/94", "n": "93"}, NO, ""),
        ({"kind": "percent", "text": "11.3 %", "count": "13", "n": "94"}, NO, "it is 13 of 115, another n"),
        ({"kind": "percent", "text": "86.2", "count": "13", "n": "94"}, NO, "it is the percentage of the other 81"),
        ({"kind": "percent", "text": "14.9 %", "count": "13", "n": "94"}, NO, "it is 14 of 94, another count"),
        (
            {"kind": "percent", "text": "66.6 %", "count": "2", "n": "3"},
            NO,
            "its last digits were cut off instead of rounded",
        ),
        ({"kind": "percent", "text": "12.5 %", "n": "8"}, YES, ""),
        ({"kind": "percent", "text": "13 %", "n": "8"}, YES, ""),  # 12.5 is rounded to 12 or to 13
        ({"kind": "percent", "text": "12 %", "n": "8"}, YES, ""),
        ({"kind": "percent", "text": "14 %", "n": "8"}, NO, "it is 1 of 7, another n"),
        ({"kind": "percent", "text": "14.1 %", "n": "2000"}, OPEN, ""),
        ({"kind": "percent", "text": "< 1 %", "count": "0", "n": "50"}, YES, ""),
        ({"kind": "percent", "text": "< 1 %", "count": "1", "n": "50"}, NO, ""),
        ({"kind": "percents", "text": "45; 30; 25"}, YES, ""),
        ({"kind": "percents", "text": "33; 33; 33"}, YES, ""),
        ({"kind": "percents", "text": "45; 30; 26.6"}, NO, ""),
        ({"kind": "percents", "text": "33.3; 33.3; 33.3", "n": "12"}, YES, ""),
        ({"kind": "percents", "text": "33.3; 33.3; 33.4", "n": "12"}, NO, ""),  # no count of 12 is 33.4 %
        ({"kind": "percents", "text": "14; 14; 72", "n": "8"}, NO, ""),
        ({"kind": "percents", "text": "33; 33; 33", "n": "40"}, NO, ""),  # each is 13 of 40, and 39 are not 40
        ({"kind": "count", "text": "209", "parts": "94; 115"}, YES, ""),
        ({"kind": "count", "text": "207", "parts": "94; 115"}, NO, ""),
        ({"kind": "count", "text": "115", "parts": "94; 115"}, NO, "the part 94 was left out"),
        ({"kind": "percent", "text": "38.4", "parts": "20.1; 18.2"}, YES, ""),
        ({"kind": "percent", "text": "38.5", "parts": "20.1; 18.2"}, NO, ""),
        ({"kind": "difference", "text": "-5.8", "parts": "18.3; 24.1"}, YES, ""),
        ({"kind": "difference", "text": "-5.9", "parts": "18.3; 24.1"}, YES, ""),  # rounding allows 5.7 to 5.9
        ({"kind": "difference", "text": "5.8", "parts": "18.3; 24.1"}, NO, "the second is taken from the first"),
        ({"kind": "difference", "text": "-6.0", "parts": "18.3; 24.1"}, NO, ""),
        # what can't be
        ({"kind": "p", "text": "1.03"}, NO, ""),
        ({"kind": "p", "text": "1.00"}, OPEN, ""),
        ({"kind": "p", "text": "p < -0.05"}, NO, ""),
        ({"kind": "percent", "text": "120 %", "n": "50"}, NO, ""),
        ({"kind": "percents", "text": "120; -20"}, NO, ""),
        ({"kind": "share", "text": "120 %"}, NO, ""),
        ({"kind": "share", "text": "1.2"}, NO, ""),
        ({"kind": "se", "text": "-0.5", "sd": "4", "n": "64"}, NO, "its sign is turned"),
        ({"kind": "mean_sd", "text": "3.1 (-0.5)"}, NO, ""),
        ({"kind": "statistic", "text": "-4.1", "test": "F"}, NO, ""),
        (
            {"kind": "interval", "text": "0 to 1", "estimate": "9e9", "se": "9e9", "scale": "log", "level": "95 %"},
            YES,
            "",
        ),
        # means and spreads
        ({"kind": "mean", "text": "3.45", "n": "20", "items": "1"}, YES, ""),
        ({"kind": "mean", "text": "3.44", "n": "20", "items": "1"}, NO, "it is a mean of 18, another n"),
        ({"kind": "mean", "text": "3.44", "n": "18", "items": "5"}, YES, ""),
        ({"kind": "mean", "text": "3.4", "n": "20", "items": "1"}, OPEN, ""),
        # Ten scores with the mean 2.5 are least apart as five 2 and five 3: SD 0.527.
        ({"kind": "sd", "text": "0.53", "mean": "2.5", "n": "10", "items": "1"}, YES, ""),
        ({"kind": "sd", "text": "0.24", "mean": "2.5", "n": "10", "items": "1"}, NO, ""),
        ({"kind": "mean", "text": "61.2", "range": "0 to 60"}, NO, ""),
        ({"kind": "maximum", "text": "61", "range": "0 to 60"}, NO, ""),
        ({"kind": "mean_sd", "text": "2.5 (2.9)", "n": "20", "range": "1 to 5"}, NO, ""),  # at most 1.99
        ({"kind": "mean_sd", "text": "2.5 (1.9)", "n": "20", "range": "1 to 5"}, YES, ""),
        ({"kind": "se", "text": "0.63", "sd": "6.79", "n": "115"}, YES, ""),
        ({"kind": "se", "text": "6.79", "sd": "6.79", "n": "115"}, NO, "it is the SD itself"),
        ({"kind": "se", "text": "0.74", "sd": "6.79", "n": "115"}, NO, "n is 83 to 85, another n"),
        ({"kind": "sd", "text": "0.63", "se": "0.63", "n": "115"}, NO, "it is the standard error itself"),
        ({"kind": "sd", "text": "6.8", "se": "0.63", "n": "115"}, YES, ""),
        ({"kind": "sd", "text": "6.8", "se": "0.63"}, OPEN, ""),
        # statistics and p values; R: pnorm, pt, pf, pchisq
        ({"kind": "statistic", "text": "2.03", "estimate": "2.40", "se": "1.183"}, YES, ""),
        ({"kind": "statistic", "text": "2.03", "estimate": "-2.40", "se": "1.183"}, YES, ""),
        ({"kind": "statistic", "text": "-2.03", "estimate": "2.40", "se": "1.183"}, NO, "its sign is turned"),
        ({"kind": "statistic", "text": "4.12", "estimate": "2.40", "se": "1.183", "test": "F"}, YES, ""),
        ({"kind": "statistic", "text": "2.03", "estimate": "2.4", "se": "0.0"}, OPEN, ""),
        ({"kind": "estimate", "text": "2.40", "se": "1.183", "statistic": "2.03"}, YES, ""),
        ({"kind": "estimate", "text": "2.50", "se": "1.183", "statistic": "2.03"}, NO, ""),
        ({"kind": "se", "text": "1.18", "estimate": "2.40", "statistic": "2.03"}, YES, ""),
        ({"kind": "se", "text": "1.28", "estimate": "2.40", "statistic": "2.03"}, NO, ""),
        ({"kind": "p", "text": "0.042", "test": "z", "statistic": "2.03"}, YES, ""),  # 0.042357
        ({"kind": "p", "text": "0.053", "test": "t", "statistic": "2.03", "df": "24.8"}, YES, ""),  # 0.053214
        ({"kind": "p", "text": "0.021", "test": "z", "statistic": "2.03"}, NO, "it is one-sided"),
        ({"kind": "p", "text": "0.021", "test": "z", "statistic": "2.03", "sides": "one"}, YES, ""),
        ({"kind": "p", "text": "0.042", "test": "z", "statistic": "2.03", "sides": "one"}, NO, "it is two-sided"),
        ({"kind": "p", "text": "p < 0.05", "test": "t", "statistic": "2.03", "df": "24.8"}, NO, ""),
        ({"kind": "p", "text": "p > 0.05", "test": "t", "statistic": "2.03", "df": "24.8"}, YES, ""),
        ({"kind": "p", "text": "0.022", **F41, "df2": "57"}, YES, ""),  # 0.021696
        ({"kind": "p", "text": "0.034", **F41, "df2": "57"}, NO, ""),
        ({"kind": "p", "text": "0.022", **F41}, OPEN, ""),
        ({"kind": "p", "text": "0.063", "test": CHI, "statistic": "7.3", "df": "3"}, YES, ""),  # 0.062926
        ({"kind": "p", "text": "0.026", "test": CHI, "statistic": "7.3", "df": "3"}, NO, ""),
        ({"kind": "p", "text": "0.000", "estimate": "2.663", "se": "0.656"}, YES, ""),
        ({"kind": "p", "text": "0.04", "estimate": "2.663", "se": "0.656"}, NO, ""),
        ({"kind": "p", "text": "0.09", "estimate": "1.25", "interval": "0.43 to 2.07", "level": "95 %"}, NO, ""),
        ({"kind": "p", "text": "0.003", "estimate": "1.25", "interval": "0.43 to 2.07", "level": "95 %"}, YES, ""),
        ({"kind": "p", "text": "0.003", "estimate": "1.25", "interval": "0.43 to 2.07"}, OPEN, ""),
        # R: prop.test, fisher.test
        ({"kind": "p", "text": "0.021", "test": CHI, "rates": RATES}, YES, ""),  # 0.020577
        (
            {"kind": "p", "text": "0.032", "test": CHI, "rates": RATES},
            NO,
            "it is that of the test chi-square corrected",
        ),
        ({"kind": "p", "text": "0.026", "test": CHI, "rates": RATES}, NO, "it is that of the test Fisher"),
        ({"kind": "p", "text": "0.026", "test": "Fisher", "rates": RATES}, YES, ""),  # 0.026214
        ({"kind": "statistic", "text": "5.36", "test": CHI, "rates": RATES}, YES, ""),  # 5.362271
        (
            {"kind": "statistic", "text": "4.60", "test": CHI, "rates": RATES},
            NO,
            "it is that of the test chi-square corrected",
        ),
        ({"kind": "p", "text": "0.5", "test": "Fisher", "rates": "0/94; 0/115"}, OPEN, ""),
        # intervals; R: qt, qnorm
        ({"kind": "interval", "text": "0.43 to 2.07", **WALD}, YES, ""),  # 0.433091 to 2.066909
        ({"kind": "interval", "text": "0.57 to 1.93", **WALD}, NO, "it is a limit at 90 %"),
        ({"kind": "interval", "text": "0.85 to 1.65", **WALD}, NO, "it is one standard error away"),
        ({"kind": "interval", "text": "1.10 to 2.94", **OR}, YES, ""),  # 1.102737 to 2.938143
        ({"kind": "interval", "text": "1.31 to 2.29", **OR}, NO, ""),
        ({"kind": "interval", "text": "95 % CI 1.1 to 2.9", "estimate": "1.8", "se": "0.25", "scale": "log"}, YES, ""),
        ({"kind": "interval", "text": "1.1 to 2.9", "estimate": "1.8", "se": "0.25", "scale": "log"}, OPEN, ""),
        ({"kind": "interval", "text": "2.07 to 0.43"}, NO, ""),
        ({"kind": "interval", "text": "0.43 to 2.07", "estimate": "2.2"}, NO, ""),
        ({"kind": "interval", "text": "95 % CI 0.43 to 2.07", "level": "90 %"}, NO, ""),
        ({"kind": "estimate", "text": "1.25", "interval": "0.43 to 2.07"}, YES, ""),
        ({"kind": "estimate", "text": "1.35", "interval": "0.43 to 2.07", "scale": "identity"}, NO, ""),
        ({"kind": "estimate", "text": "1.80", "interval": "1.10 to 2.94", "scale": "log"}, YES, ""),
        ({"kind": "estimate", "text": "2.02", "interval": "1.10 to 2.94", "scale": "log"}, NO, ""),
        # criteria; lme4: AIC 6417.67, BIC 6456.916 with 998 rows
        ({"kind": "aic", "text": "6417.67", **FIT}, YES, ""),
        ({"kind": "aic", "text": "6415.67", **FIT}, NO, "it counts 7 parameters"),
        ({"kind": "bic", "text": "6456.9", "n_rows": "998", **FIT}, YES, ""),
        ({"kind": "bic", "text": "6456.9", "n_rows": "998", "n": "209", **FIT}, YES, ""),
        (
            {"kind": "bic", "text": "6456.9", "n_rows": "998", "n": "209", "unit": "subjects", **FIT},
            NO,
            "it is -2L + k log 998 (rows)",
        ),
        ({"kind": "bic", "text": "6444.4", "n_rows": "998", "n": "209", "unit": "subjects", **FIT}, YES, ""),
        ({"kind": "bic", "text": "-3228.46", "n_rows": "998", **FIT}, YES, ""),
        ({"kind": "bic", "text": "6456.9", "n": "209", "unit": "rows", **FIT}, OPEN, ""),
        ({"kind": "bic", "text": "6456.9", "log_likelihood": "-3200.835"}, OPEN, ""),
        ({"kind": "entropy", "text": "0.8"}, OPEN, ""),
        ({"kind": "mean", "text": "3.4"}, OPEN, ""),
    ],
)
def test_the_verdict_and_its_cause(judged, cells, answer, cause):
    one = judged(**cells)
    assert one.answer is answer, [finding.reason for finding in one.findings]
    assert all(finding.reason for finding in one.findings)
    if cause:
        assert cause in one.causes


@pytest.mark.parametrize(("n", "items", "highest"), [(3, 1, 6), (5, 1, 4), (4, 2, 2), (2, 3, 3), (7, 1, 2)])
def test_means_and_sds_of_all_whole_number_scores_are_possible(judged, n, items, highest):
    prints = set()
    for scores in combinations_with_replacement(range(highest * items + 1), n):
        values = [Fraction(score, items) for score in scores]
        mean, variance = sum(values) / n, statistics.variance(values)
        for digits in (1, 2):
            prints.add((decimal_text(mean, digits), f"{float(variance) ** 0.5:.{digits}f}"))
    for mean, sd in prints:
        cells = {"n": str(n), "items": str(items), "range": f"0 to {highest}"}
        assert judged(kind="mean_sd", text=f"{mean} ({sd})", **cells).answer is not NO, (mean, sd)


def test_of_all_prints_of_a_mean_exactly_those_that_scores_have_are_possible():
    """Enumerated: 13 whole-number scores from 0 to 3 have 40 means; to two decimals 40 of 301 prints are possible."""
    n = 13
    means = {decimal_text(Fraction(total, n), 2) for total in range(3 * n + 1)}
    for hundredths in range(301):
        text = decimal_text(Fraction(hundredths, 100), 2)
        assert bool(possible_sums(number(text).span(), n, 1)) == (text in means)


def test_the_sds_that_five_scores_can_not_have_are_found(judged):
    """Enumerated: whole deviations of five scores from their mean 2 that add up to 0, squares up to 40."""
    squares = {
        sum(step * step for step in (*steps, -sum(steps))) for steps in combinations_with_replacement(range(-7, 8), 4)
    }
    possible = {f"{(total / 4) ** 0.5:.2f}" for total in squares if total <= 40}
    shared = {"kind": "sd", "mean": "2.0", "n": "5", "items": "1"}
    prints = [decimal_text(Fraction(hundredths, 100), 2) for hundredths in range(317)]
    assert {text for text in prints if judged(text=text, **shared).answer is YES} == possible
