"""Models that claims are of: each is fitted once, and asked for the term of each claim."""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Protocol

from harness.claims import noise
from harness.claims.claim import Claim
from harness.claims.criteria import Reading
from harness.claims.marginal_term import adjustment_problem, marginal_numbers, marginal_term
from harness.claims.numbers_of_models import ModelNumbers, TermNumbers
from harness.claims.printed import UnreadableError
from harness.claims.span import around
from harness.claims.spec_file import ModelChoice
from harness.cohorts.cohort import Cohort
from harness.cohorts.subset import keep_levels
from harness.errors import Problem, SpecError, nearest
from harness.gbtm.estimates import path_of
from harness.gbtm.result import GbtmResult, fit_gbtm_cohort
from harness.gbtm.spec import GbtmSpec
from harness.lmm.likelihood.criteria import counts_of, information_criteria
from harness.lmm.result import LmmResult, fit_lmm_cohort

_CLASS = re.compile(r"class\[[0-9]+\]")
COUNTS = ("n_subjects", "n_observations", "n_parameters")
OF_TERMS = ("estimate", "se", "statistic", "df", "p", "interval")


class UnknownTermError(Exception):
    """A term that a model does not have; `problems` are those of the claim."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(problems)
        self.problems = problems


class FittedModel(Protocol):
    """A model that can be asked."""

    @property
    def numbers(self) -> ModelNumbers:
        """What it says of itself."""
        ...

    def term(self, claim: Claim, level: float) -> TermNumbers:
        """Return the numbers of a claim's term, limits at a level.

        Raises
        ------
        UnknownTermError
            The model does not have it.
        """
        ...

    def other_terms(self, claim: Claim, level: float) -> Iterator[TermNumbers]:
        """Yield the numbers of all other terms, which a print may have confused with this one."""
        ...


def fitted_model(choice: ModelChoice, cohort: Cohort) -> FittedModel:
    """Return a model fitted to the rows of a cohort that it keeps.

    Raises
    ------
    CohortError, SpecError
        `keep` names what the cohort does not have, or the model can't be fitted to these rows.
    """
    rows = keep_levels(cohort, choice.keep) if choice.keep else cohort
    if isinstance(choice.spec, GbtmSpec):
        return FittedGbtm(fit_gbtm_cohort(choice.spec, rows))
    return FittedLmm(fit_lmm_cohort(choice.spec, rows), choice.df)


class FittedLmm:
    """A linear mixed model; terms are fixed effects, marginal means and contrasts, F tests of terms, and variances."""

    def __init__(self, result: LmmResult, df: str) -> None:
        self.result, self.df = result, df
        self._tables: dict[float, Mapping[str, TermNumbers]] = {}

    @property
    def numbers(self) -> ModelNumbers:
        """What it says of itself."""
        own = self.result.estimates
        stop = self.result.convergence
        note = () if stop.stop.value == "optimum" else (f"{stop.stop.value}: {stop.message}",)
        return ModelNumbers(
            log_likelihood=own.log_likelihood,
            n_parameters=own.n_parameters,
            n_subjects=own.n_subjects,
            n_observations=own.n_observations,
            notes=note,
            criteria=tuple(self._criteria()),
        )

    def term(self, claim: Claim, level: float) -> TermNumbers:
        """Return the numbers of a fixed effect, else of a parameter, else of a marginal mean or contrast."""
        name, adjust = claim.word("term"), claim.word("adjust", "none")
        if claim.word("test") == "F":
            return self._of_table(claim, name)
        table = self._coefficients(level)
        if name in table and adjust == "none":
            return table[name]
        parameters = self._parameters()
        if name in parameters and adjust == "none":
            return parameters[name]
        try:
            wanted = marginal_term(name)
        except UnreadableError:
            known = (*table, *parameters)
            expected = "a fixed effect, or levels such as visit: inf4 - inf1; protocol=six"
            advice = nearest(name, known) or f"Known are {', '.join([*known][:20])}."
            raise UnknownTermError(claim.problem("term", f"{name!r:.80}", expected, advice)) from None
        if adjust != "none" and (lacking := adjustment_problem(wanted)):
            raise UnknownTermError(claim.problem("adjust", lacking, "none, or a term with one difference"))
        try:
            return marginal_numbers(self.result, wanted, self.df, level=level, adjust=adjust)
        except SpecError as error:
            wrong = (
                f"{problem.column}: {problem.found}" if problem.column else problem.found for problem in error.problems
            )
            first = error.problems[0]
            raise UnknownTermError(claim.problem("term", "; ".join(wrong), first.expected, first.advice)) from None

    def other_terms(self, claim: Claim, level: float) -> Iterator[TermNumbers]:
        """Yield all other fixed effects where the claim is of one."""
        table = self._coefficients(level)
        if claim.word("term") in table:
            yield from (numbers for name, numbers in table.items() if name != claim.word("term"))

    def _criteria(self) -> Iterator[tuple[str, Reading]]:
        """Yield AIC and BIC as lme4, nlme, SAS and mmrm define them; the first two count rows."""
        counts = counts_of(self.result.design, self.result.fit.deviance, self.result.estimates)
        for row in information_criteria(counts):
            kind = row.name.lower()
            if kind in {"aic", "bic"}:
                unit = "" if kind == "aic" else "subjects" if row.engine in {"SAS", "mmrm"} else "rows"
                value = around(row.value, 2 * noise.LOG_LIKELIHOOD)
                formula = f"{row.formula} ({row.engine})"
                yield kind, Reading(formula=formula, unit=unit, convention="deviance", value=value)

    def _coefficients(self, level: float) -> Mapping[str, TermNumbers]:
        if level not in self._tables:
            self._tables[level] = self._table(level)
        return self._tables[level]

    def _table(self, level: float) -> Mapping[str, TermNumbers]:
        inference = self.result.inference(self.df)
        table = self.result.fixed_effects(self.df, level=level)
        return {
            str(name): TermNumbers(
                name=str(name),
                estimate=row["estimate"],
                standard_error=row["standard_error"],
                df=row["df"],
                statistic=row["t"],
                p=row["p"],
                lower=row["lower"],
                upper=row["upper"],
                words=inference.method.name,
            )
            for name, row in zip(table.index, table.to_dict("records"), strict=True)
        }

    def _parameters(self) -> Mapping[str, TermNumbers]:
        """Return variances and standard deviations by their paths in reports."""
        return {
            quantity.path.removesuffix(".estimate"): TermNumbers(
                name=quantity.path.removesuffix(".estimate"),
                estimate=float(quantity.value),
                standard_error=math.nan if quantity.standard_error is None else quantity.standard_error,
            )
            for quantity in self.result.estimates.quantities()
            if quantity.path.startswith(("sigma", "random.covariance", "residual"))
        }

    def _of_table(self, claim: Claim, name: str) -> TermNumbers:
        """Return F and p of a term in the table of type III."""
        table = self.result.anova("III", self.df)
        if name not in table.terms:
            advice = nearest(name, table.terms)
            expected = f"a term of the formula, one of {', '.join(table.terms)}"
            raise UnknownTermError(claim.problem("term", f"{name!r:.80}", expected, advice))
        place = table.terms.index(name)
        return TermNumbers(
            name=f"F test of {name}, type III",
            estimate=math.nan,
            df=float(table.df2[place]),
            statistic=float(table.F[place]),
            p=float(table.p[place]),
            words=table.method.name,
        )


class FittedGbtm:
    """A trajectory model; terms are paths such as class[2].beta[week] or class[1].share."""

    def __init__(self, result: GbtmResult) -> None:
        self.result = result
        self._tables: dict[float, Mapping[str, TermNumbers]] = {}

    @property
    def numbers(self) -> ModelNumbers:
        """What it says of itself, with the other optima of its search."""
        own = self.result.estimates
        others = [
            (f"it is that of another optimum, whose log-likelihood is {optimum.log_likelihood:.3f}", optimum)
            for place, optimum in enumerate(self.result.fit.optima)
            if place != self.result.fit.chosen
        ]
        return ModelNumbers(
            log_likelihood=own.log_likelihood,
            n_parameters=own.n_parameters,
            n_subjects=own.n_subjects,
            n_observations=own.n_observations,
            entropy=own.entropy,
            notes=self.result.warnings,
            optima=tuple((sentence, optimum.log_likelihood) for sentence, optimum in others[:20]),
        )

    def term(self, claim: Claim, level: float) -> TermNumbers:
        """Return the numbers of a parameter; the share of class g has the term class[g]."""
        name = claim.word("term")
        table = self._coefficients(level)
        path = f"{name}.share" if claim.kind == "share" and _CLASS.fullmatch(name) else name
        if path in table:
            return table[path]
        advice = nearest(name, table) or f"Known are {', '.join([*table][:20])}."
        raise UnknownTermError(
            claim.problem("term", f"{name!r:.80}", "a parameter, such as class[1].share; classes count from 1", advice)
        )

    def other_terms(self, claim: Claim, level: float) -> Iterator[TermNumbers]:
        """Yield the same parameter of the other classes."""
        own = self.term(claim, level)
        ending = own.name.partition(".")[2]
        for name, numbers in self._coefficients(level).items():
            if ending and name != own.name and name.partition(".")[2] == ending:
                yield numbers

    def _coefficients(self, level: float) -> Mapping[str, TermNumbers]:
        if level not in self._tables:
            self._tables[level] = self._table(level)
        return self._tables[level]

    def _table(self, level: float) -> Mapping[str, TermNumbers]:
        own = self.result.estimates
        table = self.result.coefficients(level)
        paths = [f"class[{g}].share" for g in range(1, own.n_classes + 1)]
        paths += [path_of(own.parameters[k]) for k in own.reported]
        return {
            path: TermNumbers(
                name=path,
                estimate=row["estimate"],
                standard_error=row["standard_error"],
                statistic=row["z"],
                p=row["p"],
                lower=row["lower"],
                upper=row["upper"],
                words="z tests",
            )
            for path, row in zip(paths, table.to_dict("records"), strict=True)
        }
