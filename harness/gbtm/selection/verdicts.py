"""What a table of models says, in plain words."""

from collections.abc import Iterator, Mapping

import pandas as pd

from harness.errors import Problem, SpecError
from harness.gbtm.selection.criteria import CRITERIA

_GRADES = ((2.0, "weak"), (6.0, "positive"), (10.0, "strong"), (float("inf"), "very strong"))
"""Of differences of BIC, as Kass & Raftery (1995) call them."""

_FEW_PERSONS = 10
_SMALL_SHARE = 0.05
_FALL = 1e-6


def chosen(table: pd.DataFrame, criterion: str) -> int:
    """Return the number of classes with the smallest criterion among proper models without rivals.

    Raises
    ------
    SpecError
        If there is no such criterion, or no proper model.
    """
    if criterion not in CRITERIA:
        expected = f"one of {', '.join(CRITERIA)}"
        raise SpecError("selection", [Problem(found=f"criterion {criterion!r:.40}", expected=expected)])
    proper = table[table["proper"] & ~table["is_rival"]]
    if proper.empty:
        raise SpecError("selection", [Problem(found="no model at a proper maximum", expected="at least one")])
    return int(proper["n_classes"].iloc[int(proper[criterion].argmin())])


def grade(difference: float) -> str:
    """Return how strong the evidence of a difference of BIC is called."""
    return next(word for limit, word in _GRADES if difference < limit)


def flags(table: pd.DataFrame, gains: Mapping[int, float]) -> Iterator[str]:
    """Yield one sentence for each thing that a reader of the table must know."""
    proper = table[table["proper"]]
    classes, rivals = proper[~proper["is_rival"]], proper[proper["is_rival"]]
    if classes.empty:
        yield "None of the models ended at a proper maximum with as many classes as it has."
        return
    yield from _winners(classes)
    yield from _rivals(classes, rivals)
    yield from _doubts(table, classes)
    for K, gain in gains.items():
        yield f"{K} classes: its own starts missed an optimum {gain:.4f} higher, to which a neighbouring model led."


def _winners(classes: pd.DataFrame) -> Iterator[str]:
    by_model: dict[str, list[str]] = {}
    for column, name in CRITERIA.items():
        by_model.setdefault(str(classes[column].idxmin()), []).append(name)
    for model, names in by_model.items():
        ahead = ""
        if CRITERIA["bic_subjects"] in names and len(classes) > 1:
            best, second = classes["bic_subjects"].nsmallest(2)
            rank = str(classes["bic_subjects"].nsmallest(2).index[1])
            ahead = f"; BIC (subjects) is {second - best:.1f} below that of {rank}, {grade(second - best)} evidence"
        yield f"Best by {', '.join(names)}: {model}{ahead}."
    if len(by_model) > 1:
        yield "The criteria do not agree: they weigh parameters and certainty of classification differently."


def _rivals(classes: pd.DataFrame, rivals: pd.DataFrame) -> Iterator[str]:
    if rivals.empty:
        return
    best, best_name = float(classes["bic_subjects"].min()), str(classes["bic_subjects"].idxmin())
    single = rivals[rivals["n_classes"] == 1]
    for name, model in rivals.sort_values("bic_subjects").iterrows():
        ahead = best - float(model["bic_subjects"])
        if ahead <= 0:
            continue
        if model["n_classes"] == 1:
            yield (
                f"The one-class mixed model ({name}) beats every number of classes by BIC (subjects), by {ahead:.1f} "
                f"({grade(ahead)} evidence) against {best_name}: classes may be slices of one continuous distribution."
            )
        else:
            yield (
                f"{name} has a BIC (subjects) {ahead:.1f} below {best_name} ({grade(ahead)} evidence): correlation "
                "within subjects that the classes do not carry makes more of them than there are."
            )
    if not single.empty and float(single["bic_subjects"].min()) >= best:
        behind = float(single["bic_subjects"].min()) - best
        yield f"The one-class mixed models are {behind:.1f} or more behind {best_name} by BIC (subjects)."


def _doubts(table: pd.DataFrame, classes: pd.DataFrame) -> Iterator[str]:
    ordered = table[~table["is_rival"]]
    improper = ordered[~ordered["proper"]]
    for name in improper.index:
        yield f"{name}: no proper maximum with as many different classes was found; it is left out of every choice."
    top = int(ordered["n_classes"].max())
    winner = int(classes["n_classes"].iloc[int(classes["bic_subjects"].argmin())])
    if winner == top and len(ordered) > 1:
        yield f"BIC (subjects) chooses the largest model that was fitted ({top} classes): fit more classes."
    for name, model in classes[classes["n_classes"] > 1].iterrows():
        if model["smallest_share"] < _SMALL_SHARE or model["smallest_assigned"] < _FEW_PERSONS:
            yield (
                f"{name}: the smallest class has {100 * model['smallest_share']:.1f} % of the population and "
                f"{model['smallest_assigned']} person(s) assigned."
            )
    falls = ordered["log_likelihood"].diff() < -_FALL
    for name in ordered.index[falls]:
        yield f"{name}: the log-likelihood is below that of fewer classes, so its best proper optimum is only local."
