"""One fuzzed case through two engines that are black boxes."""

from harness.campaigns.acceptable import Finding, of_comparison, of_our_refusal
from harness.cases import Engine
from harness.comparison.run import Skipped
from harness.counterexamples.specimen import Specimen
from harness.crosscheck import References, compare_with
from harness.engines import solve
from harness.errors import CohortError, SpecError


def differs(specimen: Specimen, engine: Engine) -> Finding:
    """Return whether ours and the engine have the same outcome on the specimen, or why not.

    What breaks ours in any other way than by a refusal is a finding too: no input may.
    """
    try:
        case = specimen.case("fuzzed", (engine.name,))
    except CohortError as error:
        return Finding(code="no cohort", sentence=str(error), reason="The rows are no cohort; no engine is asked.")
    try:
        ours = solve(case)
    except SpecError as refusal:
        return of_our_refusal(refusal, engine.read(case))
    except Exception as error:  # noqa: BLE001  # a crash of ours is what fuzzing is for
        return Finding(code=f"crash:{type(error).__name__}", sentence=f"{type(error).__name__}: {error}", reason="")
    try:
        found = compare_with(ours, engine.name, References(live={engine.name: engine}))
    except Exception as error:  # noqa: BLE001  # as above: the judge and the evidence are ours
        return Finding(code=f"crash:{type(error).__name__}", sentence=f"{type(error).__name__}: {error}", reason="")
    if isinstance(found, Skipped):
        return Finding(code="skipped", sentence=found.reason, reason="")
    return of_comparison(found)
