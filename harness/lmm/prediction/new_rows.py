"""From a DataFrame to rows of a fitted model, in the columns that it was trained on; all that is wrong said at once."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from harness.arrays import Codes, Matrix, read_only
from harness.cohorts.cells import Cells, convert
from harness.cohorts.schema import Column
from harness.cohorts.tables import Table, shorter
from harness.errors import Problem, SpecError, nearest
from harness.lmm.columns import Frame, design_matrix
from harness.lmm.prediction.occasions import Occasions, RandomRows
from harness.lmm.prediction.trained import Trained

_MOST_PROBLEMS = 20
_WHERE = "predict"


def new_occasions(
    model: Trained, data: pd.DataFrame, known: Sequence[Mapping[str, int]] | None, *, individual: bool
) -> Occasions:
    """Return the rows of a DataFrame.

    Parameters
    ----------
    data
        One row an occasion. Predictors must be there and complete; the outcome may be missing, or its column absent.
    known
        For each random part, and then for the residual's subjects, the codes of the labels that the fit has seen; new
        labels get codes beyond. None if it has seen nobody.
    individual
        Whether rows belong to subjects. If not, no column says whose a row is, and each row is a subject of its own.

    Raises
    ------
    SpecError
        With all problems: columns that are missing, twice there or of the wrong type; cells without a value; levels
        that the fit has not seen; weights that are not positive; values at which a function is not defined.
    """
    _require_frame(data)
    columns = _columns(model, individual=individual, outcome=model.outcome in data.columns)
    problems = list(_column_problems(data, columns))
    _raise_if(problems)
    cells = {column.name: _cells(data, column) for column in columns}
    problems = [problem for one in cells.values() for problem in one.problems]
    for name, one in cells.items():
        if name != model.outcome:
            problems += _gaps(name, one)
    _raise_if(problems)
    frame = _frame(model, cells, len(data))
    problems += [*_weight_problems(model, frame), *_undefined(model, frame), *_unknown_visits(model, frame)]
    _raise_if(problems)
    labels = {name: _combined(cells, name) for name in _groupings(model)} if individual else {}
    found = _occasions(model, frame, labels, known or [{}] * (len(model.random) + 1))
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


def _column_problems(data: pd.DataFrame, columns: Sequence[Column]) -> Iterator[Problem]:
    present = list(data.columns)
    names = [name for name in present if isinstance(name, str)]
    if not len(data):
        yield Problem(found="no rows", expected="at least one row")
    for column in columns:
        count = present.count(column.name)
        if count == 0:
            advice = nearest(column.name, names)
            yield Problem(
                column=shorter(column.name), found="no such column", expected="it, the model needs it", advice=advice
            )
        elif count > 1:
            yield Problem(column=shorter(column.name), found=f"{count} columns of this name", expected="one")


def _cells(data: pd.DataFrame, column: Column) -> Cells:
    series = data[column.name]
    missing = series.isna().to_numpy()
    objects = [None if gap else cell for gap, cell in zip(missing, series.astype(object), strict=True)]
    table = Table(header=[column.name], columns={column.name: objects}, lines=range(1, len(objects) + 1), textual=False)
    return convert(table, column.name, column, decimal=".")


def _gaps(name: str, cells: Cells) -> Iterator[Problem]:
    for row in np.flatnonzero(cells.missing).tolist():
        yield Problem(line=row + 1, column=shorter(name), found="no value", expected="one in every row")


def _frame(model: Trained, cells: Mapping[str, Cells], n_rows: int) -> Frame:
    numeric = {name: one.numbers for name, one in cells.items() if one.column.is_numeric}
    codes = {
        name: np.array([levels.index(str(label)) for label in cells[name].labels], dtype=np.int64)
        for name, levels in model.levels.items()
    }
    return Frame(n_rows=n_rows, numeric=numeric, codes=codes, levels=model.levels)


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
            finite = np.isfinite(encoding.columns(frame)).all(axis=1)
            values = frame.numeric[encoding.atom.column]
            for row in np.flatnonzero(~finite).tolist():
                found = f"{written} at {values[row]:g} is no finite number"
                yield Problem(
                    line=row + 1, column=encoding.atom.column, found=found, expected="a value where it is one"
                )


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


def _combined(cells: Mapping[str, Cells], grouping: tuple[str, ...]) -> list[str]:
    return [":".join(map(str, parts)) for parts in zip(*(cells[name].labels for name in grouping), strict=True)]


def _codes(labels: Sequence[str], known: Mapping[str, int]) -> Codes:
    codes = dict(known)
    for label in labels:
        codes.setdefault(label, len(codes))
    return np.array([codes[label] for label in labels], dtype=np.int64)


def _occasions(
    model: Trained, frame: Frame, labels: Mapping[tuple[str, ...], list[str]], known: Sequence[Mapping[str, int]]
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


def _require_frame(data: object) -> None:
    if not isinstance(data, pd.DataFrame):
        found = f"{data!r:.40} of type {type(data).__name__}"
        raise SpecError(_WHERE, [Problem(found=found, expected="a pandas DataFrame, one row an occasion")])


def _raise_if(problems: Sequence[Problem]) -> None:
    if not problems:
        return
    listed, left_out = list(problems[:_MOST_PROBLEMS]), len(problems) - _MOST_PROBLEMS
    if left_out > 0:
        listed.append(Problem(found=f"{left_out} more problems", expected="none"))
    raise SpecError(_WHERE, listed)
