"""Where a case names no engine, it is compared with engines that have its model."""

from dataclasses import replace

import pytest

from harness.cases import default_references
from harness.gbtm.spec import GbtmSpec
from harness.references.live import DECODERS
from harness.roster import roster

SPEC = GbtmSpec(outcome="y", time="week", subject="id", orders=(1, 1))
GROWTH = replace(SPEC, random=1)
ZIP = replace(SPEC, family="zip", zero_orders=(0, 0))
SPECS = [
    SPEC,
    replace(SPEC, orders=(1,)),
    GROWTH,
    replace(SPEC, errors="ar1"),
    replace(SPEC, family="poisson"),
    replace(SPEC, family="logit"),
    replace(SPEC, family="beta"),
    replace(SPEC, family="censored_normal", limits=(0.0, 60.0)),
    ZIP,
    replace(ZIP, orders=(1,), zero_orders=(0,)),
    *(
        replace(SPEC, orders=(1,), family=family, limits=(0.0, 60.0) if family == "censored_normal" else None)
        for family in ("poisson", "logit", "beta", "censored_normal")
    ),
]


@pytest.mark.parametrize("spec", SPECS)
def test_every_engine_that_is_chosen_fits_the_model(spec):
    chosen = default_references(spec)
    assert chosen
    for name in chosen:
        support = DECODERS[name]().support(spec)
        assert support.fit, support.reason


def test_every_engine_of_trajectories_has_a_decoder_that_knows_its_name():
    names = [name for name, entry in roster().items() if entry.models == "gbtm"]
    assert {name: DECODERS[name]().name for name in names} == {name: name for name in names}
