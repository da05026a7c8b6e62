"""Cohorts and trajectory models that nobody thought of, as a Hypothesis strategy; see `lmm_strategy`."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from harness.arrays import Codes, Vector
from harness.counterexamples.specimen import Specimen
from harness.fuzzing.panels import Draw, Panel, labels_of, panels, stored

_FAMILIES = ("gaussian", "gaussian", "gaussian", "poisson", "logit")
_MOST_CLASSES = {"gaussian": 4, "poisson": 3, "logit": 2}
_APART = (2.0, 4.0, 1.0, 0.3, 0.0)
"""How far neighbouring classes are apart, in residual standard deviations; 0: there is one class only."""


@st.composite
def gbtm_specimens(draw: Draw) -> Specimen:
    """Draw a cohort of 6 to 30 subjects, of as many classes as the model has or fewer, and a trajectory model."""
    panel = draw(panels(least_subjects=6, most_subjects=30, most_visits=6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    family = draw(st.sampled_from(_FAMILIES))
    orders = draw(st.lists(st.integers(0, 2), min_size=1, max_size=_MOST_CLASSES[family]))
    if draw(st.integers(0, 2)):  # mostly all alike
        orders = orders[:1] * len(orders)
    model: dict[str, Any] = {
        "kind": "gbtm",
        "outcome": "y",
        "time": "t",
        "subject": "id",
        "orders": orders,
        "family": family,
    }
    if family == "gaussian":
        model["sigma"] = draw(st.sampled_from(("shared", "shared", "class")))
    numbers = {"t": panel.time}
    if draw(st.integers(0, 5)) == 0:
        model[draw(st.sampled_from(("covariates", "common")))] = "x"
        numbers["x"] = rng.standard_normal(panel.n_rows)
    if draw(st.integers(0, 5)) == 0 and 1 < len(orders) < 4:
        model["membership"] = "a"
        # Far from zero the reference's logistic regressions take thousands of steps.
        centre, spread = draw(st.sampled_from(((0, 1), (0, 1), (0, 1), (50, 10))))
        numbers["a"] = np.round(rng.normal(centre, spread, panel.n_subjects), 1)[panel.subject]
    classes = rng.integers(len(orders), size=panel.n_subjects)
    numbers["y"] = _outcome(draw, family, panel, classes, rng)
    labels = {"id": labels_of(panel, draw(st.sampled_from(("s", "number", "large", "text"))))}
    share = draw(st.sampled_from((0.0, 0.0, 0.1)))
    return stored(numbers, labels, model, gaps={"y": rng.uniform(size=panel.n_rows) < share})


def _outcome(draw: Draw, family: str, panel: Panel, classes: Codes, rng: np.random.Generator) -> Vector:
    """Return outcomes whose classes differ in level and slope by a drawn distance."""
    apart = draw(st.sampled_from(_APART))
    span = max(1.0, float(np.ptp(panel.time)))
    time = (panel.time - panel.time.min()) / span
    own = classes[panel.subject]
    level = apart * own * (1 - draw(st.sampled_from((0.0, 1.0, 2.0))) * time)
    if family == "poisson":
        return np.asarray(rng.poisson(np.exp(np.clip(0.5 * level, -3, 3))), dtype=float)
    if family == "logit":
        return np.asarray(rng.uniform(size=panel.n_rows) < 1 / (1 + np.exp(0.5 * apart - level)), dtype=float)
    scale = draw(st.sampled_from((1.0, 1.0, 5.0, 1e-4, 1e4)))
    origin = draw(st.sampled_from((0.0, 30.0, 1e3)))
    y = level + rng.standard_normal(panel.n_rows)
    step = draw(st.sampled_from((0.0, 0.0, 0.5)))
    if step > 0:
        y = np.round(y / step) * step
    return np.asarray(scale * (origin + y))
