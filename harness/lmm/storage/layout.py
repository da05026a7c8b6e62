"""What stands in the file of a stored fit."""

from harness.lmm.storage.shapes import (
    VECTOR,
    Count,
    Flag,
    ListOf,
    MapOf,
    Matrix,
    Maybe,
    Number,
    Record,
    Tagged,
    Text,
)

FORMAT = "linear mixed model"
VERSION = 1

_NAMES = ListOf(Text())
_ENCODING = Record(
    {
        "column": Text(),
        "power": Count(),
        "function": Text(("identity", "log", "log1p", "sqrt", "exp", "poly", "ns")),
        "size": Count(),
        "coding": Maybe(Text(("treatment", "sum", "helmert", "poly"))),
        "names": _NAMES,
        "table": Maybe(Matrix()),
        "basis": Maybe(
            Tagged(
                {
                    "polynomial": Record({"centres": VECTOR, "ratios": VECTOR, "norms": VECTOR}),
                    "spline": Record({"knots": VECTOR, "natural": Matrix()}),
                }
            )
        ),
    }
)
_TERMS = ListOf(ListOf(_ENCODING))
_RESIDUAL = Tagged(
    {
        "independent": Record({"variance": Number()}),
        "visits": Record({"matrices": Matrix(3)}),
        "continuous": Record({"variances": VECTOR, "phi": VECTOR}),
    }
)
_DEGREES = Tagged(
    {
        "fixed": Record({"covariance": Matrix(), "df": Maybe(Number())}),
        "satterthwaite": Record({"covariance": Matrix(), "slopes": Matrix(3), "spread": Matrix(), "ignored": Count()}),
        "kenward-roger": Record(
            {
                "covariance": Matrix(),
                "phi": Matrix(),
                "slopes": Matrix(3),
                "spread": Matrix(),
                "ignored": Count(),
                "definite": Flag(),
            }
        ),
    }
)
_EFFECTS = Record(
    {
        "working": Matrix(),
        "degrees": _DEGREES,
        "method": Record({"name": Text(), "information": Text(), "order": Text(), "parametrisation": Text()}),
        "remarks": _NAMES,
    }
)
_CONVERGENCE = Record(
    {
        "stop": Text(),
        "message": Text(),
        "iterations": Maybe(Count()),
        "gradient": Maybe(Number()),
        "distance": Maybe(Number()),
        "smallest_eigenvalue": Maybe(Number()),
    }
)
_COLUMNS = Record(
    {
        "outcome": Text(),
        "levels": MapOf(_NAMES),
        "numeric": _NAMES,
        "terms": _TERMS,
        "names": _NAMES,
        "kept": ListOf(Count()),
        "null_space": Matrix(),
        "residual": Maybe(
            Record(
                {
                    "subject": Text(),
                    "visit": Text(),
                    "by": Maybe(Text()),
                    "visits": Maybe(_NAMES),
                    "levels": ListOf(Maybe(Text())),
                }
            )
        ),
    }
)
DOCUMENT = Record(
    {
        "format": Text((FORMAT,)),
        "version": Count(),
        "software": Text(),
        "sha256": Text(),
        "model": Record({"formula": Text(), "criterion": Text(("ML", "REML")), "weights": Maybe(Text())}),
        "cohort": Record({"name": Text(), "sha256": Text(), "rows": Count(), "subjects": Count()}),
        "likelihood": Record({"logarithm": Number(), "aic": Number(), "bic": Number(), "parameters": Count()}),
        "convergence": _CONVERGENCE,
        "theta": VECTOR,
        "beta": VECTOR,
        "vcov": Matrix(),
        "random": ListOf(Record({"grouping": _NAMES, "names": _NAMES, "covariance": Matrix(), "terms": _TERMS})),
        "residual": _RESIDUAL,
        "columns": _COLUMNS,
        "effects": MapOf(_EFFECTS),
    }
)
