"""Which simpler models a counterexample may be shown with: a term less, a class less, an order less."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from harness.counterexamples.specimen import Specimen

Model = Mapping[str, Any]

_SPARE = ("weights", "covariates", "common", "membership")


def simpler(specimen: Specimen) -> Iterator[Specimen]:
    """Yield the specimen with each model that says a little less, without the columns that nobody names any more."""
    for model in (*_without_settings(specimen.model), *_simpler_terms(specimen.model)):
        yield _needed(replace(specimen, model=model))


def _without_settings(model: Model) -> Iterator[Model]:
    for key in _SPARE:
        if key in model:
            yield {name: value for name, value in model.items() if name != key}
    if model.get("sigma") == "class":
        yield {**model, "sigma": "shared"}


def _simpler_terms(model: Model) -> Iterator[Model]:
    if model["kind"] == "lmm":
        outcome, right = model["formula"].split(" ~ ")
        for terms in _fewer(_terms(right)):
            yield {**model, "formula": f"{outcome} ~ {' + '.join(terms)}"}
        return
    orders = list(model["orders"])
    for k in range(len(orders)):
        if len(orders) > 1:
            yield {**model, "orders": orders[:k] + orders[k + 1 :]}
    for k, order in enumerate(orders):
        if order > 0:
            yield {**model, "orders": [*orders[:k], order - 1, *orders[k + 1 :]]}


def _terms(text: str) -> list[str]:
    """Return what `+` joins outside parentheses."""
    terms, depth = [""], 0
    for letter in text:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "+" and depth == 0:
            terms.append("")
        else:
            terms[-1] += letter
    return [term.strip() for term in terms]


def _fewer(terms: list[str]) -> Iterator[list[str]]:
    """Yield the terms without each of them, and with each of them simpler; a random term is always left."""
    random = [term for term in terms if "|" in term]
    for k, term in enumerate(terms):
        rest = [*terms[:k], *terms[k + 1 :]]
        if len(random) > 1 or term not in random:
            if any("|" not in other for other in rest):
                yield rest
            elif term != "1":
                yield ["1", *rest]
        for less in _less_of(term):
            yield [*terms[:k], less, *terms[k + 1 :]]


def _less_of(term: str) -> Iterator[str]:
    if "|" in term:
        effects, bar, grouping = term[1:-1].partition("||" if "||" in term else "|")
        parts = _terms(effects)
        if len(parts) > 1:
            for k, part in enumerate(parts):
                left = [*parts[:k], *parts[k + 1 :]]
                if part not in {"0", "1"} and left != ["0"]:
                    yield f"({' + '.join(left)} {'|' if len(left) == 1 else bar} {grouping.strip()})"
        if bar == "|" and "/" in grouping:
            yield f"({effects.strip()} | {grouping.partition('/')[2].strip()})"
    elif " * " in term:
        yield term.replace(" * ", " + ")


def _needed(specimen: Specimen) -> Specimen:
    """Return the specimen with the columns that its model names, the subject and the time."""
    text = " ".join(str(value) for value in specimen.model.values())
    words = set("".join(letter if letter.isalnum() else " " for letter in text).split())
    words |= {specimen.subject, *([] if specimen.time is None else [specimen.time])}
    return replace(
        specimen,
        numbers={column: values for column, values in specimen.numbers.items() if column in words},
        labels={column: values for column, values in specimen.labels.items() if column in words},
        levels={column: levels for column, levels in specimen.levels.items() if column in words},
    )
