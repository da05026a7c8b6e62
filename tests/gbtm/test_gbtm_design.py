from dataclasses import replace

import numpy as np
import pytest

from harness.errors import SpecError
from harness.gbtm.design import build_design, input_evidence
from harness.gbtm.spec import GbtmSpec


def spec(**changes):
    given = {"outcome": "score", "time": "week", "subject": "id", "orders": (1, 1)} | changes
    return GbtmSpec(**given)


def complaints(spec, cohort):
    with pytest.raises(SpecError) as caught:
        build_design(spec, cohort)
    return str(caught.value)


def test_the_basis_is_orthogonal_and_maps_exactly_to_raw_powers(design_of):
    design = design_of(orders=(3, 1))
    n = design.n_observations
    np.testing.assert_allclose(design.basis.T @ design.basis, n * np.eye(4), atol=1e-11 * n)
    np.testing.assert_allclose(design.basis[:, 0], 1.0, rtol=1e-13)
    powers = np.vander(design.time, 4, increasing=True)
    np.testing.assert_allclose(powers @ design.raw_from_basis, design.basis, atol=1e-10)
    np.testing.assert_allclose(design.basis_at(design.time), design.basis, atol=1e-13)


def test_rows_without_outcome_and_subjects_without_any_are_dropped_and_counted(design_of, cohort_of):
    cohort = cohort_of(["c", "a", "b", "a", "c", "d"], [1, 2, 1, 1, np.nan, 3], [5.0, 2.0, np.nan, 1.0, np.nan, 7.0])
    design = design_of(orders=(1,), cohort=cohort)
    assert design.subject_labels == ("sa", "sc", "sd")
    assert design.y.tolist() == [1.0, 2.0, 5.0, 7.0]
    assert design.subject_starts.tolist() == [0, 2, 3]
    assert (design.dropped_rows, design.dropped_subjects) == (2, ("sb",))
    evidence = input_evidence(design)
    assert (evidence.n_observations, evidence.n_subjects, evidence.outcome_sum) == (4, 3, 15.0)
    assert evidence.design_sums == {"intercept": 4.0, "week": 7.0}


def test_every_problem_of_the_settings_and_columns_is_told_at_once(panel):
    told = complaints(
        spec(
            outcome="scor", time="id", subject="week", orders=(1, -1, 1.5), family="poisson", sigma="both", n_starts=0
        ),
        panel,
    )
    for part in (
        "Did you mean 'score'?",
        "time 'id' is categorical",
        "subject 'week' is numeric",
        "order -1",
        "order 1.5",
        "family 'poisson'",
        "sigma 'both'",
        "n_starts 0",
    ):
        assert part in told


@pytest.mark.parametrize(
    ("changes", "rows", "complaint"),
    [
        ({"orders": ()}, None, "no polynomial orders"),
        ({"seed": -1}, None, "seed -1"),
        ({"time": "score"}, None, "outcome and time are both 'score'"),
        ({}, (["a", "b"], [1, 2], [np.nan, np.nan]), "missing in every row"),
        ({}, (["a", "b"], [1, 2], [4.0, 4.0]), "the outcome is 4.0 in every row"),
        ({}, (["a", "b", "b"], [np.nan, 2, 3], [4.0, 5.0, 7.0]), r"no time in 1 row\(s\): 1"),
        ({}, (["a", "b", "b"], [np.inf, 2, 3], [4.0, 5.0, 7.0]), "an infinite time"),
        ({}, (["a", "b", "b"], [1, 2, 3], [4.0, np.inf, 7.0]), "an infinite outcome"),
        ({"orders": (0, 0, 0)}, (["a", "b", "b"], [1, 2, 3], [4.0, 5.0, 7.0]), r"3 classes for 2 subject\(s\)"),
        ({"orders": (2, 0)}, (["a", "b", "b"], [1, 2, 2], [4.0, 5.0, 7.0]), r"order 2 with 2 distinct time\(s\)"),
        ({}, (["a", "b", "b"], [2, 2, 2], [4.0, 5.0, 7.0]), "time is constant"),
        ({}, (["a", "b", "b"], [1, 2, 3], [4.0, 5.0, 6.0]), "an exact polynomial of 'week'"),
    ],
)
def test_a_model_that_the_data_cannot_carry_is_refused(panel, cohort_of, changes, rows, complaint):
    with pytest.raises(SpecError, match=complaint):
        build_design(spec(**changes), panel if rows is None else cohort_of(*rows))


def test_arrays_of_a_design_cannot_be_written(design_of):
    design = design_of()
    for name in ("y", "time", "basis", "moments", "pooled", "raw_from_basis", "subject_starts"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(design, name)[...] = 0


@pytest.mark.parametrize(("column", "factor"), [("score", 1e200), ("score", 1e-200), ("week", 1e200)])
def test_numbers_whose_squares_are_none_are_refused(panel, column, factor):
    numeric = {**panel.numeric, column: panel.numeric[column] * factor}
    told = complaints(spec(), replace(panel, numeric=numeric))
    assert f"column '{column}'" in told
    assert "1e-60 to 1e+60 in size" in told
