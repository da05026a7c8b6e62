"""What the figures of a fit show."""

import numpy as np
import pandas as pd
import pytest

from harness.cohorts.frames import cohort_from_frame
from harness.formula import parse_formula
from harness.lmm.design import build_design
from harness.lmm.diagnostics.columns import frame_columns, signal_at_modes, subject_sets
from harness.lmm.diagnostics.figures import draw_influence, draw_modes, draw_residuals
from harness.lmm.diagnostics.influence import influence
from harness.lmm.diagnostics.residuals import residuals, spread_by
from harness.lmm.engine import fitted
from harness.lmm.prediction.modes import modes
from harness.lmm.prediction.predictor import predictor
from harness.lmm.spec import LmmSpec


@pytest.fixture(scope="module")
def fit(simulate):
    frame = pd.DataFrame(simulate(m=12, seed=3)).assign(visit=lambda own: [f"v{int(t)}" for t in own["t"]])
    spec = LmmSpec(formula=parse_formula("y ~ t * g + visit + (1 + t | id)"))
    design = build_design(spec, cohort_from_frame(frame, subject="id"))
    _, estimates = fitted(design)
    return predictor(spec, design, estimates), design, estimates


def test_residuals_are_shown_against_fitted_values_quantiles_and_visits(fit):
    ready, design, estimates = fit
    found = residuals(ready.distribution, ready.fitted, signal_at_modes(design, estimates))
    spread = spread_by(found.conditional, frame_columns(design, ["visit", "g"]))
    scatter, quantiles, spreads = draw_residuals(found, spread, "visit", "g").axes
    np.testing.assert_array_equal(scatter.lines[1].get_xdata(), found.fitted)
    np.testing.assert_array_equal(quantiles.lines[1].get_ydata(), np.sort(found.whitened))
    assert [text.get_text() for text in spreads.get_xticklabels()] == [f"v{i}" for i in range(6)]
    assert [line.get_label() for line in spreads.lines] == ["a", "b"]
    np.testing.assert_allclose(spreads.lines[1].get_ydata(), spread["standard_deviation"][spread["g"] == "b"])
    shown = [text.get_text() for text in spreads.texts]
    counted = spread.dropna().sort_values(["g", "visit"])["count"]
    assert shown == [str(count) for count in counted]


def test_residuals_along_a_number_need_no_arms(fit):
    ready, design, estimates = fit
    found = residuals(ready.distribution, ready.fitted, signal_at_modes(design, estimates))
    spread = spread_by(found.conditional, frame_columns(design, ["t"]))
    axes = draw_residuals(found, spread, "t").axes[2]
    np.testing.assert_array_equal(axes.lines[0].get_xdata(), np.arange(6.0))
    assert axes.get_legend() is None


def test_a_caterpillar_is_sorted_and_as_wide_as_the_prediction_variance(fit):
    ready, design, _ = fit
    found = modes(ready.distribution, ready.fitted, 0, 12)
    figure = draw_modes(found, ("intercept", "t"), design.subject_labels, "id")
    assert [axes.get_xlabel() for axes in figure.axes] == ["intercept", "t"]
    for j, axes in enumerate(figure.axes):
        order = np.argsort(found.modes[:, j])
        np.testing.assert_array_equal(axes.lines[1].get_xdata(), found.modes[order, j])
        (segments,) = (own.get_segments() for own in axes.collections)
        widths = [segment[1, 0] - segment[0, 0] for segment in segments]
        expected = 2 * 1.959963984540054 * np.sqrt(found.prediction_cov[order, j, j])
        np.testing.assert_allclose(widths, expected, rtol=1e-10)
        assert [text.get_text() for text in axes.get_yticklabels()] == [design.subject_labels[i] for i in order]


def test_influence_names_the_five_who_move_most(fit):
    ready, design, _ = fit
    sets, labels = subject_sets(design)
    found = influence(ready.distribution, ready.fitted, sets=sets, labels=labels, names=design.fixed_names)
    distance, moves = draw_influence(found).axes
    named = [text.get_text() for text in distance.texts]
    assert named == list(found.table().index[:5])
    assert [text.get_text() for text in moves.get_yticklabels()] == list(design.fixed_names)
    np.testing.assert_array_equal(moves.lines[1].get_xdata(), found.dfbetas[:, 0])
