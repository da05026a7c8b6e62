"""Cohorts and mixed models that nobody thought of, as a Hypothesis strategy.

What decides the shape of a case (how many subjects and visits, who drops out, how large the effects are, which model)
is drawn by Hypothesis; noise comes from a numpy stream of a drawn seed, so that a case is a few dozen choices.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from harness.arrays import Vector
from harness.counterexamples.specimen import Specimen
from harness.fuzzing.panels import Draw, Panel, labels_of, panels, stored

_PLAIN = ("y ~ t", "y ~ 1", "y ~ t + x", "y ~ t + poly(t, 2)", "y ~ 0 + t + x")
_WITH_ARM = (
    "y ~ t + arm",
    "y ~ t * arm",
    "y ~ visit + arm",
    "y ~ visit * arm",
    "y ~ t * arm + x",
    "y ~ visit * arm + t",
)
_RANDOM = ("(1 | id)", "(1 + t | id)", "(1 + t || id)", "(0 + t | id)", "(1 | id) + (0 + x | id)", "(1 + t + x | id)")
_CROSSED = ("(1 | id) + (1 | site)", "(1 + t | id) + (1 | site)", "(1 | site/id)")
_SPREADS = (1.0, 0.0, 0.1, 10.0, 1e-3, 1e3)
"""Of random effects, against sigma: ordinary, none, small, large, nearly none, nearly all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Truth:
    """What the outcome is made of, in units of sigma, which is the scale."""

    intercepts: float
    slopes: float
    correlation: float
    sites: float
    scale: float
    origin: float
    step: float


@st.composite
def lmm_specimens(draw: Draw) -> Specimen:
    """Draw a cohort of 2 to 24 subjects and a mixed model for it."""
    panel = draw(panels(most_subjects=24, most_visits=6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    arms = draw(st.booleans())
    fixed = draw(st.sampled_from(_WITH_ARM if arms else _PLAIN))
    random = draw(st.sampled_from((*_RANDOM, *_RANDOM, *_CROSSED)))
    x = _covariate(draw, panel, rng)
    site = rng.integers(draw(st.integers(2, 5)), size=panel.n_subjects if "site/id" in random else panel.n_rows)
    site = site[panel.subject] if "site/id" in random else site
    arm = rng.integers(2, size=panel.n_subjects)[panel.subject]
    truth = _truth(draw)
    y = _outcome(panel, truth, (x, arm, site), rng)
    model: dict[str, Any] = {
        "kind": "lmm",
        "formula": f"{fixed} + {random}",
        "criterion": draw(st.sampled_from(("REML", "ML"))),
    }
    numbers = {"t": panel.time, "x": x, "y": y}
    if draw(st.integers(0, 3)) == 0:
        model["weights"] = "w"
        numbers["w"] = np.round(rng.uniform(0.2, 5.0, panel.n_rows), 1) * draw(st.sampled_from((1.0, 1e-4, 1e4)))
    labels = {
        "id": labels_of(panel, draw(st.sampled_from(("s", "number", "large", "text")))),
        "arm": tuple(("four", "six")[k] for k in arm),
        "site": tuple(f"site {k}" for k in site),
        "visit": tuple(f"v{k}" for k in panel.visit),
    }
    return stored(numbers, labels, model, gaps=_gaps(draw, panel, rng), levels={"arm": ("four", "six")})


def _truth(draw: Draw) -> _Truth:
    return _Truth(
        intercepts=draw(st.sampled_from(_SPREADS)),
        slopes=draw(st.sampled_from(_SPREADS)),
        correlation=draw(st.sampled_from((0.0, 0.5, -0.9, 1.0))),
        sites=draw(st.sampled_from(_SPREADS[:4])),
        scale=draw(st.sampled_from((1.0, 1.0, 5.0, 1e-6, 1e6))),
        origin=draw(st.sampled_from((0.0, 30.0, 30.0, -1e3, 1e6))),
        step=draw(st.sampled_from((0.0, 0.0, 0.1, 1.0))),
    )


def _covariate(draw: Draw, panel: Panel, rng: np.random.Generator) -> Vector:
    """Return a covariate: plain noise, nearly the time, constant in subjects, large, or whole numbers with ties."""
    noise = rng.standard_normal(panel.n_rows)
    kind = draw(st.sampled_from(("noise", "collinear", "subject", "large", "ties")))
    if kind == "collinear":
        return np.asarray(panel.time + 10.0 ** draw(st.integers(-7, -1)) * noise)
    if kind == "subject":
        return np.asarray(rng.standard_normal(panel.n_subjects)[panel.subject])
    if kind == "large":
        return np.asarray(1e4 + 10 * noise)
    return np.round(noise) if kind == "ties" else noise


def _outcome(
    panel: Panel, truth: _Truth, columns: tuple[Vector, np.ndarray, np.ndarray], rng: np.random.Generator
) -> Vector:
    """Return the outcome; with a step it is rounded to multiples of it, so that rows tie."""
    x, arm, site = columns
    effects = rng.standard_normal((panel.n_subjects, 2))
    effects[:, 1] = truth.correlation * effects[:, 0] + np.sqrt(1 - truth.correlation**2) * effects[:, 1]
    time = panel.time / max(1.0, float(np.abs(panel.time).max()))
    spread = np.sqrt(max(float(np.var(x)), 1e-300))
    y = (
        truth.intercepts * effects[panel.subject, 0]
        + truth.slopes * effects[panel.subject, 1] * time
        + truth.sites * rng.standard_normal(int(site.max()) + 1)[site]
        - time + 0.5 * arm * time + 0.3 * (x - x.mean()) / spread
        + rng.standard_normal(panel.n_rows)
    )  # fmt: skip
    if truth.step > 0:
        y = np.round(y / truth.step) * truth.step
    return np.asarray(truth.scale * (truth.origin + y))


def _gaps(draw: Draw, panel: Panel, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return which outcomes, and which values of the covariate, are missing."""
    share = draw(st.sampled_from((0.0, 0.0, 0.1, 0.3)))
    missing = {"y": rng.uniform(size=panel.n_rows) < share}
    if draw(st.integers(0, 3)) == 0:
        missing["x"] = rng.uniform(size=panel.n_rows) < share / 2
    return missing
