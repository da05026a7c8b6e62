"""Would other subjects have led to the same number of classes? A bootstrap over subjects of the whole choice.

A sample of subjects is a weight for each, how often it was drawn: the likelihood is exactly that of repeated rows. In
each sample every number of classes is searched anew, and one-class mixed models climb from their estimates.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from harness.arrays import Codes, Tensor, read_only
from harness.errors import Problem, SpecError
from harness.gbtm.account import GbtmFit
from harness.gbtm.adequacy import modal_uncertainty, total_entropy
from harness.gbtm.design import GbtmDesign, slots
from harness.gbtm.inference.resampling import reweighted
from harness.gbtm.mixture import e_step
from harness.gbtm.newton import climb
from harness.gbtm.selection.criteria import CRITERIA, criteria_of
from harness.gbtm.selection.processes import over_replicates, stream_of
from harness.gbtm.selection.search import End, search_from, search_larger
from harness.gbtm.selection.selection import Selection
from harness.summaries import Summary, aligned, ruled

_LARGEST_SEED = 2**31


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SelectionStability:
    """What B samples of subjects choose.

    Attributes
    ----------
    models, n_classes, is_rival : (M,)
        As in the selection; rivals with more than one class are left out.
    criteria : (B, M, C)
        Of each sample and model, in the order of `CRITERIA`.
    chosen
        The model without rivals that each criterion chooses in the data themselves.
    """

    models: tuple[str, ...]
    n_classes: tuple[int, ...]
    is_rival: tuple[bool, ...]
    criteria: Tensor
    chosen: Mapping[str, str]
    seed: int

    def selected(self, criterion: str = "bic_subjects") -> pd.Series:
        """Return in what share of the samples each model without rivals is chosen."""
        own = ~np.array(self.is_rival)
        best = self._values(criterion)[:, own].argmin(axis=1)
        share = np.bincount(best, minlength=int(own.sum())) / len(best)
        return pd.Series(
            share, index=[name for name, rival in zip(self.models, self.is_rival, strict=True) if not rival]
        )

    def beaten_by_mixed_model(self, criterion: str = "bic_subjects") -> float:
        """Return in what share of the samples a one-class mixed model beats all numbers of classes; NaN without one."""
        values, rival = self._values(criterion), np.array(self.is_rival)
        if not rival.any():
            return float("nan")
        return float(np.mean(values[:, rival].min(axis=1) < values[:, ~rival].min(axis=1)))

    def differences(self, criterion: str = "bic_subjects", level: float = 0.95) -> pd.DataFrame:
        """Return each model's criterion less that of the model which the data themselves choose.

        One row a model: `mean`, `standard_deviation`, `lower`, `upper` (percentiles) over the samples, and
        `share_below` of samples in which it is the better one.
        """
        values = self._values(criterion)
        found = values - values[:, [self.models.index(self.chosen[criterion])]]
        lower, upper = np.quantile(found, [(1 - level) / 2, (1 + level) / 2], axis=0)
        return pd.DataFrame(
            {
                "mean": found.mean(axis=0),
                "standard_deviation": found.std(axis=0, ddof=1),
                "lower": lower,
                "upper": upper,
                "share_below": np.mean(found < 0, axis=0),
            },
            index=pd.Index(self.models, name="model"),
        )

    def summary(self) -> Summary:
        """Return what the samples choose, as text."""
        B = len(self.criteria)
        rows = [["Chosen in % of samples", *CRITERIA.values()]]
        shares = {name: self.selected(name) for name in CRITERIA}
        rows += [[model, *(f"{100 * shares[name][model]:.0f}" for name in CRITERIA)] for model in shares["aic"].index]
        differences = self.differences()
        others = [["BIC (subjects) less that of", "Mean", "SD", "2.5 %", "97.5 %"]]
        others[0][0] += f" {self.chosen['bic_subjects']}"
        for name, row in differences.iterrows():
            others.append(
                [str(name), *(f"{row[column]:.1f}" for column in ("mean", "standard_deviation", "lower", "upper"))]
            )
        chosen = self.chosen["bic_subjects"]
        share = 100 * shares["bic_subjects"][chosen]
        ending = [f"The data choose {chosen} by BIC (subjects); so do {share:.0f} % of the samples."]
        beaten = self.beaten_by_mixed_model()
        if not np.isnan(beaten):
            ending.append(f"A one-class mixed model has the lowest BIC (subjects) in {100 * beaten:.0f} % of them.")
        ending.append(
            "A sample has subjects twice, which can look like classes: it tends to choose more than the data."
        )
        return ruled(
            [[f"Stability of the number of classes in {B} samples of subjects"], aligned(rows), aligned(others), ending]
        )

    def _values(self, criterion: str) -> Tensor:
        if criterion not in CRITERIA:
            expected = f"one of {', '.join(CRITERIA)}"
            raise SpecError("stability", [Problem(found=f"criterion {criterion!r:.40}", expected=expected)])
        return np.asarray(self.criteria[:, :, list(CRITERIA).index(criterion)])


def selection_stability(
    selection: Selection, *, replicates: int, seed: int, n_starts: int, workers: int | None
) -> SelectionStability:
    """Return what samples of subjects would have chosen."""
    kept = [one for one in selection.candidates if not one.is_rival or one.n_classes == 1]
    models = [(one.result.fit, one.result.design) for one in kept]
    task = partial(_sample, models, seed, n_starts)
    found = over_replicates(task, replicates, workers)
    own = selection.table()
    own = own[own["proper"] & ~own["is_rival"]]
    return SelectionStability(
        models=tuple(one.name for one in kept),
        n_classes=tuple(one.n_classes for one in kept),
        is_rival=tuple(one.is_rival for one in kept),
        criteria=read_only(np.array(found)),
        chosen={name: str(own[name].idxmin()) for name in CRITERIA},
        seed=seed,
    )


def _sample(models: list[tuple[GbtmFit, GbtmDesign]], seed: int, n_starts: int, number: int) -> list[list[float]]:
    """Return the criteria of each model, in turn, in one sample of subjects."""
    stream = stream_of(seed, number)
    N = models[0][1].n_subjects
    counts = stream.multinomial(N, np.full(N, 1 / N)).astype(np.int64)
    start = int(stream.integers(_LARGEST_SEED))
    before: tuple[End, GbtmDesign] | None = None
    found = []
    for fit, design in models:
        drawn = reweighted(replace(design, spec=replace(design.spec, seed=start)), counts)
        end = _end(fit, drawn, before, n_starts, stream)
        found.append(_criteria(end, drawn, counts))
        before = (end, drawn)
    return found


def _end(
    fit: GbtmFit,
    drawn: GbtmDesign,
    before: tuple[End, GbtmDesign] | None,
    n_starts: int,
    stream: np.random.Generator,
) -> End:
    mixture = drawn.mixture_of(fit.class_kinds)
    if drawn.n_classes == 1:
        ends = climb(fit.vector[None], mixture)
        return End(vector=ends.vectors[0], log_likelihood=float(ends.log_likelihood[0]))
    posterior = np.empty((drawn.n_classes, drawn.n_subjects))
    posterior[slots(drawn.class_kinds, fit.class_kinds)] = e_step(fit.vector[None], mixture)[0][0]
    if before is None or not _is_one_class_less(before[1], drawn):
        return search_from(posterior, drawn, n_starts)
    return search_larger(*before, drawn, n_starts, stream, also=posterior)


def _is_one_class_less(smaller: GbtmDesign, design: GbtmDesign) -> bool:
    if smaller.n_classes != design.n_classes - 1 or smaller.spec.random != design.spec.random:
        return False
    rest = list(design.class_kinds)
    for kind in smaller.class_kinds:
        if kind not in rest:
            return False
        rest.remove(kind)
    return True


def _criteria(end: End, drawn: GbtmDesign, counts: Codes) -> list[float]:
    posterior = np.repeat(e_step(end.vector[None], drawn.mixture)[0][0].T, counts, axis=0)
    n = sum(int(counts @ outcome.rows.panel.sizes) for outcome in drawn.outcomes)
    found = criteria_of(
        end.log_likelihood,
        (drawn.n_parameters, int(counts.sum()), n),
        (total_entropy(posterior), modal_uncertainty(posterior)),
    )
    values = asdict(found)
    return [values[name] for name in CRITERIA]
