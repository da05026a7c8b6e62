"""More than two engines on one case: where one of them stands alone.

Engines are put side by side only where they speak of the same thing: a quantity counts for those engines against which
our own value is the same, because against an engine with a definition of its own ours is given under that definition.
Engines that go on from the fit of another have no vote beside it: they would only repeat it.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import isnan

from harness.comparison.alignment import relabelled
from harness.comparison.rules import judge_pair
from harness.comparison.verdict import Comparison, Outcome, Verdict
from harness.comparison.yardstick import Yardstick, number, yardstick
from harness.quantities import Kind, Quantity, Reading, Value
from harness.roster import whose_fit

FEWEST = 3
"""With fewer engines nobody can be outvoted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dissent:
    """A quantity on which not all engines agree; `dissenter` is None where no single engine stands alone."""

    quantity: str
    values: Mapping[str, Value]
    dissenter: str | None
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Consensus:
    """What the engines of one case say together; `engines` are those with a vote.

    `unanimous` counts the quantities that three or more of them give and on which all of these agree.
    """

    case: str
    engines: tuple[str, ...]
    unanimous: int
    dissents: tuple[Dissent, ...]
    sentence: str


def consensus(case: str, comparisons: Sequence[Comparison]) -> Consensus | None:
    """Return where all engines of a case agree and who stands alone; None if fewer than three gave an answer.

    Each pair of engines is judged as if it were compared by itself: by the rule of the quantity's kind and the limit
    that holds between the two. Scales, such as standard errors, are ours for all pairs, as in every comparison. Where
    ours is the odd one out, ours is named.
    """
    answered = [one for one in comparisons if one.left.failure is None and one.right.failure is None]
    sides = [_Side.of(one) for one in _with_own_fits(answered)]
    if len(sides) + 1 < FEWEST:
        return None
    votes = [vote for path in _paths(sides) if (vote := _vote(path, sides)) is not None]
    dissents = tuple(dissent for vote in votes if (dissent := _dissent(vote)) is not None)
    engines = (sides[0].ours, *(side.engine for side in sides))
    return Consensus(
        case=case,
        engines=engines,
        unanimous=len(votes) - len(dissents),
        dissents=dissents,
        sentence=_summary(len(engines), len(votes), dissents),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """One comparison, by path: what ours says there, what the reference says, and the verdicts on the two."""

    ours: str
    engine: str
    left: Mapping[str, Quantity]
    right: Mapping[str, Quantity]
    verdicts: Mapping[str, Verdict]
    scales: Yardstick

    @classmethod
    def of(cls, comparison: Comparison) -> "_Side":
        right = relabelled(comparison.right, comparison.permutation)
        return cls(
            ours=comparison.left.engine,
            engine=right.engine,
            left={**_by_path(comparison.left), **_objectives(comparison, ours=True)},
            right={**_by_path(right), **_objectives(comparison, ours=False)},
            verdicts={verdict.quantity: verdict for verdict in comparison.verdicts},
            scales=yardstick(comparison.left, right, comparison.evidence.effect_errors),
        )

    def gives(self, path: str) -> bool:
        """Return whether both sides give the quantity and it was judged."""
        verdict = self.verdicts.get(path)
        judged = verdict is not None and verdict.outcome is not Outcome.NOT_COMPARED
        return judged and path in self.left and path in self.right and self.left[path].kind is self.right[path].kind


@dataclass(frozen=True, slots=True, kw_only=True)
class _Vote:
    """What each engine says of one quantity, ours first, and the verdict on each pair."""

    quantity: str
    values: Mapping[str, Value]
    pairs: Mapping[tuple[str, str], Verdict]

    def agree(self, *engines: str) -> bool:
        """Return whether all of these engines agree with one another."""
        return all(
            verdict.outcome is Outcome.AGREE
            for pair, verdict in self.pairs.items()
            if pair[0] in engines and pair[1] in engines
        )


def _with_own_fits(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """Return one comparison a fit: that with the engine that made it where there is one, else the first."""
    by_fit: dict[str, Comparison] = {}
    for comparison in comparisons:
        name = comparison.right.engine
        fit = whose_fit(name)
        if fit == name:
            by_fit[fit] = comparison
        else:
            by_fit.setdefault(fit, comparison)
    return list(by_fit.values())


def _paths(sides: Sequence[_Side]) -> Iterator[str]:
    """Yield what two references or more give, in the order of our own quantities."""
    counts = Counter(path for side in sides for path in side.right if side.gives(path))
    return (path for path, count in counts.items() if count + 1 >= FEWEST)


def _vote(path: str, sides: Sequence[_Side]) -> _Vote | None:
    """Return the verdicts on all pairs of engines that speak of the same thing; None if fewer than three do."""
    giving = [side for side in sides if side.gives(path)]
    # Against most engines ours is the estimate itself; against the others it is under their definition.
    meant, _ = Counter(_same(side.left[path]) for side in giving).most_common(1)[0]
    giving = [side for side in giving if _same(side.left[path]) == meant]
    if len(giving) + 1 < FEWEST:
        return None
    ours = giving[0].left[path]
    pairs = {(side.ours, side.engine): side.verdicts[path] for side in giving}
    for one, other in combinations(giving, 2):
        scales = replace(one.scales, engines=(one.engine, other.engine))
        # A pin holds no standard errors beside its values, so that ours are the scale for all.
        left = replace(one.right[path], standard_error=ours.standard_error)
        pairs[one.engine, other.engine] = judge_pair(left, replace(other.right[path], standard_error=None), scales)
    values = {giving[0].ours: ours.value} | {side.engine: side.right[path].value for side in giving}
    return _Vote(quantity=path, values=values, pairs=pairs)


def _dissent(vote: _Vote) -> Dissent | None:
    """Return who stands alone, or that the engines are divided; None if all agree."""
    engines = tuple(vote.values)
    if vote.agree(*engines):
        return None
    alone = [name for name in engines if vote.agree(*(other for other in engines if other != name))]
    dissenter = alone[0] if len(alone) == 1 else None
    sentence = _divided(vote) if dissenter is None else _stands_alone(vote, dissenter)
    return Dissent(quantity=vote.quantity, values=vote.values, dissenter=dissenter, sentence=sentence)


def _stands_alone(vote: _Vote, dissenter: str) -> str:
    others = [name for name in vote.values if name != dissenter]
    apart = [verdict for pair, verdict in vote.pairs.items() if dissenter in pair and not _agrees(verdict)]
    return f"{dissenter} stands alone, {_how_far(apart)}; {_listed(others)} agree."


def _divided(vote: _Vote) -> str:
    """Say which engines agree with one another."""
    camps: list[list[str]] = []
    for name in vote.values:
        own = next((camp for camp in camps if vote.agree(name, *camp)), None)
        if own is None:
            camps.append([name])
        else:
            own.append(name)
    apart = [verdict for verdict in vote.pairs.values() if not _agrees(verdict)]
    told = "; ".join(f"{_listed(camp)} agree" if len(camp) > 1 else f"{camp[0]} stands apart" for camp in camps)
    return f"No single engine stands alone, {_how_far(apart)}: {told}."


def _how_far(verdicts: Sequence[Verdict]) -> str:
    """Return the smallest and the largest difference between engines that do not agree."""
    measured = [verdict for verdict in verdicts if verdict.observed is not None and not isnan(verdict.observed)]
    if len(measured) < len(verdicts):
        return next(verdict.reason or "not a number" for verdict in verdicts if verdict not in measured)
    least, most = (pick(measured, key=lambda verdict: verdict.observed or 0.0) for pick in (min, max))
    span = " to ".join(dict.fromkeys(f"{verdict.observed:.2g}" for verdict in (least, most)))
    return f"{span} {most.metric} apart (limit {most.limit:.2g})"


def _summary(n_engines: int, n_quantities: int, dissents: Sequence[Dissent]) -> str:
    if not dissents:
        return f"{n_engines} engines agree on all of {n_quantities} quantities that three or more of them give."
    alone = Counter(dissent.dissenter for dissent in dissents)
    told = [f"{name} stands alone on {count}" for name, count in alone.most_common() if name is not None]
    told += [f"on {alone[None]} no single engine does"] if None in alone else []
    return f"Of {n_quantities} quantities that three engines or more give, {'; '.join(told)}."


def _by_path(reading: Reading) -> dict[str, Quantity]:
    return {quantity.path: quantity for quantity in reading.quantities if quantity.kind is not Kind.DIAGNOSTIC}


def _objectives(comparison: Comparison, *, ours: bool) -> dict[str, Quantity]:
    """Return the log-likelihoods at the same parameters, named as the judge names them."""
    found = {}
    for pair in comparison.evidence.objectives:
        path = f"objective[{pair.label}]"
        found[path] = Quantity(path=path, kind=Kind.OBJECTIVE, value=pair.left if ours else pair.right)
    return found


def _same(quantity: Quantity) -> object:
    """Return what two of our own values must share to be one and the same; the last digit may be rounded otherwise."""
    value = quantity.value
    return quantity.kind, f"{number(value):.12g}" if isinstance(value, float) else value


def _agrees(verdict: Verdict) -> bool:
    return verdict.outcome is Outcome.AGREE


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
