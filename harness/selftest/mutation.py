"""What a mutation is, and whether the judge caught it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from harness.comparison.verdict import Attribution, Outcome, Verdict
from harness.quantities import Reading
from harness.selftest.pinned import Pinned, relabelled_path


@dataclass(frozen=True, slots=True, kw_only=True)
class Corruption:
    """One altered reading in the pin's place.

    Each of `paths` must disagree; with `any_of_them` it is enough that one does, where nobody can say which of two
    that contradict each other is wrong.
    """

    paths: tuple[str, ...]
    right: Reading
    left: Reading | None = None
    any_of_them: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """A way in which results go wrong in practice.

    `corruptions` yields nothing for a pin to which it does not apply. `of_all_subjects` says that it is tried on the
    numbers of all subjects of a pin, not only of some.
    """

    name: str
    sentence: str
    corruptions: Callable[[Pinned], Iterator[Corruption]]
    of_all_subjects: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What became of one corruption: which of its paths were `caught`, and which `survived`.

    Those that an entry of known differences accepts, in size and cause, are in neither: they are no business of the
    judge, which does what the entry says.
    """

    caught: tuple[str, ...]
    survived: tuple[str, ...]


def fate_of(pinned: Pinned, corruption: Corruption) -> Fate:
    """Return what the judge makes of a corruption.

    A comparison that has no verdicts because the pin is stale has caught all. One that ends as agreement, as a known
    difference or as not compared has caught nothing, whatever its verdicts say.
    """
    comparison = pinned.judged(corruption.right, corruption.left)
    if comparison.outcome is Outcome.DISAGREE and comparison.attribution is Attribution.ENGINE:
        return Fate(caught=corruption.paths, survived=())
    verdicts: dict[str, list[Verdict]] = {}
    for verdict in comparison.verdicts:
        verdicts.setdefault(verdict.quantity, []).append(verdict)
    told = comparison.outcome is Outcome.DISAGREE
    caught, survived = [], []
    for path in corruption.paths:
        found = verdicts.get(relabelled_path(path, comparison.permutation), [])
        if told and any(verdict.outcome is Outcome.DISAGREE for verdict in found):
            caught.append(path)
        elif not any(_is_accepted(pinned, verdict) for verdict in found):
            survived.append(path)
    if corruption.any_of_them:  # a contradiction counts once
        return Fate(caught=tuple(caught[:1]), survived=() if caught else tuple(survived[:1]))
    return Fate(caught=tuple(caught), survived=tuple(survived))


def _is_accepted(pinned: Pinned, verdict: Verdict) -> bool:
    """Return whether somebody has accepted a difference of this size in this quantity, by this file's own reading."""
    if verdict.outcome is not Outcome.KNOWN or verdict.observed is None or not verdict.limit:
        return False
    share = verdict.observed / verdict.limit
    return any(entry.covers(verdict.quantity) and share <= entry.at_most for entry in pinned.known)
