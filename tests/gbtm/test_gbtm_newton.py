import numpy as np

from harness.convergence import Stop
from harness.gbtm.em import e_step
from harness.gbtm.fit import fit
from harness.gbtm.newton import climb
from harness.gbtm.parameters import from_point, layout_of, unpack


def test_newton_leaves_the_saddle_at_which_two_classes_are_one(design_of):
    single = fit(design_of(orders=(1,), sigma="shared")).point
    design = design_of(orders=(1, 1), sigma="shared", n_starts=20)
    layout = layout_of(design)
    twice = from_point((0.3, *single[:2], *single[:2], single[2]), design, layout)
    end = climb(twice[None], design.moments, layout)
    assert end.stop == (Stop.OPTIMUM,)
    reached = end.log_likelihood[0] - design.n_observations * np.log(design.scale)
    assert abs(reached - fit(design).log_likelihood) < 1e-8


def test_newton_never_ends_below_its_start_wherever_that_is(design_of):
    design = design_of(orders=(2, 1, 2), sigma="class")
    layout = layout_of(design)
    starts = np.random.default_rng(1).normal(0, 1, (40, layout.n_free))
    before = e_step(unpack(starts, layout), design.moments)[1]
    ends = climb(starts, design.moments, layout)
    assert (ends.log_likelihood >= before).all()
    assert np.mean([stop == Stop.OPTIMUM for stop in ends.stop]) > 0.5
    for stop, gradient in zip(ends.stop, ends.gradient, strict=True):
        assert stop != Stop.OPTIMUM or gradient < 1e-8


def test_newton_gains_all_digits_in_few_steps_near_an_optimum(design_of):
    design = design_of(orders=(2, 2), sigma="shared", n_starts=20)
    best = fit(design)
    layout = layout_of(design)
    end = climb(from_point(best.point, design, layout)[None] + 1e-3, design.moments, layout)
    assert end.iterations[0] <= 4  # 1e-3, 1e-6, 1e-12: the number of right digits doubles
    np.testing.assert_allclose(end.vectors[0], from_point(best.point, design, layout), atol=1e-9)
