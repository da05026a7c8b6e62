"""From the names that R gives to columns of a design back to ours."""

import re
from collections.abc import Mapping, Sequence

from harness.errors import EngineError
from harness.formula import Term
from harness.references.requests import Request

# What R makes of the calls that reference_r/worker.R builds: v3, v3L2, I(v3^2), log(v3).
_PIECE = re.compile(
    r"(?P<plain>v\d+)(?:L(?P<level>\d+))?|I\((?P<raised>v\d+)\^(?P<power>\d+)\)|(?P<function>\w+)\((?P<inside>v\d+)\)"
)


def our_names(
    engine: str, r_names: Sequence[str], terms: Sequence[Term], request: Request, levels: Mapping[str, Sequence[str]]
) -> tuple[str, ...]:
    """Return our names of R's columns: "intercept", "week^2", "protocol[six]", interactions joined by ":".

    R may turn the factors of an interaction round; ours come in the order of the formula's terms.

    Raises
    ------
    EngineError
        `refused`, if R names a column that the model does not have.
    """
    orders = {frozenset(map(str, term)): [str(atom) for atom in term] for term in terms}
    return tuple(_our_name(engine, name, orders, request.names, levels) for name in r_names)


def _our_name(
    engine: str,
    r_name: str,
    orders: Mapping[frozenset[str], Sequence[str]],
    names: Mapping[str, str],
    levels: Mapping[str, Sequence[str]],
) -> str:
    if r_name == "(Intercept)":
        return "intercept"
    pieces = dict(_piece(engine, piece, names, levels) for piece in r_name.split(":"))
    order = orders.get(frozenset(pieces))
    if order is None:
        raise EngineError(engine, "refused", f"it has a column {r_name!r} that belongs to no term of the model")
    return ":".join(pieces[atom] for atom in order)


def _piece(engine: str, piece: str, names: Mapping[str, str], levels: Mapping[str, Sequence[str]]) -> tuple[str, str]:
    """Return the atom that a piece of R's name belongs to, as it is written in a formula, and our name of the piece."""
    found = _PIECE.fullmatch(piece)
    letter = found and (found["plain"] or found["raised"] or found["inside"])
    if not found or not letter or letter not in names:
        raise EngineError(engine, "refused", f"it has a column {piece!r} that can't be read")
    column = names[letter]
    if found["level"]:
        return column, f"{column}[{levels[column][int(found['level']) - 1]}]"
    if found["raised"]:
        column = f"{column}^{found['power']}"
    elif found["inside"]:
        column = f"{found['function']}({column})"
    return column, column
