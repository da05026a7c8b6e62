"""Another likelihood, another criterion, other points: what a wrong model or definition makes of the numbers."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from math import log, pi

from harness.cases import Case
from harness.comparison.yardstick import LOG_LIKELIHOOD, number
from harness.engines import OurSide, solve
from harness.errors import SpecError
from harness.lmm.spec import LmmSpec
from harness.quantities import ObjectiveValue, Reading, Value
from harness.selftest.misleading import DECIMALS_OF_AIC, THIRD_DECIMAL
from harness.selftest.mutation import Corruption, Mutation
from harness.selftest.numbers import OBJECTIVE, Number, quantities_by_path, with_numbers
from harness.selftest.pinned import Pinned


def _likelihoods(pinned: Pinned) -> list[Number]:
    return [each for each in pinned.numbers if each.path == LOG_LIKELIHOOD or each.path.startswith(OBJECTIVE)]


def _mutation(name: str, sentence: str, changed: Callable[[float, float], float]) -> Mutation:
    """Return the mutation of every log-likelihood of a pin; `changed` is given it and the number of rows."""

    def corruptions(pinned: Pinned) -> Iterator[Corruption]:
        evidence = pinned.comparison.left.evidence
        if evidence is None:
            return
        n = float(evidence.n_observations)
        wrong: dict[str, Value] = {each.path: changed(number(each.value), n) for each in _likelihoods(pinned)}
        if wrong:
            yield Corruption(paths=tuple(wrong), right=with_numbers(pinned.reading, wrong))

    return Mutation(name=name, sentence=sentence, corruptions=corruptions)


def _other_criterion(pinned: Pinned) -> Iterator[Corruption]:
    """Yield what the reference would say if it had maximised the other criterion: our own fit by that one."""
    spec = pinned.case.spec
    if not isinstance(spec, LmmSpec):
        return
    other = _fitted_by_the_other(pinned.case)
    said = quantities_by_path(_said_by(other, pinned.reference))
    own = quantities_by_path(pinned.reading)
    wrong = {path: said[path].value for path in own if path in said and not path.startswith("n_")}
    objective = tuple(
        replace(value, log_likelihood=other.log_likelihood(value.point)) for value in pinned.reading.objective
    )
    expected = [each for each in _likelihoods(pinned) if each.path in wrong or each.path.startswith(OBJECTIVE)]
    far = tuple(each.path for each in expected)
    if not far:  # without a likelihood its variances tell it
        far = tuple(
            each.path
            for each in pinned.numbers
            if each.path in wrong
            and not isinstance(each.value, bool | str)
            and abs(number(wrong[each.path]) - number(each.value)) >= each.matters
        )
    if far:
        right = replace(with_numbers(pinned.reading, wrong), objective=objective)
        yield Corruption(paths=far, right=right)


def _said_by(other: OurSide, reference: str) -> Reading:
    """Return its numbers as the reference defines them, or its estimates where that needs REML."""
    try:
        return other.reading(against=reference)
    except SpecError:
        return other.reading(against="lme4")


@lru_cache(maxsize=1)
def _fitted_by_the_other(case: Case) -> OurSide:
    """Return our fit by the criterion that the case does not name; remembered for the references of one case."""
    if not isinstance(case.spec, LmmSpec):
        raise TypeError(case.name)
    return solve(replace(case, spec=replace(case.spec, criterion="ML" if case.spec.criterion == "REML" else "REML")))


def _restricted_term(pinned: Pinned) -> Iterator[Corruption]:
    """Yield the log-likelihoods without the constant p/2 log(2 pi) that the restricted one owes to p fixed effects."""
    effects = sum(q.path.startswith("fixed[") and q.path.endswith(".estimate") for q in pinned.reading.quantities)
    if isinstance(pinned.case.spec, LmmSpec) and pinned.case.spec.criterion == "REML" and effects:
        less = effects / 2 * log(2 * pi)
        wrong: dict[str, Value] = {each.path: number(each.value) - less for each in _likelihoods(pinned)}
        if wrong:
            yield Corruption(paths=tuple(wrong), right=with_numbers(pinned.reading, wrong))


def _penalty(name: str, sentence: str, start: str, changed: Callable[[float, Pinned], float | None]) -> Mutation:
    def corruptions(pinned: Pinned) -> Iterator[Corruption]:
        for each in pinned.numbers:
            if each.path.startswith(start) and each.path.endswith(".penalty"):
                wrong = changed(number(each.value), pinned)
                if wrong is not None and abs(wrong - number(each.value)) >= DECIMALS_OF_AIC:
                    yield Corruption(paths=(each.path,), right=with_numbers(pinned.reading, {each.path: wrong}))

    return Mutation(name=name, sentence=sentence, corruptions=corruptions)


def _bic_of_the_other_n(penalty: float, pinned: Pinned) -> float | None:
    """Return the penalty with subjects counted for rows, or rows for subjects."""
    evidence = pinned.comparison.left.evidence
    if evidence is None or evidence.n_subjects < 2:
        return None
    counts = log(evidence.n_observations), log(evidence.n_subjects)
    parameters = next((each.value for each in pinned.numbers if each.path == "n_parameters"), None)
    if parameters is None:
        return None
    k = number(parameters)
    nearer, other = sorted(counts, key=lambda count: abs(k * count - penalty))
    return penalty * other / nearer


def _neighbouring_points(pinned: Pinned) -> Iterator[Corruption]:
    """Yield each pair of neighbouring points with their log-likelihoods swapped."""
    said = pinned.reading.objective
    for a, b in pairwise(said):
        if abs(a.log_likelihood - b.log_likelihood) >= THIRD_DECIMAL:
            wrong: dict[str, Value] = {
                f"{OBJECTIVE}{a.label}]": b.log_likelihood,
                f"{OBJECTIVE}{b.label}]": a.log_likelihood,
            }
            yield from _if_agreeing(pinned, tuple(wrong), with_numbers(pinned.reading, wrong).objective)


def _moved_point(pinned: Pinned) -> Iterator[Corruption]:
    """Yield each log-likelihood, said to be that of a point a twentieth away."""
    for k, said in enumerate(pinned.reading.objective):
        moved = tuple(1.05 * value for value in said.point)
        if moved and any(said.point):
            yield from _with_point(pinned, k, replace(said, point=moved))


def _short_point(pinned: Pinned) -> Iterator[Corruption]:
    """Yield each log-likelihood, said to be that of a point with a parameter less."""
    for k, said in enumerate(pinned.reading.objective):
        if said.point:
            yield from _with_point(pinned, k, replace(said, point=said.point[:-1]))


def _with_point(pinned: Pinned, place: int, value: ObjectiveValue) -> Iterator[Corruption]:
    objective = pinned.reading.objective
    changed = (*objective[:place], value, *objective[place + 1 :])
    yield from _if_agreeing(pinned, (f"{OBJECTIVE}{value.label}]",), changed)


def _if_agreeing(pinned: Pinned, paths: tuple[str, ...], objective: tuple[ObjectiveValue, ...]) -> Iterator[Corruption]:
    agreeing = {each.path for each in pinned.numbers}
    if agreeing.issuperset(paths):
        yield Corruption(paths=paths, right=replace(pinned.reading, objective=objective))


LIKELIHOOD_MUTATIONS = (
    Mutation(name="the other criterion", sentence="ML stands for REML, or REML for ML.", corruptions=_other_criterion),
    Mutation(
        name="restricted constant",
        sentence="The restricted log-likelihood lacks the constant of its fixed effects.",
        corruptions=_restricted_term,
    ),
    _mutation("2 pi left out", "The log-likelihoods lack n/2 log(2 pi).", lambda value, n: value + n / 2 * log(2 * pi)),
    _mutation("deviance", "Deviances stand for log-likelihoods.", lambda value, _: -2 * value),
    _penalty("AIC of one parameter more", "AIC counts a parameter twice.", "aic", lambda penalty, _: penalty + 2),
    _penalty("AIC of one parameter less", "AIC leaves a parameter out.", "aic", lambda penalty, _: penalty - 2),
    _penalty("BIC of the other n", "BIC counts subjects for rows, or rows for subjects.", "bic", _bic_of_the_other_n),
    Mutation(
        name="log-likelihood of another point",
        sentence="The log-likelihoods at two points are swapped.",
        corruptions=_neighbouring_points,
    ),
    Mutation(
        name="at a point nearby",
        sentence="A log-likelihood belongs to parameters five per cent away.",
        corruptions=_moved_point,
    ),
    Mutation(
        name="point cut short",
        sentence="The parameters of a log-likelihood are one too few.",
        corruptions=_short_point,
    ),
)
"""What may go wrong with likelihoods and criteria."""
