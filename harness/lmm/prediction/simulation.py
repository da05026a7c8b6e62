"""Outcomes drawn from a fit.

Each replicate has a stream of random numbers of its own, which follows from the seed and the replicate's number alone:
replicate 17 is the same whether 20 or 2,000 are drawn, and in whatever process.
"""

from collections.abc import Callable

import numpy as np

from harness.arrays import Matrix, Vector, read_only
from harness.cohorts.random_stream import RandomStream
from harness.errors import Problem, SpecError
from harness.lmm.prediction.distribution import Distribution, Loadings, noise_root
from harness.lmm.prediction.occasions import LARGEST_BLOCK, Occasions, batches

Draw = Callable[[int], Vector]

_SEEDS = 2**32


def stream_of(seed: int, replicate: int) -> RandomStream:
    """Return the stream of random numbers of one replicate.

    Raises
    ------
    SpecError
        If one of the two is not an integer from 0 to 2^32 - 1.
    """
    _raise_if("simulate", [*_seed_problems("seed", seed), *_seed_problems("replicate", replicate)])
    return RandomStream(int(seed) * _SEEDS + int(replicate))


def checked_replicates(replicates: int, seed: int, where: str) -> None:
    """Refuse a number of replicates, or a seed, that can't be.

    Raises
    ------
    SpecError
        If there is to be no replicate, or the seed is not an integer from 0 to 2^32 - 1.
    """
    problems = _seed_problems("seed", seed)
    if not _is_integer(replicates) or replicates < 1:
        problems.insert(0, Problem(found=f"{replicates!r:.40} replicates", expected="an integer from 1 on"))
    _raise_if(where, problems)


def simulate(
    distribution: Distribution, at: Occasions, *, seed: int, replicates: int = 1, mean: Vector | None = None
) -> Matrix:
    """Return outcomes (replicates, n) of the rows, drawn at beta_hat and the estimated covariances.

    Parameters
    ----------
    mean
        Without one, random effects are drawn anew for every level: ``simulate(m)`` of lme4. With (n,), such as X beta
        + Zb at the conditional modes, only residuals are drawn: ``simulate(m, re.form = NULL)``.

    Raises
    ------
    SpecError
        If there is to be no replicate, or the seed is none.
    """
    checked_replicates(replicates, seed, "simulate")
    draw = draws(distribution, at, seed, mean)
    return read_only(np.array([draw(replicate) for replicate in range(replicates)]))


def draws(distribution: Distribution, at: Occasions, seed: int, mean: Vector | None = None) -> Draw:
    """Return a function of a replicate's number that gives its outcomes (n,), those of `simulate`."""
    centre = at.X @ distribution.beta if mean is None else mean
    block = at.blocks()
    loadings = Loadings(distribution, at, block)
    limit = np.inf if distribution.independent else LARGEST_BLOCK
    batched = [
        (rows, loadings.of(rows)[0], noise_root(distribution, at, rows))
        for (rows,) in batches(block, (np.ones(at.n_rows, dtype=bool),), limit)
    ]

    def draw(replicate: int) -> Vector:
        stream, y = stream_of(seed, replicate), centre.copy()
        for rows, F, root in batched:
            g, n, f = F.shape
            effects = F @ stream.normal(g * f).reshape(g, f, 1)
            noise = root.times(stream.normal(g * n).reshape(g, n, 1))
            y[rows] += (noise if mean is not None else effects + noise)[:, :, 0]
        return y

    return draw


def _is_integer(number: object) -> bool:
    return isinstance(number, int | np.integer) and not isinstance(number, bool)


def _seed_problems(name: str, number: int) -> list[Problem]:
    if _is_integer(number) and 0 <= number < _SEEDS:
        return []
    return [Problem(found=f"{name} {number!r:.40}", expected=f"an integer from 0 to {_SEEDS - 1}")]


def _raise_if(where: str, problems: list[Problem]) -> None:
    if problems:
        raise SpecError(where, problems)
