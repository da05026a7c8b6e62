"""Rates and means of two groups as R's stats has them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.cases import Case, Spec, Support
from harness.convergence import Convergence, Stop
from harness.quantities import OptimumCovariance, Point, Quantity
from harness.references import wire
from harness.references.decoding import Answered, Decoded, input_evidence
from harness.references.requests import Request, request_of
from harness.two_samples.groups import quantities_of
from harness.two_samples.spec import MeansSpec, RatesSpec

_AT_AN_END = 1e-15
"""A share nearer than this to 0 or 1 is there by algebra."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """What R answered, by path."""

    by_path: dict[str, float | int]

    def quantities(self) -> tuple[Quantity, ...]:
        """Return every number that is defined."""
        return quantities_of(self.by_path)

    def optimum_covariance(self) -> OptimumCovariance | None:
        """Return that nothing was optimised."""
        return None


class _Formulas:
    """What the decoders of rates and means share: formulas have no parameters at which they could be evaluated."""

    def log_likelihood(self, value: float, n_observations: int) -> float:  # noqa: ARG002  # nothing to add
        """Return the value; nobody asks."""
        return value

    def can_evaluate(self, point: Point, spec: Spec) -> bool:  # noqa: ARG002  # nowhere
        """Return that there is no likelihood."""
        return False

    def not_given(self, spec: Spec) -> Mapping[str, str]:  # noqa: ARG002  # everything is given
        """Return that R gives everything."""
        return {}


class Rates(_Formulas):
    """prop.test, chisq.test, fisher.test and glm; Newcombe's and Wald's intervals by hand."""

    name = "rates"

    def support(self, spec: Spec) -> Support:
        """Return whether these are rates."""
        fits = isinstance(spec, RatesSpec)
        return Support(fit=fits, objective=fits, reason="" if fits else "rates compares rates only.")

    def request(self, case: Case) -> Request:
        """Return the case as R gets it."""
        spec = case.spec
        if not isinstance(spec, RatesSpec):
            raise TypeError(type(spec).__name__)
        letters = {"v1": spec.events, "v3": case.cohort.subject} | ({} if spec.by is None else {"v2": spec.by})
        by = None if spec.by is None else "v2"
        tree: dict[str, object] = {"events": "v1", "by": by, "subject": "v3", "total": None}
        if spec.total is not None:
            letters["v4"], tree["total"] = spec.total, "v4"
        columns = {f"v{5 + k}": name for k, name in enumerate(spec.covariates)}
        return request_of(case.cohort, letters | columns, {**tree, "covariates": wire.Text(columns)})

    def decode(self, answer: Answered, case: Case, request: Request) -> Decoded:  # noqa: ARG002  # it is in the request
        """Return R's numbers by path."""
        names = _names(answer, request)
        numbers: dict[str, float | int] = {}
        for k, name in enumerate(names):
            numbers |= {f"events[{name}]": round(answer["events"][k]), f"total[{name}]": round(answer["total"][k])}
            low, high = (_at_end(float(limit)) for limit in answer["limits"][:, k])
            numbers |= _three(f"rate[{name}]", (float(answer["rates"][k]), low, high))
        if len(names) > 1:
            numbers |= _compared(answer)
        columns = [*(["total"] if request.payload["spec"]["total"] is not None else []), "group"]
        return _decoded(numbers, answer, columns)

    def conventions(self, spec: Spec) -> tuple[str, ...]:  # noqa: ARG002  # the same for all
        """Return what R was asked anew."""
        return (
            "fisher.test's searches stop at four digits; its odds ratio and limits are searched again to the last.",
            "Limits of a rate within 1e-15 of 0 or 1 are 0 or 1, as they are by algebra.",
            "A p value that rounding took above 1 is 1.",
        )


class Means(_Formulas):
    """t.test of one or two samples."""

    name = "means"

    def support(self, spec: Spec) -> Support:
        """Return whether these are means."""
        fits = isinstance(spec, MeansSpec)
        return Support(fit=fits, objective=fits, reason="" if fits else "means compares means only.")

    def request(self, case: Case) -> Request:
        """Return the case as R gets it."""
        spec = case.spec
        if not isinstance(spec, MeansSpec):
            raise TypeError(type(spec).__name__)
        letters = {"v1": spec.outcome, "v3": case.cohort.subject} | ({} if spec.by is None else {"v2": spec.by})
        by = None if spec.by is None else "v2"
        return request_of(case.cohort, letters, {"outcome": "v1", "by": by, "subject": "v3"})

    def decode(self, answer: Answered, case: Case, request: Request) -> Decoded:  # noqa: ARG002  # it is in the request
        """Return R's numbers by path."""
        names = _names(answer, request)
        numbers: dict[str, float | int] = {}
        for k, name in enumerate(names):
            mean, error, low, high = map(float, answer["means"][:, k])
            numbers |= {f"n[{name}]": round(answer["n"][k]), f"mean[{name}].estimate": mean}
            numbers |= {f"mean[{name}].standard_error": error}
            numbers |= {f"mean[{name}].lower": low, f"mean[{name}].upper": high}
        if len(names) > 1:
            *three, p = map(float, answer["difference"])
            numbers |= _three("difference", three)
            numbers["welch.p_value"] = p
            numbers["standardised_difference.estimate"] = float(answer["standardised_difference"].item())
        return _decoded(numbers, answer, ["group"])

    def conventions(self, spec: Spec) -> tuple[str, ...]:  # noqa: ARG002  # the same for all
        """Return what differs by definition: nothing."""
        return ()


def _names(answer: Answered, request: Request) -> list[str]:
    """Return the names of the groups, which R calls by the levels of the factor."""
    if request.payload["spec"]["by"] is None:
        return ["all"]
    return [request.label(level, ["v2"]) for level in answer["groups"]]


def _compared(answer: Answered) -> dict[str, float | int]:
    numbers: dict[str, float | int] = {}
    for path in ("difference", "ratio", "odds_ratio", "conditional_odds_ratio"):
        numbers |= _three(path, answer[path])
    for path in ("chi_square", "chi_square_corrected"):
        statistic, p = map(float, answer[path])
        numbers |= {f"{path}.statistic": statistic, f"{path}.p_value": p}
    numbers["fisher.p_value"] = min(1.0, float(answer["fisher"].item()))
    numbers["standardised_difference.estimate"] = float(answer["standardised_difference"].item())
    if answer["adjusted_difference"] is not None:
        numbers |= _three("adjusted_difference", answer["adjusted_difference"])
    return numbers


def _three(path: str, values: Sequence[float]) -> dict[str, float | int]:
    return dict(zip((f"{path}.estimate", f"{path}.lower", f"{path}.upper"), map(float, values), strict=True))


def _at_end(limit: float) -> float:
    return round(limit) if min(abs(limit), abs(1 - limit)) < _AT_AN_END else limit


def _decoded(numbers: dict[str, float | int], answer: Answered, columns: Sequence[str]) -> Decoded:
    return Decoded(
        estimates=Numbers(by_path=numbers),
        optimum=None,
        evidence=input_evidence(answer, columns),
        convergence=Convergence(stop=Stop.OPTIMUM, message="formulas, without a search of our own"),
    )
