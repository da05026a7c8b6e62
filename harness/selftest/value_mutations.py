"""Wrong values: every number of a pin at once, of which each must be found, and some alone."""

import math
from collections.abc import Callable, Iterator, Mapping
from struct import pack, unpack

from harness.comparison.rules import R_INTEGER_NA
from harness.comparison.tolerances import Measure
from harness.comparison.yardstick import number
from harness.quantities import Kind, Value
from harness.selftest.drawing import drawn
from harness.selftest.limits import at_share_of_limit
from harness.selftest.mutation import Corruption, Mutation
from harness.selftest.numbers import Number, with_numbers
from harness.selftest.pinned import Pinned

Changed = Callable[[Number], Value | None]
"""A number's wrong value; None where the mutation does not apply to it."""


def altered(pinned: Pinned, mutation: str, values: Mapping[str, Value]) -> Iterator[Corruption]:
    """Yield the reading with all of these values, and readings with one of them."""
    if not values:
        return
    yield Corruption(paths=tuple(values), right=with_numbers(pinned.reading, values))
    for chosen in drawn(pinned, mutation, [each for each in pinned.numbers if each.path in values]):
        alone = {chosen.path: values[chosen.path]}
        yield Corruption(paths=(chosen.path,), right=with_numbers(pinned.reading, alone))


def _mutation(name: str, sentence: str, changed: Changed, *, of_all_subjects: bool = False) -> Mutation:
    def corruptions(pinned: Pinned) -> Iterator[Corruption]:
        wrong = ((each.path, changed(each)) for each in pinned.numbers)
        yield from altered(pinned, name, {path: value for path, value in wrong if value is not None})

    return Mutation(name=name, sentence=sentence, corruptions=corruptions, of_all_subjects=of_all_subjects)


def _if_it_misleads(changed: Callable[[float], float]) -> Changed:
    """Return the change for numbers that it moves far enough to mislead."""

    def of(each: Number) -> Value | None:
        if not _is_number(each):
            return None
        value = number(each.value)
        wrong = changed(value)
        return wrong if abs(wrong - value) >= each.matters else None

    return of


def _of_errors(changed: Callable[[float], float]) -> Changed:
    misleads = _if_it_misleads(changed)
    return lambda each: misleads(each) if each.path.endswith(".standard_error") else None


def _is_number(each: Number) -> bool:
    return not isinstance(each.value, bool | str)


def _sd_or_variance(each: Number) -> Value | None:
    value = number(each.value)
    if each.path.endswith((".standard_error", "sigma.estimate")):
        return _if_it_misleads(lambda x: x * x)(each)
    if each.path.startswith("random.covariance[") and value > 0:
        return _if_it_misleads(math.sqrt)(each)
    return None


def _truth(each: Number) -> Value:
    """Return a truth value for a number, and the number 1 or 0 for a truth value."""
    return int(each.value) if isinstance(each.value, bool) else True


def _counted(by: int) -> Changed:
    def of(each: Number) -> Value | None:
        return number(each.value) + by if each.kind is Kind.EXACT and _is_number(each) else None

    return of


def _flipped(each: Number) -> Value | None:
    return not each.value if isinstance(each.value, bool) else None


def _single_precision(each: Number) -> Value | None:
    """Return the value as a 32-bit float keeps it, where the two sides owe each other more digits than that."""
    if each.verdict.metric not in {Measure.ALGEBRAIC, Measure.OBJECTIVE, Measure.INPUT_SUM}:
        return None
    value = number(each.value)
    (kept,) = unpack("f", pack("f", value))
    scale = max(abs(value), 1.0)
    return float(kept) if abs(kept - value) > 1e-9 * scale else None


def _scaled_probability(by: float) -> Changed:
    def of(each: Number) -> Value | None:
        is_p = each.path.endswith("p_value")
        return _if_it_misleads(lambda p: p * by)(each) if is_p else None

    return of


def _complement(each: Number) -> Value | None:
    return _if_it_misleads(lambda p: 1 - p)(each) if each.path.endswith("p_value") else None


def _one_df_less(each: Number) -> Value | None:
    return number(each.value) - 1 if each.path.endswith((".df", ".df2")) else None


def _beyond_the_limit(side: int) -> Callable[[Pinned], Iterator[Corruption]]:
    name = f"twice the limit, {'above' if side > 0 else 'below'}"

    def corruptions(pinned: Pinned) -> Iterator[Corruption]:
        yield from altered(pinned, name, at_share_of_limit(pinned, 2.0 * side))

    return corruptions


VALUE_MUTATIONS = (
    _mutation("NaN", "A number is NaN.", lambda _: math.nan, of_all_subjects=True),
    _mutation("infinite", "A number is infinite.", lambda _: math.inf),
    _mutation(
        "R's missing integer", "R's integer NA was read as the number that its bits are.", lambda _: R_INTEGER_NA
    ),
    _mutation("text", "A number arrives as text.", lambda each: str(each.value)),
    _mutation("truth value", "A number arrives as a truth value, a truth value as 1 or 0.", _truth),
    _mutation("wrong sign", "The sign is lost.", _if_it_misleads(lambda x: -x)),
    _mutation("decimal point", "The decimal point is off by one place.", _if_it_misleads(lambda x: 10 * x)),
    _mutation("a tenth more", "A value is ten per cent too large.", _if_it_misleads(lambda x: 1.1 * x)),
    _mutation(
        "a step up", "A value is too large by as little as misleads.", lambda e: _step(e, 1), of_all_subjects=True
    ),
    _mutation(
        "a step down", "A value is too small by as little as misleads.", lambda e: _step(e, -1), of_all_subjects=True
    ),
    Mutation(
        name="twice the limit, above",
        sentence="A value lies above ours by twice its limit.",
        corruptions=_beyond_the_limit(1),
        of_all_subjects=True,
    ),
    Mutation(
        name="twice the limit, below",
        sentence="A value lies below ours by twice its limit.",
        corruptions=_beyond_the_limit(-1),
        of_all_subjects=True,
    ),
    _mutation("single precision", "A formula was evaluated in 32 bits.", _single_precision),
    _mutation("one too many", "A count is too large by one.", _counted(1)),
    _mutation("one too few", "A count is too small by one.", _counted(-1)),
    _mutation("no for yes", "A truth value is the other one.", _flipped),
    _mutation("standard error tenfold", "A standard error is ten times too large.", _of_errors(lambda x: 10 * x)),
    _mutation("standard error halved", "A standard error is half of what it should be.", _of_errors(lambda x: x / 2)),
    _mutation("variance for deviation", "A variance stands for a standard deviation, or the reverse.", _sd_or_variance),
    _mutation("one-sided p", "A p-value of one side stands for that of both.", _scaled_probability(0.5)),
    _mutation("1 - p", "A p-value is that of the other tail.", _complement),
    _mutation("one degree of freedom", "Degrees of freedom are one too few.", _one_df_less),
)
"""What may go wrong with any number."""


def _step(each: Number, by: int) -> Value | None:
    return number(each.value) + by * each.matters if _is_number(each) else None
