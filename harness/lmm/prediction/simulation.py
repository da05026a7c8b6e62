"""Outcomes drawn from a fit.

Each replicate has a stream of random numbers of its own, which follows from the seed and the replicate's number alone:
replicate 17 is the same whether 20 or 2,000 are drawn, and in whatever process.
"""

import numpy as np

from harness.arrays import Matrix, Vector, read_only
from harness.cohorts.random_stream import RandomStream
from harness.errors import Problem, SpecError
from harness.lmm.prediction.distribution import Distribution, Loadings, noise_root
from harness.lmm.prediction.occasions import LARGEST_BLOCK, Occasions, batches

_SEEDS = 2**32


def stream_of(seed: int, replicate: int) -> RandomStream:
    """Return the stream of random numbers of one replicate.

    Raises
    ------
    SpecError
        If one of the two is not an integer from 0 to 2^32 - 1.
    """
    problems = [
        Problem(found=f"{name} {number!r:.40}", expected=f"an integer from 0 to {_SEEDS - 1}")
        for name, number in (("seed", seed), ("replicate", replicate))
        if isinstance(number, bool) or not isinstance(number, int | np.integer) or not 0 <= number < _SEEDS
    ]
    if problems:
        raise SpecError("simulate", problems)
    return RandomStream(int(seed) * _SEEDS + int(replicate))


def checked_replicates(replicates: int, seed: int, where: str) -> None:
    """Refuse a number of replicates, or a seed, that can't be.

    Raises
    ------
    SpecError
        If there is to be no replicate, or the seed is not an integer from 0 to 2^32 - 1.
    """
    problems = []
    if isinstance(replicates, bool) or not isinstance(replicates, int | np.integer) or replicates < 1:
        problems.append(Problem(found=f"{replicates!r:.40} replicates", expected="an integer from 1 on"))
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < _SEEDS:
        problems.append(Problem(found=f"seed {seed!r:.40}", expected=f"an integer from 0 to {_SEEDS - 1}"))
    if problems:
        raise SpecError(where, problems)


def simulate(
    distribution: Distribution, at: Occasions, *, seed: int, replicates: int = 1, mean: Vector | None = None
) -> Matrix:
    """Return outcomes (replicates, n) of the rows, drawn at beta_hat and the estimated covariances.

    Parameters
    ----------
    mean
        Without one, random effects are drawn anew for every level: ``simulate(m)`` of lme4. With (n,), such as X beta
        + Zb at the conditional modes, only residuals are drawn: ``simulate(m, re.form = NULL)``.
    """
    checked_replicates(replicates, seed, "simulate")
    draws = np.empty((replicates, at.n_rows))
    fixed = at.X @ distribution.beta
    block = at.blocks()
    loadings = Loadings(distribution, at, block)
    everything = np.ones(at.n_rows, dtype=bool)
    limit = np.inf if distribution.independent else LARGEST_BLOCK
    batched = [rows for (rows,) in batches(block, (everything,), limit)]
    factors = [loadings.of(rows)[0] for rows in batched]
    roots = [noise_root(distribution, at, rows) for rows in batched]
    for replicate in range(replicates):
        stream = stream_of(seed, replicate)
        draws[replicate] = fixed if mean is None else mean
        for rows, F, root in zip(batched, factors, roots, strict=True):
            g, n, f = F.shape
            effects = stream.normal(g * f).reshape(g, f, 1)
            noise = stream.normal(g * n).reshape(g, n, 1)
            draws[replicate, rows] += ((0.0 if mean is not None else F @ effects) + root.times(noise))[:, :, 0]
    return read_only(draws)
