"""No pin with a wrong value may agree, not even one that was sealed so: here the judge stands alone.

Four pins, and every corruption by itself; `harness selftest` corrupts all pins, most numbers of them at once.

A change is a corruption if it is large enough to mislead: a tenth of a standard error in an estimate, one in the third
decimal of a probability, five per cent of a standard error. Where a sign or a tenth of the value is less than that (a
probability of 1e-12, a mode or a coefficient near zero) the value is moved by its own scale alone. Nothing that large
survives. What the judge can't see at all is -theta instead of theta, which is the same model; the seal sees it.
"""

import math
from dataclasses import replace
from functools import partial

from harness.comparison.verdict import Attribution, Outcome
from harness.quantities import Kind

NAN = float("nan")


def what_matters(quantity, ours):
    """Return the smallest change that a reader of a report could be misled by."""
    error = None if ours is None else ours.standard_error
    if quantity.kind is Kind.EXACT:
        return 1
    if quantity.path == "log_likelihood":
        return 0.01  # an AIC has two decimals
    if error and (quantity.kind is Kind.OPTIMUM or quantity.path.startswith("mode[")):
        return 0.1 * error
    if quantity.kind is Kind.POSTERIOR:
        return 1e-3
    if quantity.path.endswith("tukey_p_value"):
        return max(0.05 * abs(quantity.value), 1e-4)  # the studentized range is known to an absolute error
    return 0.01 if quantity.path.startswith("fixed.correlation[") else 0.05 * abs(quantity.value) or 1.0


def wrong_numbers(value, matters):
    """Yield what goes wrong with numbers in practice: a step of their own scale, signs, factors, no number at all."""
    yield from (("step up", value + matters), ("step down", value - matters))
    yield from (("NaN", NAN), ("infinite", math.inf), ("R's missing integer", -2147483648))
    for name, changed in (("sign", -value), ("a tenth more", 1.1 * value), ("tenfold", 10 * value)):
        if abs(changed - value) >= matters:
            yield name, changed


# Each way to corrupt a pin yields (what was done, a function that returns the corrupted reading).


def wrong_values(pinned):
    ours = {q.path: q for q in pinned.ours.reading(pinned.reference).quantities}
    for quantity in pinned.reading.quantities:
        matters = what_matters(quantity, ours.get(quantity.path))
        wrong = [*wrong_numbers(quantity.value, matters), ("text", str(quantity.value))]
        if quantity.path.endswith("p_value") and quantity.value:
            wrong.append(("no probability", -quantity.value))
        for name, value in wrong:
            yield f"{quantity.path} {name}", partial(with_quantities, pinned.reading, {quantity.path: value})


def dropped_quantities(pinned):
    for dropped in pinned.reading.quantities:
        yield f"without {dropped.path}", partial(without, pinned.reading, dropped)


def swapped_standard_errors(pinned):
    errors = [q for q in pinned.reading.quantities if q.path.endswith(".standard_error")]
    for k, a in enumerate(errors):
        for b in errors[:k]:
            if abs(a.value - b.value) > 0.05 * max(a.value, b.value):
                swapped = {a.path: b.value, b.path: a.value}
                yield f"{a.path} and {b.path} swapped", partial(with_quantities, pinned.reading, swapped)


def wrong_objectives(pinned):
    """One log-likelihood is changed, or one of the parameters at which it was evaluated."""
    for k, said in enumerate(pinned.reading.objective):
        for name, value in wrong_numbers(said.log_likelihood, 1e-3):
            yield f"{said.label} {name}", partial(with_objective, pinned.reading, k, log_likelihood=value)
        for j, entry in enumerate(said.point):
            for name, value in wrong_numbers(entry, 0.05 * abs(entry) or 1.0):
                point = (*said.point[:j], value, *said.point[j + 1 :])
                if name != "sign" or pinned.reference in {"lcmm", "flexmix"}:
                    yield f"{said.label} [{j}] {name}", partial(with_objective, pinned.reading, k, point=point)
        for point in (said.point[:-1], (*said.point, 1.0)):
            yield f"{said.label} of {len(point)}", partial(with_objective, pinned.reading, k, point=point)


def wrong_evidence(pinned):
    """R says that it was given other data."""
    said = pinned.reading.evidence
    if said is None:
        return
    changed = {f"{name} {by:+}": {name: getattr(said, name) + by} for name in COUNTS for by in (-1, 1)}
    changed |= {f"outcome {name}": {"outcome_sum": value} for name, value in wrong_numbers(said.outcome_sum, 0.01)}
    for column, total in said.design_sums.items():
        rest = {key: value for key, value in said.design_sums.items() if key != column}
        changed[f"without {column}"] = {"design_sums": rest}
        for name, value in wrong_numbers(total, 0.01):
            changed[f"{column} {name}"] = {"design_sums": {**rest, column: value}}
    for name, changes in changed.items():
        yield name, partial(with_evidence, pinned.reading, **changes)


COUNTS = ("n_observations", "n_subjects")
WAYS = (wrong_values, dropped_quantities, swapped_standard_errors, wrong_objectives, wrong_evidence)


def with_quantities(reading, values):
    changed = (replace(q, value=values.get(q.path, q.value)) for q in reading.quantities)
    return replace(reading, quantities=tuple(changed))


def without(reading, dropped):
    return replace(reading, quantities=tuple(q for q in reading.quantities if q is not dropped))


def with_objective(reading, place, **changes):
    values = list(reading.objective)
    values[place] = replace(values[place], **changes)
    return replace(reading, objective=tuple(values))


def with_evidence(reading, **changes):
    return replace(reading, evidence=replace(reading.evidence, **changes))


def survivors(pinned, corruptions):
    assert pinned.comparison.outcome is Outcome.AGREE, "it disagrees without a corruption"
    return [name for name, corrupted in corruptions if pinned.judge(corrupted()).outcome is not Outcome.DISAGREE]


def test_no_corruption_of_a_pin_survives(thorough):
    for way in WAYS:
        assert not survivors(thorough, way(thorough)), way.__name__


def test_there_is_much_to_corrupt(thorough):
    tried = {way.__name__: sum(1 for _ in way(thorough)) for way in WAYS}
    assert tried["wrong_values"] > 400
    assert tried["wrong_objectives"] > 60
    assert all(tried.values())


def test_a_dropped_quantity_is_no_matter_of_labels(thorough):
    found = {thorough.judge(corrupted()).attribution for _, corrupted in dropped_quantities(thorough)}
    assert found <= {Attribution.UNEXPLAINED, Attribution.INPUT}
