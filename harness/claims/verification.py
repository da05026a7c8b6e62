"""Judge all claims of a table: by arithmetic, against the data, against models fitted again."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from harness.claims.against_data import check_data, selection_problems
from harness.claims.against_models import check_model, model_problems
from harness.claims.claim import Claim
from harness.claims.claims_file import read_claims
from harness.claims.cohort_table import CohortTable, cohort_table
from harness.claims.criteria import check_criterion
from harness.claims.derived import described
from harness.claims.fitted_models import FittedModel, UnknownTermError, fitted_model
from harness.claims.granularity import check_granularity
from harness.claims.intervals import check_interval
from harness.claims.moments import check_spread
from harness.claims.possible import check_possible
from harness.claims.proportions import check_difference, check_percentages, check_proportion
from harness.claims.significance import check_estimate, check_p, check_standard_error, check_statistic
from harness.claims.span import OutOfReachError
from harness.claims.spec_file import ClaimsSpec, read_claims_spec
from harness.claims.verdict import Finding, Judged, Verification, not_checkable
from harness.cohorts.cohort import Cohort
from harness.cohorts.reading import read_cohort
from harness.cohorts.subset import keep_levels
from harness.errors import ClaimsError, Problem, nearest

Check = Callable[[Claim], Iterator[Finding]]
Progress = Callable[[str], None]

ARITHMETIC: Mapping[str, tuple[Check, ...]] = {
    "count": (check_proportion,),
    "percent": (check_proportion,),
    "percents": (check_percentages,),
    "mean": (check_granularity,),
    "sd": (check_granularity, check_spread),
    "mean_sd": (check_granularity, check_spread),
    "median": (check_granularity,),
    "minimum": (check_granularity,),
    "maximum": (check_granularity,),
    "difference": (check_difference,),
    "estimate": (check_estimate,),
    "se": (check_spread, check_standard_error),
    "statistic": (check_statistic,),
    "p": (check_p,),
    "interval": (check_interval,),
    "aic": (check_criterion,),
    "bic": (check_criterion,),
}
"""The checks of each kind that need no data."""

MOST_LISTED = 50


def verify_files(
    claims: Path, data: Path | None = None, spec: Path | None = None, progress: Progress = lambda _: None
) -> Verification:
    """Return the verdicts on the claims of a file; `data` and `spec` come together, or neither.

    Raises
    ------
    ClaimsError
        With everything that is wrong with the claims, or with the spec, or that the claims name and the spec or the
        data do not have.
    CohortError, SpecError
        The data break the spec's schema, or a model can't be fitted to them.
    """
    if (data is None) != (spec is None):
        found = "--data alone" if spec is None else "--spec alone"
        problem = Problem(found=found, expected="--data and --spec together, or neither")
        raise ClaimsError("harness verify", [problem])
    rows = read_claims(claims)
    if data is None or spec is None:
        return verify(rows, name=claims.stem, progress=progress)
    rules = read_claims_spec(spec)
    progress("reading the data")
    cohort = read_cohort(data, rules.schema)
    return verify(rows, cohort, rules, name=claims.stem, progress=progress)


def verify(
    claims: Sequence[Claim],
    cohort: Cohort | None = None,
    spec: ClaimsSpec | None = None,
    *,
    name: str = "claims",
    progress: Progress = lambda _: None,
) -> Verification:
    """Return the verdicts on claims, in their order.

    Parameters
    ----------
    claims
        As `read_claims` returns them.
    cohort, spec
        The data, and the models and derived columns that claims name; without a cohort only numbers printed beside
        each other are checked.
    name, progress
        For the report; what to do with a sentence about the work at hand.

    Raises
    ------
    ClaimsError
        With everything that claims name and the spec or the data do not have, by line and column.
    CohortError, SpecError
        The spec names what the data do not have, or a model can't be fitted to them.
    """
    findings: dict[str, list[Finding]] = {claim.id: list(_arithmetic(claim)) for claim in claims}
    notes: list[str] = []
    if cohort is None:
        for claim in claims:
            if claim.asks_data:
                findings[claim.id].append(not_checkable("the data", "no data are given"))
    else:
        kept = keep_levels(cohort, spec.keep) if spec is not None and spec.keep else cohort
        table = cohort_table(kept, () if spec is None else spec.derived)
        notes += [] if spec is None else map(described, spec.derived)
        _refuse(name, _name_problems(claims, table, spec))
        for claim in claims:
            if claim.asks_data and not claim.word("model"):
                findings[claim.id] += check_data(claim, table)
        if spec is not None:
            of_models, said = _check_models(claims, kept, spec, name, progress)
            notes += said
            for claim_id, found in of_models.items():
                findings[claim_id] += found
    judged = tuple(Judged(claim=claim, findings=tuple(findings[claim.id]) or _nothing(claim)) for claim in claims)
    return Verification(name=name, judged=judged, data="" if cohort is None else cohort.name, notes=tuple(notes))


def _arithmetic(claim: Claim) -> Iterator[Finding]:
    yield from check_possible(claim)
    for check in ARITHMETIC.get(claim.kind, ()):
        try:
            yield from check(claim)
        except OutOfReachError:
            yield not_checkable("the numbers beside it", "what follows from them is too large for a computer")


def _check_models(
    claims: Sequence[Claim], cohort: Cohort, spec: ClaimsSpec, where: str, progress: Progress
) -> tuple[Mapping[str, list[Finding]], list[str]]:
    """Return the findings of all claims that are of models, by id, and what a reader must know of these."""
    of_models = [claim for claim in claims if claim.word("model")]
    models: dict[str, FittedModel] = {}
    for name in dict.fromkeys(claim.word("model") for claim in of_models):
        progress(f"fitting the model {name}")
        models[name] = fitted_model(spec.models[name], cohort)
    problems: list[Problem] = []
    findings: dict[str, list[Finding]] = {}
    for claim in of_models:
        model = models[claim.word("model")]
        wrong = list(model_problems(claim, model))
        problems += wrong
        if wrong:
            continue
        try:
            findings[claim.id] = list(check_model(claim, model))
        except UnknownTermError as error:
            problems += error.problems
    _refuse(where, problems)
    return findings, [f"model {name}: {note}" for name, model in models.items() for note in model.numbers.notes]


def _name_problems(claims: Sequence[Claim], table: CohortTable, spec: ClaimsSpec | None) -> Iterator[Problem]:
    known = () if spec is None else tuple(spec.models)
    for claim in claims:
        model = claim.word("model")
        if model and model not in known:
            expected = f"one of {', '.join(known)}" if known else "none, because the spec has no models"
            yield claim.problem("model", f"model {model!r:.60}", expected, nearest(model, known))
        elif claim.asks_data and not model:
            yield from selection_problems(claim, table)


def _nothing(claim: Claim) -> tuple[Finding, ...]:
    reason = f"nothing is given that a claim of the kind {claim.kind} could be checked against"
    return (not_checkable("nothing", reason),)


def _refuse(where: str, problems: Iterator[Problem] | Sequence[Problem]) -> None:
    found = list(problems)
    if found:
        rest = len(found) - MOST_LISTED
        more = [Problem(found=f"{rest} more, which are not listed", expected="no problem")] if rest > 0 else []
        raise ClaimsError(f"claims {where}", [*found[:MOST_LISTED], *more])
