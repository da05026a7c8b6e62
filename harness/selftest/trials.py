"""The selftest: every mutation and every harmless change on every pin, case by case, on any number of processes."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

from harness.comparison.known import KnownDifference, read_known, unused
from harness.comparison.run import Skipped
from harness.crosscheck import References, compare_with
from harness.locations import fixtures_folder
from harness.runs import read_cases
from harness.selftest.harmless import HARMLESS_CHANGES, HarmlessChange, is_flagged
from harness.selftest.harmless_tables import TABLE_CHANGES, TableChange, one_of_each_sort, refitted, with_table
from harness.selftest.mutation import Mutation, fate_of
from harness.selftest.mutations import MUTATIONS
from harness.selftest.pinned import Pinned, pins_of
from harness.selftest.result import SelfTest, Tally, Trial, tallied
from harness.selftest.thinning import thinned

Progress = Callable[[str], None]

_CHANGES: tuple[HarmlessChange | TableChange, ...] = (*HARMLESS_CHANGES, *TABLE_CHANGES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What was tried on the pins of one case; `entries` of known differences speak of them, and `gone` are idle."""

    case: str
    pins: tuple[str, ...]
    entries: frozenset[KnownDifference]
    gone: frozenset[KnownDifference]
    mutations: tuple[Trial, ...]
    harmless: tuple[Trial, ...]


def selftest(names: Sequence[str] = (), workers: int = 1, progress: Progress = lambda _: None) -> SelfTest:
    """Try every mutation and every harmless change on the pins of the named cases, or of all.

    What is tried and what comes out depend on the pins alone, not on the number of processes.

    Raises
    ------
    CaseError
        If a name is no case, or a reference of a case has no pin.
    """
    started = time.perf_counter()
    cases = read_cases(names)
    with_tables = one_of_each_sort(cases)
    jobs = (delayed(tried_on)(case.name, tables=case.name in with_tables) for case in cases)
    tried: list[Tried] = []
    for done in Parallel(n_jobs=workers, batch_size=1, return_as="generator")(jobs):
        progress(f"{done.case}: {len(tried) + 1} of {len(cases)} cases")
        tried.append(done)
    return SelfTest(
        pins=tuple(pin for done in tried for pin in done.pins),
        mutations=_table(((m.name, m.sentence) for m in MUTATIONS), (t for done in tried for t in done.mutations)),
        harmless=_table(
            ((c.name, c.sentence) for c in _CHANGES),
            (t for done in tried for t in done.harmless),
        ),
        idle_entries=_idle(tried),
        is_whole=not names,
        seconds=time.perf_counter() - started,
    )


def tried_on(name: str, *, tables: bool) -> Tried:
    """Return what the judge made of everything that was tried on the pins of a case.

    One thread: another number of threads is another order of sums.
    """
    with threadpool_limits(1):
        (case,) = read_cases([name])
        known = read_known(fixtures_folder() / "known_differences.toml")
        pins = tuple(pins_of(case, known))
        return Tried(
            case=name,
            pins=tuple(pinned.name for pinned in pins),
            entries=frozenset(entry for pinned in pins for entry in pinned.known),
            gone=frozenset(unused(known, [pinned.comparison for pinned in pins])),
            mutations=tuple(trial for pinned in pins for trial in _mutated(pinned)),
            harmless=(*_left_alone(pins), *(_other_tables(pins, known) if tables else ())),
        )


def _mutated(pinned: Pinned) -> Iterator[Trial]:
    sample = thinned(pinned)
    for mutation in MUTATIONS:
        yield _trial(pinned if mutation.of_all_subjects else sample, mutation)


def _trial(pinned: Pinned, mutation: Mutation) -> Trial:
    fates = [fate_of(pinned, corruption) for corruption in mutation.corruptions(pinned)]
    return Trial(
        name=mutation.name,
        pin=pinned.name,
        tried=sum(len(fate.caught) + len(fate.survived) for fate in fates),
        wrong=tuple(path for fate in fates for path in fate.survived),
    )


def _left_alone(pins: Sequence[Pinned]) -> Iterator[Trial]:
    for pinned in pins:
        for change in HARMLESS_CHANGES:
            comparisons = [pinned.judged(reading) for reading in change.readings(pinned)]
            said = [comparison for comparison in comparisons if is_flagged(pinned.comparison, comparison)]
            yield Trial(
                name=change.name,
                pin=pinned.name,
                tried=len(comparisons),
                wrong=tuple(f"{comparison.outcome}: {comparison.sentence}" for comparison in said),
            )


def _other_tables(pins: Sequence[Pinned], known: Sequence[KnownDifference]) -> Iterator[Trial]:
    for change in TABLE_CHANGES:
        for pinned in refitted(pins, with_table(pins, change)):
            references = References(pinned={pinned.reference: pinned.engine})
            found = compare_with(pinned.ours, pinned.reference, references, known)
            flagged = isinstance(found, Skipped) or is_flagged(pinned.comparison, found)
            sentence = found.reason if isinstance(found, Skipped) else f"{found.outcome}: {found.sentence}"
            yield Trial(name=change.name, pin=pinned.name, tried=1, wrong=(sentence,) if flagged else ())


def _idle(tried: Sequence[Tried]) -> tuple[str, ...]:
    """Return the entries of known differences whose difference is gone in every case of which they speak."""
    gone = {entry for done in tried for entry in done.gone}
    active = {entry for done in tried for entry in done.entries - done.gone}
    return tuple(sorted(f"{entry.case}, {entry.engine}, {entry.quantity}" for entry in gone - active))


def _table(rows: Iterable[tuple[str, str]], trials: Iterable[Trial]) -> tuple[Tally, ...]:
    by_name: dict[str, list[Trial]] = {}
    for trial in trials:
        by_name.setdefault(trial.name, []).append(trial)
    return tuple(tallied(name, sentence, by_name.get(name, [])) for name, sentence in rows)
