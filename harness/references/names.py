"""From the names that R gives to columns and terms of a design back to ours."""

from collections.abc import Mapping, Sequence

from harness.errors import EngineError
from harness.formula import Term, term_text
from harness.references.requests import Request


def our_names(engine: str, r_names: Sequence[str], terms: Sequence[Term], request: Request) -> tuple[str, ...]:
    """Return our names of R's columns: "intercept", "week^2", "protocol[six]", interactions joined by ":".

    R may turn the factors of an interaction round; ours come in the order of the formula's terms.

    Raises
    ------
    EngineError
        `refused`, if R names a column that the model does not have.
    """
    orders = {frozenset(map(str, term)): [str(atom) for atom in term] for term in terms}
    return tuple(_our_name(engine, name, orders, request.pieces) for name in r_names)


def our_terms(engine: str, r_labels: Sequence[str], terms: Sequence[Term], request: Request) -> tuple[str, ...]:
    """Return our texts of the terms that R labels, such as "week:protocol" for ``v3:v2``.

    Raises
    ------
    EngineError
        `refused`, if R names a term that the model does not have.
    """
    texts = {frozenset(map(str, term)): term_text(term) for term in terms}
    # A factor's label is its letter alone; a numeric variable's is the name of its column, without its number.
    labels = {piece: atom for piece, (atom, _) in request.pieces.items()}
    labels |= {letter: labels[f"{letter}L1"] for letter in request.levels if f"{letter}L1" in labels}
    found = tuple(texts.get(frozenset(labels.get(piece, piece) for piece in label.split(":"))) for label in r_labels)
    for label, text in zip(r_labels, found, strict=True):
        if text is None:
            raise EngineError(engine, "refused", f"it has a term {label!r} that the model does not have")
    return tuple(text for text in found if text is not None)


def _our_name(
    engine: str, r_name: str, orders: Mapping[frozenset[str], Sequence[str]], pieces: Mapping[str, tuple[str, str]]
) -> str:
    if r_name == "(Intercept)":
        return "intercept"
    unknown = [piece for piece in r_name.split(":") if piece not in pieces]
    if unknown:
        raise EngineError(engine, "refused", f"it has a column {unknown[0]!r} that can't be read")
    found = dict(pieces[piece] for piece in r_name.split(":"))
    order = orders.get(frozenset(found))
    if order is None:
        raise EngineError(engine, "refused", f"it has a column {r_name!r} that belongs to no term of the model")
    return ":".join(found[atom] for atom in order)
