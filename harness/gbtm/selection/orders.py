"""Which class gets which order of time: backward elimination by BIC.

All classes begin with the highest order. In each step every model in which one class has an order one lower is fitted,
each with every assignment of its orders to classes; the one with the smallest BIC (subjects) is taken if that is
smaller than the present one. The search ends where no such model is better. It is greedy: what it finds need not be the
best of all combinations, and p values after it are too small.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from harness.cohorts.cohort import Cohort
from harness.gbtm.checks import refuse
from harness.gbtm.design import slots
from harness.gbtm.mixture import e_step
from harness.gbtm.result import GbtmResult, fit_gbtm_cohort
from harness.gbtm.selection.neighbours import adopted
from harness.gbtm.selection.search import End, best_end
from harness.gbtm.spec import GbtmSpec
from harness.summaries import Summary, aligned, ruled

Orders = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OrderSearch:
    """Every model of the search and the way it took.

    Attributes
    ----------
    fits
        By orders, the highest first. A fit tells which class got which (`GbtmResult.orders`).
    steps
        One entry a step: the present orders, then those that were tried from there.
    """

    fits: Mapping[Orders, GbtmResult]
    steps: tuple[tuple[Orders, tuple[Orders, ...]], ...]

    @property
    def orders(self) -> Orders:
        """The orders that the search ended with, the highest first."""
        return self.steps[-1][0]

    @property
    def best(self) -> GbtmResult:
        """The model that the search ended with."""
        return self.fits[self.orders]

    def table(self) -> pd.DataFrame:
        """Return one row a model and step: `step`, `orders` (from the lowest class to the highest), `status`, criteria.

        `status` is "present", "tried" or "taken"; `change` is the BIC (subjects) less that of the present model.
        """
        rows = []
        for step, (present, tried) in enumerate(self.steps):
            taken = self.steps[step + 1][0] if step + 1 < len(self.steps) else None
            for orders in (present, *tried):
                fit = self.fits[orders]
                status = "present" if orders == present else "taken" if orders == taken else "tried"
                rows.append(
                    {
                        "step": step,
                        "status": status,
                        "orders": fit.orders,
                        "log_likelihood": fit.log_likelihood,
                        "n_parameters": fit.estimates.n_parameters,
                        "bic_subjects": fit.bic,
                        "bic_observations": fit.bic_observations,
                        "change": fit.bic - self.fits[present].bic,
                        "hit_rate": fit.fit.hit_rate,
                        "proper": fit.fit.best.is_proper,
                    }
                )
        return pd.DataFrame(rows)

    def summary(self) -> Summary:
        """Return the way of the search as text."""
        rows = [["Step", "Orders by class", "Log-lik.", "p", "BIC (N)", "Change", ""]]
        for _, row in self.table().iterrows():
            orders = ", ".join(map(str, row["orders"]))
            numbers = [f"{row['log_likelihood']:.3f}", str(row["n_parameters"]), f"{row['bic_subjects']:.3f}"]
            note = row["status"] if row["proper"] else f"{row['status']}, not proper"
            rows.append([str(row["step"]), orders, *numbers, f"{row['change']:+.3f}", note])
        heading = [f"Orders of {len(self.orders)} class(es) by backward elimination, BIC (subjects)"]
        ending = [
            f"Classes from the lowest to the highest mean have the orders {', '.join(map(str, self.best.orders))}.",
            "The search is greedy, and standard errors after it do not know of it.",
        ]
        return ruled([heading, aligned(rows, left=2), ending])


def search_orders(spec: GbtmSpec, cohort: Cohort) -> OrderSearch:
    """Return the way from the orders of a spec downwards.

    Raises
    ------
    SpecError
        If the first model can't be fitted to this cohort; with all reasons.
    """
    refuse(spec, cohort)
    present = tuple(sorted(spec.orders, reverse=True))
    fits = {present: _fitted(spec, cohort, present, None)}
    steps: list[tuple[Orders, tuple[Orders, ...]]] = []
    while True:
        tried = _lowered(present)
        for orders in tried:
            if orders not in fits:
                fits[orders] = _fitted(spec, cohort, orders, fits[present])
            # The present model contains this one: where it is lower, its search had missed the best optimum.
            fits[present] = _improved(fits[present], fits[orders], 1)
        steps.append((present, tried))
        limit = fits[present].bic
        better = [orders for orders in tried if fits[orders].fit.best.is_proper and fits[orders].bic < limit]
        if not better:
            return OrderSearch(fits=fits, steps=tuple(steps))
        present = min(better, key=lambda orders: fits[orders].bic)


def _lowered(orders: Orders) -> tuple[Orders, ...]:
    """Return the distinct orders in which one class has one less."""
    found = []
    for at, order in enumerate(orders):
        if order > 0:
            lower = sorted((*orders[:at], order - 1, *orders[at + 1 :]), reverse=True)
            found.append(tuple(lower))
    return tuple(dict.fromkeys(found))


def _fitted(spec: GbtmSpec, cohort: Cohort, orders: Orders, above: GbtmResult | None) -> GbtmResult:
    """Return the model of these orders, not below what the one with a higher order leads to."""
    result = fit_gbtm_cohort(replace(spec, orders=orders), cohort)
    if above is None:
        return result
    return _improved(result, above, -1)


def _improved(result: GbtmResult, known: GbtmResult, by: int) -> GbtmResult:
    """Return the model at the end to which another leads, in which one class has an order higher (1) or lower (-1)."""
    with threadpool_limits(limits=1, user_api="blas"):
        return adopted(result, _ends_of_shifted(known, result, by)) or result


def _ends_of_shifted(known: GbtmResult, result: GbtmResult, by: int) -> Iterator[tuple[End, str]]:
    """Yield where the classes of a model lead to in another, each class in turn with its order changed."""
    posterior = e_step(known.fit.vector[None], known.design.mixture_of(known.fit.class_kinds))[0][0]
    design = result.design
    starts = []
    for g, (order, *rest) in enumerate(known.fit.class_kinds):
        kinds = (*known.fit.class_kinds[:g], (order + by, *rest), *known.fit.class_kinds[g + 1 :])
        if sorted(kinds) == sorted(design.class_kinds):
            start = np.empty_like(posterior)
            start[slots(design.class_kinds, kinds)] = posterior
            starts.append(start)
    if starts:
        yield best_end(np.array(starts), design.mixture), "another order of one class"
