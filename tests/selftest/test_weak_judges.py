"""The gate can fail: a judge with a weakness lets the mutations through that go for it, and only a sound one none."""

from dataclasses import replace

from harness.comparison import judge as judging
from harness.comparison import known, pairing, rules
from harness.comparison.tolerances import Tolerance
from harness.comparison.verdict import Outcome
from harness.quantities import Kind
from harness.selftest.harmless import HARMLESS_CHANGES, is_flagged
from harness.selftest.mutation import fate_of
from harness.selftest.mutations import MUTATIONS

BY_NAME = {mutation.name: mutation for mutation in MUTATIONS}


def survived(pinned, *names):
    """Return how many corruptions of each named mutation survive."""
    return {
        name: sum(len(fate_of(pinned, corruption).survived) for corruption in BY_NAME[name].corruptions(pinned))
        for name in names
    }


def flagged(pinned):
    """Return the names of the harmless changes that the judge flags."""
    return {
        change.name
        for change in HARMLESS_CHANGES
        for reading in change.readings(pinned)
        if is_flagged(pinned.comparison, pinned.judged(reading))
    }


def loosened(factor):
    """Return the rule of all verdicts with a limit that is so many times too large."""
    sound = rules.verdict

    def verdict(path, kind, values, difference, *, reason=""):
        tolerance = Tolerance(limit=factor * difference.tolerance.limit, basis=difference.tolerance.basis)
        found = sound(path, kind, values, replace(difference, tolerance=tolerance), reason=reason)
        return replace(found, limit=difference.tolerance.limit)

    return verdict


def blind(left, right, scales):
    """Return a difference of nothing, whatever the two are."""
    sound = rules.Difference(metric="none", observed=0.0, tolerance=Tolerance(limit=1.0, basis="none"))
    del left, right, scales
    return sound


def test_a_sound_judge_lets_nothing_through(mixed_model):
    assert not any(survived(mixed_model, *BY_NAME).values())
    assert not flagged(mixed_model)


def test_a_judge_to_whom_nan_is_no_difference_fails(monkeypatch, mixed_model):
    """As comparators do that look for values which are larger than a limit."""
    sound = rules.verdict

    def verdict(path, kind, values, difference, *, reason=""):
        found = sound(path, kind, values, difference, reason=reason)
        larger = difference.observed > difference.tolerance.limit
        return replace(found, outcome=Outcome.DISAGREE if larger else Outcome.AGREE)

    monkeypatch.setattr(rules, "verdict", verdict)
    monkeypatch.setattr(rules, "_unusable", lambda quantity, engine: "")  # noqa: ARG005  # its signature
    assert all(survived(mixed_model, "NaN", "text").values())


def test_a_judge_with_limits_three_times_as_large_fails(monkeypatch, mixed_model):
    monkeypatch.setattr(rules, "verdict", loosened(3))
    assert all(survived(mixed_model, "twice the limit, above", "twice the limit, below").values())


def test_a_judge_with_limits_a_thousand_times_as_large_lets_misleading_steps_through(monkeypatch, mixed_model):
    """These steps do not depend on any limit: they see a table of limits that somebody loosened."""
    monkeypatch.setattr(rules, "verdict", loosened(1e3))
    assert all(survived(mixed_model, "a step up", "a step down").values())


def test_a_judge_that_passes_over_missing_quantities_fails(monkeypatch, mixed_model):
    """As pytest-regressions does when a column disappears."""
    monkeypatch.setattr(
        pairing, "_one_sided", lambda path, a, b, *_: rules.unjudged(path, a, b, Outcome.NOT_COMPARED, "one side")
    )
    assert all(survived(mixed_model, "dropped", "renamed", "empty answer").values())


def test_a_judge_without_an_eye_for_standard_errors_fails(monkeypatch, mixed_model):
    """As marginaleffects' comparator is, which passes one that is ten times too large."""
    monkeypatch.setitem(rules.RULES, Kind.CURVATURE, blind)
    assert all(survived(mixed_model, "standard error tenfold", "standard error halved").values())


def test_a_judge_to_whom_true_is_one_fails(monkeypatch, mixed_model):
    monkeypatch.setattr(rules, "_sort", lambda value: "a number")  # noqa: ARG005  # whatever it is
    monkeypatch.setattr(rules, "number", float)
    counts = [each for each in mixed_model.numbers if each.kind is Kind.EXACT]
    assert counts
    assert survived(mixed_model, "text", "truth value") != {"text": 0, "truth value": 0}


def test_a_judge_that_does_not_count_how_often_a_quantity_is_given_fails(monkeypatch, mixed_model):
    monkeypatch.setattr(pairing, "_repeated", lambda reading: {})  # noqa: ARG005
    assert survived(mixed_model, "doubled")["doubled"]


def test_a_judge_that_does_not_look_at_the_input_fails(monkeypatch, mixed_model):
    monkeypatch.setattr(judging, "judge_input", lambda *_: ())
    assert all(survived(mixed_model, "row dropped", "cell changed", "column renamed", "columns swapped").values())


def test_a_judge_of_single_estimates_alone_fails(monkeypatch, mixed_model):
    """As a tolerance for each number is: together they may have left the optimum."""
    monkeypatch.setattr(judging, "judge_distance", lambda *_: ())
    assert survived(mixed_model, "all estimates together")["all estimates together"]


def test_a_judge_that_compares_no_likelihood_at_given_parameters_fails(monkeypatch, mixed_model):
    monkeypatch.setattr(judging, "judge_objectives", lambda *_: ())
    names = ("log-likelihood of another point", "at a point nearby", "point cut short")
    assert all(survived(mixed_model, *names).values())


def test_a_judge_without_an_eye_for_probabilities_fails(monkeypatch, mixture):
    monkeypatch.setitem(rules.RULES, Kind.POSTERIOR, blind)
    assert all(survived(mixture, "probabilities permuted", "probabilities of another subject").values())


def test_a_judge_without_an_eye_for_tests_fails(monkeypatch, tests_of_effects):
    monkeypatch.setattr(rules, "_TESTED", dict.fromkeys(rules._TESTED, (rules.Measure.DF, lambda *_: 0.0)))
    assert all(survived(tests_of_effects, "one-sided p", "1 - p", "one degree of freedom").values())


def test_a_judge_that_accepts_a_known_difference_of_any_size_fails(monkeypatch, accepted):
    monkeypatch.setattr(known.KnownDifference, "accepts", lambda entry, verdict: entry.covers(verdict.quantity))
    assert survived(accepted, "standard error tenfold")["standard error tenfold"]


def test_a_sound_judge_accepts_no_gross_error_beside_a_known_difference(accepted):
    assert accepted.comparison.outcome is Outcome.KNOWN
    assert not any(survived(accepted, *BY_NAME).values())


def test_a_judge_that_demands_every_digit_raises_false_alarms(monkeypatch, mixed_model):
    monkeypatch.setattr(rules, "verdict", loosened(0))
    assert {"last digit up", "last digit down"} <= flagged(mixed_model)


def test_a_judge_that_does_not_match_classes_raises_false_alarms(monkeypatch, mixture):
    sound = judging.align

    def align(left, right):
        found = sound(left, right)
        return replace(found, permutation={label: label for label in found.permutation})

    monkeypatch.setattr(judging, "align", align)
    assert flagged(mixture) == {"classes renumbered"}
