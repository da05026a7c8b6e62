"""Whatever stands in a file with a right hash: a fit comes back that can be used, or all that is wrong with it."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.cohorts.frames import cohort_from_frame
from harness.errors import CaseError, SpecError
from harness.formula import parse_formula
from harness.lmm.design import build_design
from harness.lmm.engine import fitted
from harness.lmm.spec import LmmSpec
from harness.lmm.storage.reading import read_fit
from harness.lmm.storage.stored import stored
from harness.lmm.storage.writing import content_hash, document

FORMULAS = ("y ~ ns(t, 2) * g + (1 + t | id)", "y ~ C(visit, sum) * g + us(visit | id)", "y ~ t * g + car1(t | g / id)")
TRIES = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def panel():
    stream = np.random.default_rng(6)
    subject, visit = np.repeat(np.arange(12), 3), np.tile(np.arange(3), 12)
    return pd.DataFrame(
        {
            "id": [f"p{i}" for i in subject],
            "g": ["b" if i % 2 else "a" for i in subject],
            "visit": [f"v{i}" for i in visit],
            "t": visit + 0.25 * stream.random(36),
            "y": 20 - visit + stream.standard_normal(12)[subject] + stream.standard_normal(36),
        }
    )


@pytest.fixture(scope="module")
def documents():
    found = []
    for formula in FORMULAS:
        cohort = cohort_from_frame(panel(), subject="id")
        spec = LmmSpec(formula=parse_formula(formula))
        design = build_design(spec, cohort)
        found.append(json.dumps(document(stored(spec, cohort, design, *fitted(design)))))
    return found


def places(value, path=()):
    """Return the path of every node of a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, one in inner for place in places(one, (*path, key)))]


@TRIES
@given(data=st.data())
def test_a_document_with_any_node_replaced_is_read_or_refused(documents, tmp_path, data):
    content = json.loads(data.draw(st.sampled_from(documents)))
    place = data.draw(st.sampled_from(places(content)[1:]))
    node = content
    for key in place[:-1]:
        node = node[key]
    if data.draw(st.booleans()):
        node[place[-1]] = data.draw(json_values)
    else:
        del node[place[-1]]
    content["sha256"] = content_hash(content)
    path = tmp_path / "fit.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    back, problems = attempt(lambda: read_fit(path))
    assert (back is None) == bool(problems)
    if back is not None:
        found, problems = attempt(lambda: back.predict(panel().head(3)))
        assert (found is None) == bool(problems)
        method = next(iter(back.effects), "wald")
        found, problems = attempt(lambda: back.contrast(dict.fromkeys(back.fixed_names[:1], 1.0), method))
        assert (found is None) == bool(problems)


def attempt(action):
    """Return the result and no problems, or no result and all problems of the one error that is allowed."""
    try:
        return action(), ()
    except (CaseError, SpecError) as error:
        return None, error.problems
