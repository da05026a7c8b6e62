"""A pin and our fit of its case, and what the judge says when one of the two is altered."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from harness.cases import Case
from harness.comparison.judge import judge
from harness.comparison.known import KnownDifference, in_force
from harness.comparison.run import Skipped
from harness.comparison.verdict import Adjudication, Comparison, CrossEvidence, ObjectivePair, Outcome
from harness.comparison.yardstick import number, yardstick
from harness.crosscheck import References, compare_with
from harness.engines import OurSide, solve
from harness.errors import CaseError, Problem
from harness.evidence import evidence_between
from harness.locations import fixtures_folder
from harness.quantities import Quantity, Reading
from harness.references import source_hash
from harness.references.pins import PinnedEngine
from harness.selftest.misleading import what_matters
from harness.selftest.numbers import Number, numbers_of, quantities_by_path
from harness.selftest.remembering import remembering


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """A case, what one reference said of it, and what the judge makes of that.

    `engine` is the reference as it answers from its pin. `numbers` are those on which both agree; only these can be
    altered and found out.
    """

    case: Case
    engine: PinnedEngine
    ours: OurSide
    reading: Reading
    comparison: Comparison
    known: tuple[KnownDifference, ...]
    numbers: tuple[Number, ...]

    @property
    def reference(self) -> str:
        """The name of the engine."""
        return self.engine.name

    @property
    def name(self) -> str:
        """Case and reference, as the pin's file is called."""
        return f"{self.case.name}.{self.reference}"

    def judged(self, right: Reading, left: Reading | None = None) -> Comparison:
        """Return what the judge says of an altered reading in the pin's place, and of an altered one of ours.

        What was measured at points that the pin still has is not measured again.
        """
        mine = self.comparison.left if left is None else left
        evidence = self.comparison.evidence
        if right.objective != self.reading.objective:
            evidence = _with_objectives(self.ours, right, evidence)
        return judge(self.case.name, mine, right, evidence, self.known)

    def mine(self, path: str) -> Quantity | None:
        """Return our quantity of the same meaning as the reference's at the path."""
        return quantities_by_path(self.comparison.left).get(relabelled_path(path, self.comparison.permutation))


def pins_of(case: Case, known: Sequence[KnownDifference], references: Sequence[str] = ()) -> Iterator[Pinned]:
    """Fit a case once and yield it with each of its references' pins.

    Raises
    ------
    CaseError
        If a reference of the case has no pin.
    """
    ours = remembering(solve(case))
    for reference in references or case.references:
        engine = PinnedEngine(name=reference, folder=fixtures_folder() / "pins", r_source=source_hash(reference))
        comparison = compare_with(ours, reference, References(pinned={reference: engine}), known)
        if isinstance(comparison, Skipped):
            problem = Problem(found=comparison.reason, expected="a pin of each reference of a case")
            raise CaseError(f"case {case.name}", [problem])
        yield Pinned(
            case=ours.case,
            engine=engine,
            ours=ours,
            reading=comparison.right,
            comparison=comparison,
            known=in_force(known, case.name, reference),
            numbers=agreeing(comparison),
        )


def relabelled_path(path: str, permutation: Mapping[int, int]) -> str:
    """Return the path with its latent class renamed, as a verdict on it is called."""
    if not path.startswith("class["):
        return path
    label, rest = path.removeprefix("class[").split("]", 1)
    return f"class[{permutation.get(int(label), int(label))}]{rest}"


def agreeing(comparison: Comparison) -> tuple[Number, ...]:
    """Return the numbers of the right engine on which both agree."""
    left, right = comparison.left, comparison.right
    scales, mine = yardstick(left, right, comparison.evidence.effect_errors), quantities_by_path(left)
    verdicts = {verdict.quantity: verdict for verdict in comparison.verdicts}
    found = []
    for path, (kind, value) in numbers_of(right).items():
        name = relabelled_path(path, comparison.permutation)
        verdict = verdicts.get(name)
        if verdict is not None and verdict.outcome is Outcome.AGREE:
            matters = what_matters(name, kind, value, mine.get(name), scales)
            found.append(
                Number(path=path, kind=kind, value=value, ours=verdict.left_value, verdict=verdict, matters=matters)
            )
    return tuple(found)


def _with_objectives(ours: OurSide, right: Reading, before: CrossEvidence) -> CrossEvidence:
    """Return the evidence on other objective values, measured again only at points at which nobody was before."""
    mine = {pair.point: pair.left for pair in before.objectives}
    strange = tuple(said for said in right.objective if said.point not in mine)
    if strange:
        measured = evidence_between(ours, replace(right, objective=strange))
        mine |= {pair.point: pair.left for pair in measured.objectives}
        if any(said.label == "optimum" for said in strange):
            before = replace(before, gradient_at_right=measured.gradient_at_right)
    objectives = tuple(
        ObjectivePair(label=said.label, point=said.point, left=mine[said.point], right=said.log_likelihood)
        for said in right.objective
    )
    return replace(before, objectives=objectives, adjudication=_ruled_again(right, before))


def _ruled_again(right: Reading, before: CrossEvidence) -> Adjudication | None:
    """Return what the referee says of other values at the same points; nothing of other points."""
    if before.adjudication is None:
        return None
    points = {pair.label: pair.point for pair in before.objectives}
    if any(points.get(said.label) != said.point for said in right.objective):
        return None
    said_at = {
        f"{right.engine}'s optimum" if said.label == "optimum" else said.label: said.log_likelihood
        for said in right.objective
    }
    rulings = tuple(
        ruling
        if ruling.right_error is None or ruling.label not in said_at
        else replace(ruling, right_error=number(said_at[ruling.label]) - ruling.exact)
        for ruling in before.adjudication.rulings
    )
    return replace(before.adjudication, rulings=rulings)
