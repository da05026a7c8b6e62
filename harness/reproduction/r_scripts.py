"""The R script of a reproduction: a file of reference_r/reproduction with the model put in for its placeholders.

What is put in is made of letters (x1, z1, g1, ...), numbers and words of this file; no name of the user's is in it.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from harness.locations import r_source_folder
from harness.quantities import Point
from harness.reproduction.material import Material

TIGHT = 'lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-11, maxfun = 1e5))'

ON_LME4 = frozenset({"lme4", "lme4_profile", "lmerTest", "pbkrtest", "emmeans", "clubSandwich", "lme4_default"})
"""These fit with lme4; what they add to it is not reproduced, the fit is."""


def r_script(engine: str, material: Material, optimum: Point | None) -> str | None:
    """Return the script for an engine, None if there is none for it and this model.

    `optimum` is where the engine ended, from which a mixture is started again.
    """
    if material.kind == "mixed model":
        return _of_mixed_model(engine, material)
    return None if optimum is None else _of_trajectories(engine, material, optimum)


def _of_mixed_model(engine: str, material: Material) -> str | None:
    model, weighted = material.model, "w" in material.columns
    if engine in ON_LME4:
        return _filled("lme4", _lme4(engine, material))
    if engine == "nlme" and not weighted and (random := _nlme_random(model["blocks"])) is not None:
        words = {"MODEL": _fixed(model), "RANDOM_PART": random, "CRITERION": f'"{model["criterion"]}"'}
        return _filled("nlme", words)
    if engine == "glmmTMB" and not weighted:
        return _filled("glmmTMB", {"MODEL": _lmer_formula(model), "IS_REML": _is_reml(model)})
    return None


def _of_trajectories(engine: str, material: Material, optimum: Point) -> str | None:
    model = material.model
    weighted = len(set(material.columns["w"].tolist())) > 1
    if weighted or len(model["orders"]) == 1:
        return None
    if engine == "lcmm" and (model["family"], model["sigma"]) == ("gaussian", "shared"):
        return _filled("lcmm", _hlme(model, optimum))
    if engine == "flexmix" and not model["common"] and len(set(model["orders"])) == 1:
        return _filled("flexmix", _flexmix(model, optimum))
    return None


def _filled(name: str, words: Mapping[str, str]) -> str:
    text = (r_source_folder() / "reproduction" / f"{name}.R").read_text(encoding="utf-8")
    return re.sub(r"\b(" + "|".join(words) + r")\b", lambda match: words[match[1]], text)


# ---- mixed models ----


def _lme4(engine: str, material: Material) -> Mapping[str, str]:
    return {
        "MODEL": _lmer_formula(material.model),
        "IS_REML": _is_reml(material.model),
        "WEIGHTS": "w" if "w" in material.columns else "NULL",
        "CONTROL": "lmerControl()" if engine == "lme4_default" else TIGHT,
    }


def _is_reml(model: Mapping[str, Any]) -> str:
    return "TRUE" if model["criterion"] == "REML" else "FALSE"


def _fixed(model: Mapping[str, Any]) -> str:
    return f"y ~ {' + '.join(['0', *model['fixed']])}"


def _lmer_formula(model: Mapping[str, Any]) -> str:
    bars = (f"({' + '.join(['0', *block['columns']])} | {block['levels']})" for block in model["blocks"])
    return " + ".join([_fixed(model), *bars])


def _nlme_random(blocks: Sequence[Mapping[str, Any]]) -> str | None:
    """Return the random part of one grouping factor: correlated, or all uncorrelated; else None."""
    if {block["levels"] for block in blocks} != {"g1"}:
        return None
    form = " + ".join(["~ 0", *(letter for block in blocks for letter in block["columns"])])
    if len(blocks) == 1:
        return f"list(g1 = pdSymm({form}))"
    return f"list(g1 = pdDiag({form}))" if all(len(block["columns"]) == 1 for block in blocks) else None


# ---- trajectories ----


def _powers(order: int) -> list[str]:
    return ["1", *("t" if power == 1 else f"I(t^{power})" for power in range(1, order + 1))]


def _parts(model: Mapping[str, Any], point: Point) -> tuple[list[list[float]], list[list[float]], list[float]]:
    """Return the log-odds by risk factor, the coefficients by class, and what is left: common ones and sigma."""
    orders, K = model["orders"], len(model["orders"])
    r, at = 1 + len(model["membership"]), 0
    odds = [list(point[k * (K - 1) : (k + 1) * (K - 1)]) for k in range(r)]
    at = r * (K - 1)
    effects = []
    for order in orders:
        size = order + 1 + len(model["covariates"])
        effects.append(list(point[at : at + size]))
        at += size
    return odds, effects, list(point[at:])


def _hlme(model: Mapping[str, Any], point: Point) -> Mapping[str, str]:
    """Return hlme's call: its vector has, for each column, the coefficients of all classes; high powers are fixed."""
    odds, effects, rest = _parts(model, point)
    highest, K = max(model["orders"]), len(model["orders"])
    start, held = [value for row in odds for value in row], []
    for power in range(highest + 1):
        for order, own in zip(model["orders"], effects, strict=True):
            start.append(own[power] if power <= order else 0.0)
            held += [len(start)] if power > order else []
    for k in range(len(model["covariates"])):
        start += [own[order + 1 + k] for order, own in zip(model["orders"], effects, strict=True)]
    mixture = [*_powers(highest), *model["covariates"]]
    return {
        "MODEL": f"y ~ {' + '.join([*mixture, *model['common']])}",
        "MIXTURE": f"~ {' + '.join(mixture)}",
        "MEMBERSHIP": f"~ {' + '.join(['1', *model['membership']])}",
        "N_CLASSES": str(K),
        "START": _numbers([*start, *rest]),
        "FIXED_AT_ZERO": f"c({', '.join(map(str, held))})" if held else "NULL",
    }


def _flexmix(model: Mapping[str, Any], point: Point) -> Mapping[str, str]:
    odds, effects, rest = _parts(model, point)
    K, family = len(model["orders"]), model["family"]
    terms = " + ".join([*_powers(model["orders"][0]), *model["covariates"]])
    outcome = "cbind(y, n - y)" if family == "logit" else "y"
    shared = family == "gaussian" and model["sigma"] == "shared"
    densities = {
        "gaussian": "dnorm(data$y, linear[, g], sigma[g], log = TRUE)",
        "poisson": "dpois(data$y, exp(linear[, g] + data$o), log = TRUE)",
        "logit": "dbinom(data$y, data$n, plogis(linear[, g]), log = TRUE)",
    }
    drivers = {"gaussian": "FLXMRglm()", "poisson": 'FLXMRglm(family = "poisson", offset = data$o)'}
    driver = drivers.get(family, 'FLXMRglm(family = "binomial")')
    if shared:
        driver = (
            f"FLXMRglmfix(fixed = ~ 0, nested = list(k = rep(1, {K}), formula = rep(list(~ 0), {K})), varFix = TRUE)"
        )
    risk = " + ".join(["1", *model["membership"]])
    return {
        "MODEL": f"{outcome} ~ {terms} | subject",
        "DESIGN": f"~ {terms}",
        "RISK": f"~ {risk}",
        "LOG_ODDS": f"matrix({_numbers([value for row in odds for value in row])}, ncol = {K - 1}, byrow = TRUE)",
        "COEFFICIENTS": f"matrix({_numbers([value for own in effects for value in own])}, ncol = {K})",
        "SIGMA": _numbers(rest * (K if len(rest) == 1 else 1)) if rest else "NULL",
        "DENSITY": densities[family],
        "DRIVER": driver,
        "CONCOMITANT": f"FLXPmultinom(~ {risk})" if model["membership"] else "FLXPconstant()",
    }


def _numbers(values: Sequence[float]) -> str:
    return f"c({', '.join(f'{value:.17g}' for value in values)})"
