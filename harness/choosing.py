"""The number of classes of a trajectory model, for a notebook: all models in one table, and what tests say of two.

>>> selection = select_classes(data, outcome="madrs", time="week", subject="id", order=2, n_classes=range(1, 7))
>>> print(selection.summary())
>>> blrt(selection.fits[3], selection.fits[4], replicates=500)
"""

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from harness.cohorts import Cohort
from harness.columns_of_frames import require
from harness.errors import Problem, SpecError
from harness.gbtm.checks import refuse
from harness.gbtm.result import GbtmResult
from harness.gbtm.selection.adjacent import Adjacent, adjacent, whole_problems
from harness.gbtm.selection.bootstrap_ratio import BootstrapLikelihoodRatio, bootstrap_likelihood_ratio
from harness.gbtm.selection.models import fit_all, fit_rivals
from harness.gbtm.selection.orders import OrderSearch
from harness.gbtm.selection.orders import search_orders as searched_orders
from harness.gbtm.selection.selection import Selection
from harness.gbtm.selection.spurious import SpuriousChecks
from harness.gbtm.selection.spurious import spurious_checks as checks
from harness.gbtm.selection.stability import SelectionStability
from harness.gbtm.selection.stability import selection_stability as stability
from harness.gbtm.selection.vuong import VuongLoMendellRubin
from harness.gbtm.selection.vuong import vuong_lo_mendell_rubin as vuong_test
from harness.gbtm.several.multi_result import MultiResult
from harness.gbtm.spec import Errors, Family, GbtmSpec, RandomCovariance, RandomScale, Sigma
from harness.trajectories import cohort_for, plain


def select_classes(
    data: pd.DataFrame | Cohort,
    *,
    outcome: str,
    time: str | None,
    subject: str,
    order: int | Mapping[int, Sequence[int]] = 2,
    n_classes: Iterable[int] = range(1, 7),
    rival: bool = True,
    family: Family = "gaussian",
    sigma: Sigma = "shared",
    limits: tuple[float, float] | None = None,
    trials: str | None = None,
    exposure: str | None = None,
    zero_order: int | None = None,
    knots: Sequence[float] = (),
    covariates: str = "",
    common: str = "",
    membership: str = "",
    weights: str | None = None,
    random: int | None = None,
    random_covariance: RandomCovariance = "full",
    random_scale: RandomScale = "common",
    errors: Errors = "independent",
    dropout: int | None = None,
    n_starts: int = 100,
    seed: int = 1,
) -> Selection:
    """Fit a trajectory model with each number of classes, and mixed models with fewer classes beside them.

    Parameters
    ----------
    data, outcome, time, subject, family, ..., seed
        As in `fit_gbtm`.
    order
        Order of the polynomial of time in every class; or the orders of each model by its number of classes, such as
        ``{1: (2,), 2: (2, 1)}``.
    n_classes
        Numbers of classes to fit, such as ``range(1, 7)``.
    rival
        Whether to fit mixed models of the same data beside: one class with a random intercept, one with a random slope
        too, and a class less than BIC chooses with a random intercept. Gaussian outcomes without `random` only.
    zero_order, dropout
        As `zero_orders` and `dropout` of `fit_gbtm`, the same in every class.

    Returns
    -------
    Selection
        Its `table()` has one row a model, `fits` the models. In R: ``lcmm::summarytable(m1, m2, ...)`` of models fitted
        with ``gridsearch``.

    Raises
    ------
    CohortError, SpecError
        With everything that is wrong with the columns, or with any of the models for these data.
    """
    orders = _orders_by_classes(order, n_classes)
    specs = {
        K: GbtmSpec(
            outcome=outcome,
            time=time,
            subject=subject,
            orders=own,
            family=family,
            sigma=sigma,
            n_starts=plain(n_starts),
            seed=plain(seed),
            limits=limits,
            trials=trials,
            exposure=exposure,
            zero_orders=None if zero_order is None else (plain(zero_order),) * K,
            knots=tuple(knots),
            covariates=covariates,
            common=common,
            membership=membership,
            weights=weights,
            random=random,
            random_covariance=random_covariance,
            random_scale=random_scale,
            errors=errors,
            dropout=None if dropout is None else (plain(dropout),) * K,
        )
        for K, own in orders.items()
    }
    cohort = cohort_for([specs[K] for K in sorted(specs, reverse=True)], data, "select_classes")
    for spec in specs.values():
        refuse(spec, cohort)
    candidates, gains = fit_all(specs, cohort)
    selection = Selection(candidates=candidates, gains=gains)
    if not rival:
        return selection
    proper = selection.table()["proper"].any()
    rivals = fit_rivals(specs[max(specs)], cohort, selection.best() if proper else 1)
    return Selection(candidates=(*candidates, *rivals), gains=gains)


def search_orders(
    data: pd.DataFrame | Cohort,
    *,
    outcome: str,
    time: str,
    subject: str,
    n_classes: int,
    highest: int = 3,
    family: Family = "gaussian",
    sigma: Sigma = "shared",
    limits: tuple[float, float] | None = None,
    trials: str | None = None,
    exposure: str | None = None,
    zero_order: int | None = None,
    covariates: str = "",
    common: str = "",
    membership: str = "",
    weights: str | None = None,
    random: int | None = None,
    n_starts: int = 100,
    seed: int = 1,
) -> OrderSearch:
    """Find which class gets which order of time, from the highest downwards by BIC (see `selection.orders`).

    Parameters
    ----------
    data, outcome, time, subject, family, ..., seed
        As in `fit_gbtm`.
    n_classes
        How many classes.
    highest
        Order that every class begins with, 0 to 5.
    zero_order
        As `zero_orders` of `fit_gbtm`, the same in every class.

    Returns
    -------
    OrderSearch
        Its `table()` has every model of every step, `best` is the last one.

    Raises
    ------
    CohortError, SpecError
        With everything that is wrong with the columns, or with the first model for these data.
    """
    K = next(iter(_orders_by_classes(plain(highest), [n_classes])))
    spec = GbtmSpec(
        outcome=outcome,
        time=time,
        subject=subject,
        orders=(plain(highest),) * K,
        family=family,
        sigma=sigma,
        n_starts=plain(n_starts),
        seed=plain(seed),
        limits=limits,
        trials=trials,
        exposure=exposure,
        zero_orders=None if zero_order is None else (plain(zero_order),) * K,
        covariates=covariates,
        common=common,
        membership=membership,
        weights=weights,
        random=random,
    )
    return searched_orders(spec, cohort_for((spec,), data, "search_orders"))


def blrt(
    fit_small: GbtmResult | MultiResult,
    fit_large: GbtmResult | MultiResult,
    replicates: int = 500,
    *,
    seed: int = 1,
    n_starts: int = 20,
    workers: int | None = None,
) -> BootstrapLikelihoodRatio:
    """Test a number of classes against one more by the parametric bootstrap of the likelihood ratio.

    Parameters
    ----------
    fit_small, fit_large
        From `fit_gbtm`, `fit_multi_trajectory`, or of a selection's `fits`: the same model of the same data with K and
        K + 1 classes.
    replicates
        Outcomes to draw from the smaller model.
    seed
        From which all of them follow; the result is the same for any number of workers.
    n_starts
        Cold starts of each refit, beside those that the truth, the smaller model and its subjects give.
    workers
        Processes; None for one a processor.

    Returns
    -------
    BootstrapLikelihoodRatio
        In R: ``flexmix::LR_test(m)``, with ``flexmix::boot``; in Mplus TECH14.

    Raises
    ------
    SpecError
        If the two models can't be compared, or outcomes can't be drawn from the smaller one.
    """
    wholes = {"replicates": replicates, "seed": seed, "n_starts": n_starts, "workers": workers}
    pair = _pair(fit_small, fit_large, "blrt", wholes)
    return bootstrap_likelihood_ratio(
        pair, replicates=int(replicates), seed=int(seed), n_starts=int(n_starts), workers=workers
    )


def vuong_lo_mendell_rubin(
    fit_small: GbtmResult | MultiResult, fit_large: GbtmResult | MultiResult
) -> VuongLoMendellRubin:
    """Test a number of classes against one more by Vuong's distribution of the likelihood ratio, with its warning.

    Raises
    ------
    SpecError
        If the two models can't be compared, or one of them is at no regular maximum.
    """
    return vuong_test(_pair(fit_small, fit_large, "vuong_lo_mendell_rubin", {}))


def selection_stability(
    selection: Selection, replicates: int = 100, *, seed: int = 1, n_starts: int = 5, workers: int | None = None
) -> SelectionStability:
    """Draw subjects with replacement and choose the number of classes anew in each sample.

    Parameters
    ----------
    selection
        From `select_classes`; its one-class mixed models are fitted to the samples too.
    replicates, seed, workers
        As in `blrt`.
    n_starts
        Cold starts of each refit, beside those from the estimates and from the model with one class less.

    Returns
    -------
    SelectionStability
        How often each number is chosen by each criterion, and by how much BIC differs.

    Raises
    ------
    SpecError
        For settings that can't be, or a selection without a proper model.
    """
    require("selection_stability", selection, Selection, "a selection from select_classes")
    problems = list(whole_problems({"replicates": replicates, "seed": seed, "n_starts": n_starts, "workers": workers}))
    if problems:
        raise SpecError("selection_stability", problems)
    selection.best()
    return stability(selection, replicates=int(replicates), seed=int(seed), n_starts=int(n_starts), workers=workers)


def spurious_checks(
    fit: GbtmResult, rival: GbtmResult | None = None, *, draws: int = 200, seed: int = 1
) -> SpuriousChecks:
    """Look for signs that classes stand for skewness, floors or correlation within subjects.

    Parameters
    ----------
    fit
        From `fit_gbtm`.
    rival
        A model of the same data with fewer classes and random effects, such as one of a selection's `rivals`.
    draws, seed
        Outcomes drawn from the model for comparison, and the seed from which they follow.

    Returns
    -------
    SpuriousChecks
        A table with a verdict in each row; none of them says that classes are real.

    Raises
    ------
    SpecError
        If outcomes can't be drawn from the model, or the rival is of other data.
    """
    require("spurious_checks", fit, GbtmResult, "a fit of fit_gbtm")
    return checks(fit, rival, draws=draws, seed=seed)


def _pair(
    fit_small: GbtmResult | MultiResult, fit_large: GbtmResult | MultiResult, where: str, wholes: Mapping[str, object]
) -> Adjacent:
    kind = GbtmResult if isinstance(fit_small, GbtmResult) else MultiResult
    for fit in (fit_small, fit_large):
        require(where, fit, kind, "two fits of fit_gbtm, the smaller one first")
    return adjacent((fit_small.fit, fit_small.design), (fit_large.fit, fit_large.design), where, wholes)


def _orders_by_classes(order: object, n_classes: object) -> dict[int, tuple[int, ...]]:
    """Return the orders of each number of classes, or raise with what is wrong with them."""
    require("select_classes", n_classes, Iterable, "numbers of classes, such as range(1, 7)")
    counts = [plain(K) for K in n_classes]  # type: ignore[attr-defined]  # require says that it is iterable
    problems = [
        Problem(found=f"{K!r:.40} classes", expected="a whole number >= 1")
        for K in counts
        if not isinstance(K, int) or isinstance(K, bool) or K < 1
    ]
    if not counts:
        problems.append(Problem(found="no number of classes", expected="at least one, such as range(1, 7)"))
    if problems:
        raise SpecError("number of classes", problems)
    by_classes: dict[int, tuple[int, ...]] = {}
    for K in sorted(set(counts)):
        own = order.get(K) if isinstance(order, Mapping) else (plain(order),) * K  # type: ignore[arg-type]
        if not isinstance(own, Sequence) or len(own) != K:
            problems.append(Problem(found=f"orders {own!r:.40} for {K} classes", expected=f"{K} orders"))
        else:
            by_classes[K] = tuple(plain(one) for one in own)
    if problems:
        raise SpecError("orders", problems)
    return by_classes
