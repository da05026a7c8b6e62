import numpy as np
import pytest

from harness.choosing import search_orders


@pytest.fixture(scope="module")
def search(make_panel):
    stream = np.random.default_rng(3)
    week = np.arange(5.0)
    means = np.where(np.arange(40)[:, None] < 15, 30.0, 10 + 6 * week - 1.2 * week**2)
    panel = make_panel(means + 1.5 * stream.standard_normal((40, 5)), 5)
    return search_orders(panel, outcome="score", time="week", subject="id", n_classes=2, highest=3, n_starts=10)


def test_backward_elimination_finds_which_class_has_which_order(search):
    assert search.orders == (2, 0)
    assert search.best.orders == (2, 0)  # the curved class is the lower one


def test_every_step_takes_the_smallest_bic_until_none_is_smaller(search):
    table = search.table()
    for _, step in table.groupby("step"):
        present = step.loc[step["status"] == "present", "bic_subjects"].item()
        others = step.loc[step["status"] != "present", "bic_subjects"]
        taken = step.loc[step["status"] == "taken", "bic_subjects"]
        if len(taken):
            assert taken.item() == others.min() < present
        else:
            assert others.min() > present


def test_a_model_is_never_above_one_that_contains_it(search):
    for small, lower in search.fits.items():
        for large, upper in search.fits.items():
            if all(a <= b for a, b in zip(small, large, strict=True)):
                assert lower.log_likelihood <= upper.log_likelihood + 1e-6


def test_the_summary_tells_the_way(search):
    assert "Classes from the lowest to the highest mean have the orders 2, 0." in search.summary()
