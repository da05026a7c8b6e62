"""Claims against models. The right numbers are those of lmerTest and emmeans (R 4.2.2) on the same rows."""

import pytest

from harness.claims import Answer
from harness.claims.fitted_models import fitted_model
from harness.claims.marginal_term import marginal_term
from harness.claims.printed import UnreadableError
from harness.errors import ClaimsError

YES, NO, OPEN = Answer.CONSISTENT, Answer.INCONSISTENT, Answer.NOT_CHECKABLE
CHANGE_FOUR = "visit: inf4 - inf1; protocol=four"
DIFFERENCE = "visit: inf4 - inf1; protocol: four - six"
WEEK = {"model": "slopes", "term": "week"}
MEAN = {"model": "visits", "term": "visit=inf3; protocol=six"}
DUNNETT = {"model": "visits", "term": CHANGE_FOUR, "adjust": "dunnett", "level": "95 %"}
CLASS = {"model": "classes"}


@pytest.mark.parametrize(
    ("cells", "answer", "cause"),
    [
        # lmer(madrs ~ week * protocol + (1 + week | subject)): -6.6840092, 0.54417405, 359.73275, -12.2828519
        ({"kind": "estimate", "text": "-6.684", **WEEK}, YES, ""),
        ({"kind": "estimate", "text": "-6.682", **WEEK}, NO, ""),
        ({"kind": "se", "text": "0.5447", **WEEK}, NO, ""),
        ({"kind": "estimate", "text": "-6.86", **WEEK}, NO, "two digits are transposed, for -6.68"),
        ({"kind": "estimate", "text": "-1.35", **WEEK}, NO, "it is that of protocol[six]"),
        ({"kind": "estimate", "text": "0.544", **WEEK}, NO, "it is the standard error"),
        ({"kind": "se", "text": "0.544", **WEEK}, YES, ""),
        ({"kind": "se", "text": "0.296", **WEEK}, NO, "it is the variance"),
        ({"kind": "df", "text": "359.7", **WEEK}, YES, ""),
        ({"kind": "df", "text": "358.7", **WEEK}, NO, ""),
        ({"kind": "statistic", "text": "12.28", **WEEK}, YES, ""),
        ({"kind": "p", "text": "0.132", "model": "slopes", "term": "protocol[six]"}, YES, ""),
        ({"kind": "p", "text": "0.066", "model": "slopes", "term": "protocol[six]", "sides": "one"}, YES, ""),
        ({"kind": "estimate", "text": "3.95", "model": "slopes", "term": "sigma"}, NO, ""),
        # AIC 6417.67, BIC 6456.916 by rows, 998 rows, 209 subjects, 8 parameters
        ({"kind": "aic", "text": "6417.7", "model": "slopes"}, YES, ""),
        ({"kind": "aic", "text": "6415.7", "model": "slopes"}, NO, "it counts 7 parameters"),
        ({"kind": "bic", "text": "6456.92", "model": "slopes"}, YES, ""),
        ({"kind": "count", "text": "998", "model": "slopes", "term": "n_observations"}, YES, ""),
        ({"kind": "count", "text": "208", "model": "slopes", "term": "n_subjects"}, NO, ""),
        # Of emmeans, 23.40203 (0.8336658, 285.89), and for inf4 - inf1 in four -10.569070
        ({"kind": "estimate", "text": "23.402", **MEAN}, YES, ""),
        ({"kind": "se", "text": "0.8337", **MEAN}, YES, ""),
        ({"kind": "df", "text": "285.9", **MEAN}, YES, ""),
        ({"kind": "interval", "text": "21.76 to 25.04", "level": "95 %", **MEAN}, YES, ""),
        ({"kind": "interval", "text": "21.76 to 25.04", **MEAN}, OPEN, ""),
        ({"kind": "estimate", "text": "-10.569", "model": "visits", "term": CHANGE_FOUR}, YES, ""),
        ({"kind": "estimate", "text": "-2.399", "model": "visits", "term": DIFFERENCE}, YES, ""),
        ({"kind": "estimate", "text": "2.399", "model": "visits", "term": DIFFERENCE}, NO, "its sign is turned"),
        ({"kind": "p", "text": "0.0436", "model": "visits", "term": DIFFERENCE}, YES, ""),
        # README: Dunnett by emmeans' mvt, -12.6296 to -8.50849
        (
            {"kind": "interval", "text": "-12.63 to -8.51", **DUNNETT},
            YES,
            "",
        ),
        (
            {"kind": "interval", "text": "-12.30 to -8.83", **DUNNETT},
            NO,
            "it is not adjusted",
        ),
        # anova(m): F 1.60735 on 3 and 374.94, p 0.18723
        ({"kind": "statistic", "text": "1.61", "test": "F", "model": "visits", "term": "visit:protocol"}, YES, ""),
        ({"kind": "p", "text": "0.187", "test": "F", "model": "visits", "term": "visit:protocol"}, YES, ""),
        ({"kind": "p", "text": "0.624", "test": "F", "model": "visits", "term": "visit:protocol"}, NO, ""),
        # flexmix: log-likelihood -3170.8475, shares 0.2351, 0.3178, 0.2401, 0.2070
        ({"kind": "log_likelihood", "text": "-3170.85", **CLASS}, YES, ""),
        ({"kind": "log_likelihood", "text": "-3170.95", **CLASS}, NO, ""),
        ({"kind": "share", "text": "31.8 %", "term": "class[2]", **CLASS}, YES, ""),
        ({"kind": "share", "text": "0.24", "term": "class[4]", **CLASS}, NO, "it is that of class[1].share"),
        ({"kind": "bic", "text": "6427.2", "unit": "subjects", **CLASS}, YES, ""),
        ({"kind": "bic", "text": "-3213.6", "convention": "log-likelihood", **CLASS}, YES, ""),
        ({"kind": "bic", "text": "-3226.1", "convention": "log-likelihood", "unit": "rows", **CLASS}, YES, ""),
        ({"kind": "estimate", "text": "4.617", "term": "sigma", **CLASS}, YES, ""),
        ({"kind": "df", "text": "200", "term": "class[1].beta[infusion]", **CLASS}, OPEN, ""),
        ({"kind": "entropy", "text": "0.80", **CLASS}, YES, ""),
    ],
)
def test_the_number_is_that_of_the_model_fitted_again(judge_with_models, cells, answer, cause):
    one = judge_with_models(**cells)
    assert one.answer is answer, [finding.reason for finding in one.findings]
    if cause:
        assert cause in one.causes


@pytest.mark.parametrize(
    ("cells", "column", "words"),
    [
        ({"kind": "estimate", "model": "slops", "term": "week"}, "model", "Did you mean 'slopes'"),
        ({"kind": "estimate", "model": "slopes"}, "term", "which number of the model"),
        ({"kind": "estimate", "model": "slopes", "term": "weak"}, "term", "Did you mean 'week'"),
        ({"kind": "estimate", "model": "slopes", "term": "visit=inf4"}, "term", "visit: no predictor"),
        ({"kind": "estimate", "model": "visits", "term": "visit=inf9; protocol=six"}, "term", "level 'inf9'"),
        ({"kind": "p", "model": "visits", "term": "visit=inf4", "adjust": "tukey"}, "adjust", "0 differences"),
        ({"kind": "p", "model": "visits", "term": "age", "test": "F"}, "term", "a term of the formula"),
        ({"kind": "estimate", "model": "classes", "term": "class[5].beta[infusion]"}, "term", "classes count from 1"),
        ({"kind": "share", "model": "slopes", "term": "class[1]"}, "model", "a model without classes"),
        ({"kind": "count", "model": "slopes", "term": "rows"}, "term", "one of n_subjects"),
    ],
)
def test_what_the_model_does_not_have_is_listed_by_line_and_column(judge_with_models, cells, column, words):
    with pytest.raises(ClaimsError) as caught:
        judge_with_models(**{"text": "1", **cells})
    assert [(problem.line, problem.column) for problem in caught.value.problems] == [(2, column)]
    assert words in str(caught.value)


@pytest.mark.parametrize("text", ["", "a", "a=", "a: b", "a: b-c", "a=1; a=2", "a: b - b", "; ", "x=1;" * 9])
def test_what_is_no_marginal_term_is_refused(text):
    with pytest.raises(UnreadableError):
        marginal_term(text)


@pytest.fixture(scope="module")
def judge_with_models(judged, cohort, spec):
    """Judge one claim; each model is fitted once for all tests."""
    known = {}

    def fitted_once(choice, rows):
        key = id(choice)
        if key not in known:
            known[key] = fitted_model(choice, rows)
        return known[key]

    def judge(**cells):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("harness.claims.verification.fitted_model", fitted_once)
            return judged(cohort, spec, **cells)

    return judge
