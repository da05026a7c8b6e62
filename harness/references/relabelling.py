"""The parameters of a mixture after its classes have changed places."""

from collections.abc import Sequence

import numpy as np

from harness.arrays import Codes, Matrix, Vector
from harness.gbtm.named import Parameter


def log_odds(membership: Matrix) -> Vector:
    """Return the log-odds against the last class as in a `Point`, of coefficients (r, K) in each class's predictor."""
    with np.errstate(invalid="ignore"):  # of two empty classes the odds are NaN
        return np.asarray((membership[:, :-1] - membership[:, -1:]).ravel())


def relabelled_values(
    values: Vector, before: Sequence[Parameter], after: Sequence[Parameter], classes: Codes
) -> Vector:
    """Return all parameters but the log-odds, with class classes[g] in place g.

    Parameters
    ----------
    values
        As in a `Point`, in the order of `before` without its log-odds.
    before, after
        All parameters of the model, the log-odds first, before and after.
    classes : (K,)
        Which class each place takes, from 0. The scale of the last place is 1 afterwards, too: the covariance of the
        random effects takes what it was.
    """
    places = _places(before)
    reference = _scale(values, places, int(classes[-1]) + 1)
    moved = []
    for parameter in _others(after):
        if parameter.role == "scale":
            moved.append(_scale(values, places, int(classes[parameter.latent_class - 1]) + 1) / reference)
            continue
        factor = reference**2 if parameter.role == "covariance" else 1.0
        moved.append(factor * values[places[_old(parameter, classes)]])
    return np.array(moved)


def relabelled_covariance(
    covariance: Matrix, values: Vector, before: Sequence[Parameter], after: Sequence[Parameter], classes: Codes
) -> Matrix:
    """Return the covariance (P, P) of the parameters of a `Point` with class classes[g] in place g; see above."""
    P, K = len(before), len(classes)
    n_odds = P - len(values)
    jacobian = np.zeros((P, P))
    r = n_odds // (K - 1) if K > 1 else 0
    change = np.zeros((K - 1, K))
    change[np.arange(K - 1), classes[:-1]] += 1
    change[:, classes[-1]] -= 1
    jacobian[:n_odds, :n_odds] = np.kron(np.eye(r), change[:, :-1])
    places = _places(before)
    last = int(classes[-1]) + 1
    reference = _scale(values, places, last)
    at_reference = _scale_place(places, last)
    for row, parameter in enumerate(_others(after), start=n_odds):
        if parameter.role == "scale":
            own = int(classes[parameter.latent_class - 1]) + 1
            for place, slope in (
                (_scale_place(places, own), 1 / reference),
                (at_reference, -_scale(values, places, own) / reference**2),
            ):
                if place is not None:
                    jacobian[row, n_odds + place] += slope
            continue
        old = places[_old(parameter, classes)]
        jacobian[row, n_odds + old] = reference**2 if parameter.role == "covariance" else 1.0
        if parameter.role == "covariance" and at_reference is not None:
            jacobian[row, n_odds + at_reference] = 2 * reference * values[old]
    return np.asarray(jacobian @ covariance @ jacobian.T)


_Key = tuple[str, str, int]


def _others(parameters: Sequence[Parameter]) -> list[Parameter]:
    return [parameter for parameter in parameters if parameter.role != "log_odds"]


def _places(parameters: Sequence[Parameter]) -> dict[_Key, int]:
    return {(p.role, p.name, p.latent_class): place for place, p in enumerate(_others(parameters))}


def _old(parameter: Parameter, classes: Codes) -> _Key:
    g = parameter.latent_class
    return (parameter.role, parameter.name, int(classes[g - 1]) + 1 if g else 0)


def _scale_place(places: dict[_Key, int], latent_class: int) -> int | None:
    """Return the place of w of a class; None for the last class, and without a scale."""
    return next((place for (role, _, g), place in places.items() if role == "scale" and g == latent_class), None)


def _scale(values: Vector, places: dict[_Key, int], latent_class: int) -> float:
    place = _scale_place(places, latent_class)
    return 1.0 if place is None else float(values[place])
