"""Our engine in processes of another BLAS: other kernels of OpenBLAS, as other processors run them, and two threads."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from joblib.externals.loky import ProcessPoolExecutor
from threadpoolctl import threadpool_info

from harness.cases import Case
from harness.engines import solve
from harness.quantities import Reading

THREADS, KERNEL = "OPENBLAS_NUM_THREADS", "OPENBLAS_CORETYPE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """A BLAS to run on: what is set in the environment, and what it is called."""

    name: str
    environment: Mapping[str, str]


PLATFORMS = (
    Platform(name="two threads", environment={THREADS: "2"}),
    Platform(name="kernels of Nehalem", environment={THREADS: "1", KERNEL: "Nehalem"}),
    Platform(name="kernels of Sandybridge", environment={THREADS: "1", KERNEL: "Sandybridge"}),
)


def linear_algebra() -> tuple[str, ...]:
    """Return each BLAS of this process, with its version, kernels and threads."""
    return tuple(
        sorted(
            f"{pool['prefix']} {pool['version']}, {pool.get('architecture', 'unknown kernels')},"
            f" {pool['num_threads']} threads"
            for pool in threadpool_info()
            if pool["user_api"] == "blas"
        )
    )


def read_on(platform: Platform, cases: Sequence[Case]) -> Iterator[Mapping[str, Reading]]:
    """Yield, case for case, our readings against each of its references on that platform.

    Nothing is yielded where this machine's BLAS can't be made another one: then there is nothing to compare.
    """
    with ProcessPoolExecutor(max_workers=1, env=dict(platform.environment)) as process:
        if process.submit(linear_algebra).result() == linear_algebra():
            return
        for found in [process.submit(readings, case) for case in cases]:
            yield found.result()


def readings(case: Case) -> Mapping[str, Reading]:
    """Return what we say of a case, under the definitions of each of its references."""
    ours = solve(case)
    return {name: ours.reading(name) for name in case.references}
