"""From a DataFrame to rows of a fitted model, in the columns that it was trained on; all that is wrong said at once."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from harness.arrays import Codes, Matrix, read_only
from harness.coding.columns import Frame, design_matrix
from harness.cohorts.cohort import Factor
from harness.cohorts.schema import Column
from harness.errors import Problem, SpecError, listed
from harness.lmm.checks import LARGEST
from harness.lmm.prediction.occasions import Occasions, RandomRows
from harness.lmm.prediction.parsing import Parsed, as_frame, column_problems, parsed_columns
from harness.lmm.prediction.trained import Trained
from harness.lmm.rows import combined

_WHERE = "predict"


def new_occasions(
    model: Trained, data: object, known: Sequence[Sequence[str]] | None, *, individual: bool
) -> Occasions:
    """Return the rows of a DataFrame or a cohort.

    Parameters
    ----------
    data
        One row an occasion. Predictors must be there and complete; the outcome may be missing, or its column absent.
    known
        For each random part, and then for the residual's subjects, the labels that the fit has seen, in the order of
        their codes; new labels get codes beyond. None if it has seen nobody.
    individual
        Whether rows belong to subjects. If not, no column says whose a row is, and each row is a subject of its own.

    Raises
    ------
    SpecError
        With all problems: columns that are missing, twice there or of the wrong type; cells without a value; levels
        that the fit has not seen; weights that are not positive; values at which a function is not defined.
    """
    table = as_frame(data)
    columns = _columns(model, individual=individual, outcome=model.outcome in table.columns)
    _raise_if(list(column_problems(table, columns)))
    parsed, problems = parsed_columns(table, columns, may_miss=model.outcome)
    _raise_if(problems)
    frame = _frame(model, parsed, len(table))
    _raise_if([*_weight_problems(model, frame), *_undefined(model, frame), *_unknown_visits(model, frame)])
    labels = {one: _grouping(parsed, one) for one in _groupings(model)} if individual else {}
    found = _occasions(model, frame, labels, known or [()] * (len(model.random) + 1))
    _raise_if(_repeated_visits(model, found))
    return found


def _columns(model: Trained, *, individual: bool, outcome: bool) -> list[Column]:
    wanted = [Column(name=name, role="covariate", source=name) for name in model.numeric]
    wanted += [Column(name=name, role="factor", source=name, levels=levels) for name, levels in model.levels.items()]
    if model.weights is not None:
        wanted.append(Column(name=model.weights, role="covariate", source=model.weights))
    if outcome:
        wanted.append(Column(name=model.outcome, role="outcome", source=model.outcome))
    if individual:
        taken = {column.name for column in wanted}
        wanted += [Column(name=name, role="subject", source=name) for name in model.subjects if name not in taken]
    return wanted


def _frame(model: Trained, parsed: Parsed, n_rows: int) -> Frame:
    codes = {}
    for name, levels in model.levels.items():
        own, place = parsed.factors[name], {level: code for code, level in enumerate(levels)}
        codes[name] = np.array([place.get(level, -1) for level in own.levels], dtype=np.int64)[own.codes]
    return Frame(n_rows=n_rows, numeric=parsed.numeric, codes=codes, levels=model.levels)


def _weight_problems(model: Trained, frame: Frame) -> Iterator[Problem]:
    if model.weights is None:
        return
    values = frame.numeric[model.weights]
    for row in np.flatnonzero(~(values > 0)).tolist():
        yield Problem(line=row + 1, column=model.weights, found=f"weight {values[row]:g}", expected="a weight > 0")


def _undefined(model: Trained, frame: Frame) -> Iterator[Problem]:
    coded = [*model.coded, *(one for part in model.random for one in part.coded)]
    encodings = {str(e.atom): e for one in coded for e in one.encodings if e.table is None}
    with np.errstate(all="ignore"):
        for written, encoding in encodings.items():
            fit = (np.abs(encoding.columns(frame)) <= LARGEST).all(axis=1)
            values = frame.numeric[encoding.atom.column]
            for row in np.flatnonzero(~fit).tolist():
                found = f"{written} at {values[row]:g} is no finite number, or too large"
                expected = f"a value where it is at most {LARGEST:g}"
                yield Problem(line=row + 1, column=encoding.atom.column, found=found, expected=expected)


def _unknown_visits(model: Trained, frame: Frame) -> Iterator[Problem]:
    residual = model.residual
    if residual is None or residual.visits is None:
        return
    for row in np.flatnonzero(np.isnan(residual.places(frame))).tolist():
        value, expected = frame.numeric[residual.visit][row], f"one of the visits {', '.join(residual.visits)}"
        yield Problem(line=row + 1, column=residual.visit, found=f"{value:g}", expected=expected)


def _groupings(model: Trained) -> dict[tuple[str, ...], None]:
    residual = [] if model.residual is None else [(model.residual.subject,)]
    return dict.fromkeys([*(part.grouping for part in model.random), *residual])


def _grouping(parsed: Parsed, columns: tuple[str, ...]) -> Factor:
    codes, labels = combined([(parsed.factors[name].codes, parsed.factors[name].levels) for name in columns])
    return Factor(codes=codes, levels=labels)


def _codes(label: Factor, known: Sequence[str]) -> Codes:
    """Return the known labels' codes, and codes beyond them for new labels."""
    codes = {seen: code for code, seen in enumerate(known)}
    if len(codes) < len(known):
        found = "two combinations of levels that are written alike"
        raise SpecError(
            _WHERE, [Problem(found=found, expected="labels that differ", advice="Leave ':' out of labels.")]
        )
    for level in label.levels:
        codes.setdefault(level, len(codes))
    return np.asarray(np.array([codes[level] for level in label.levels], dtype=np.int64)[label.codes])


def _occasions(
    model: Trained, frame: Frame, labels: Mapping[tuple[str, ...], Factor], known: Sequence[Sequence[str]]
) -> Occasions:
    n, residual = frame.n_rows, model.residual
    alone = np.arange(n)

    def codes(grouping: tuple[str, ...], k: int) -> Codes:
        return _codes(labels[grouping], known[k]) if labels else alone + len(known[k])

    random = tuple(
        RandomRows(Z=design_matrix(part.coded, frame), codes=codes(part.grouping, k))
        for k, part in enumerate(model.random)
    )
    visit, level, subject = np.zeros(n), np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    if residual is not None:
        visit, level = residual.places(frame), residual.level_codes(frame)
        subject = codes((residual.subject,), len(model.random))
    outcome = frame.numeric.get(model.outcome, np.full(n, np.nan))
    return Occasions(
        X=read_only(fixed_columns(model, frame)),
        random=random,
        outcome=outcome,
        weights=np.ones(n) if model.weights is None else frame.numeric[model.weights],
        residual_subject=subject,
        residual_level=level,
        visit=visit,
        has_residual_structure=residual is not None,
    )


def fixed_columns(model: Trained, frame: Frame) -> Matrix:
    """Return the fixed part's rows (k, p) over a frame of the trained levels."""
    return design_matrix(model.coded, frame)[:, model.kept]


def _repeated_visits(model: Trained, at: Occasions) -> list[Problem]:
    """Return measured rows of one subject at one visit: residuals that covary can't tell two of them apart."""
    if model.residual is None:
        return []
    seen: dict[tuple[int, float], int] = {}
    found = []
    for row in np.flatnonzero(at.measured).tolist():
        key = (int(at.residual_subject[row]), float(at.visit[row]))
        if key in seen:
            sentence = f"a second outcome of its subject at the visit of line {seen[key]}"
            found.append(Problem(line=row + 1, column=model.residual.visit, found=sentence, expected="one a visit"))
        seen.setdefault(key, row + 1)
    return found


def _raise_if(problems: Sequence[Problem]) -> None:
    if problems:
        raise SpecError(_WHERE, listed(problems))
