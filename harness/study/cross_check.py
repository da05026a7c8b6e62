"""The verdict of R beside every estimate: asked while our own models are still being fitted."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

from harness.cases import Case, Engine
from harness.comparison.run import Skipped
from harness.comparison.verdict import Comparison, Outcome, Verdict
from harness.crosscheck import References, compare_with
from harness.engines import OurGbtm, OurLmm, OurTwoSamples, with_found_orders
from harness.errors import EngineError
from harness.gbtm.result import GbtmResult
from harness.lmm.result import LmmResult
from harness.references.session import live_engines
from harness.roster import roster
from harness.study.section import CrossCheck
from harness.two_samples.means import MeansResult
from harness.two_samples.rates import RatesResult

Answer = LmmResult | GbtmResult | RatesResult | MeansResult
"""What R can be asked about."""
NO_ENGINE = "no engine of R that is installed here fits this model"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A comparison that is made, or being made: `reference` is the engine."""

    reference: str
    answer: Future[Comparison | Skipped] | None
    reason: str = ""

    def comparison(self) -> Comparison | None:
        """Return the comparison, None if there is none; waits for R."""
        found = None if self.answer is None else self.answer.result()
        return found if isinstance(found, Comparison) else None

    @property
    def gives_tests(self) -> bool:
        """Whether the engine gives tests of coefficients by Kenward and Roger."""
        return self.reference == "pbkrtest"

    def of(self, *paths: str) -> CrossCheck:
        """Return the verdict on the quantities from which an estimate is made; waits for R.

        It agrees if R has all of them and all agree.
        """
        found = None if self.answer is None else self.answer.result()
        if not isinstance(found, Comparison):
            reason = self.reason if found is None else found.reason
            return CrossCheck(verdict="not compared", engine=self.reference, detail=reason)
        engine = _named(found)
        if found.right.failure is not None:
            return CrossCheck(verdict="not compared", engine=engine, detail=found.right.failure.sentence)
        verdicts = {verdict.quantity: verdict for verdict in found.verdicts}
        own = [verdicts.get(path) for path in paths]
        compared = [one for one in own if one is not None and one.outcome is not Outcome.NOT_COMPARED]
        if len(compared) < len(paths) or not paths:
            return CrossCheck(verdict="not compared", engine=engine, detail=f"{found.right.engine} does not give it")
        wrong = [one for one in compared if one.outcome is not Outcome.AGREE]
        if wrong:
            detail = "; ".join([*map(_difference, wrong), found.sentence])
            return CrossCheck(verdict="disagrees", engine=engine, detail=detail)
        worst = max(compared, key=lambda one: (one.observed or 0.0) / (one.limit or 1.0))
        return CrossCheck(verdict="agrees", engine=engine, detail=_difference(worst))


class CrossChecks:
    """R's engines on a thread of their own; without them every answer says why there is none.

    Used as a context: R ends with it, after all that was asked is answered.
    """

    def __init__(self, *, wanted: bool) -> None:
        self._reason = "" if wanted else "the study does not ask for it"
        # R's worker is for one thread.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="R") if wanted else None
        self._session = live_engines()
        self._opened: Future[Mapping[str, Engine]] | None = None

    def __enter__(self) -> Self:
        if self._thread is not None:
            self._opened = self._thread.submit(self._open)
        return self

    def __exit__(self, *_: object) -> None:
        if self._thread is None:
            return
        self._thread.submit(self._session.__exit__, None, None, None).result()
        self._thread.shutdown()

    def ask(self, fit: Answer, *references: str) -> Asked:
        """Have a fit compared with the first of the references that is installed."""
        if self._thread is None or self._opened is None:
            return Asked(reference=references[0], answer=None, reason=self._reason)
        return Asked(reference=references[0], answer=self._thread.submit(self._compare, fit, references))

    def _open(self) -> Mapping[str, Engine]:
        try:
            return self._session.__enter__()
        except EngineError as error:
            self._reason = str(error)
            return {}

    def _compare(self, fit: Answer, references: Sequence[str]) -> Comparison | Skipped:
        assert self._opened is not None  # noqa: S101  # set before anything can be asked
        live = self._opened.result()
        name = next((one for one in references if one in live), references[0])
        if name not in live:
            reason = self._reason or f"{name} is not installed; `harness doctor` tells what to install"
            return Skipped(case=fit.cohort.name, reference=name, reason=reason)
        return compare_with(_our_side(fit, name), name, References(live=live))


@contextmanager
def cross_checks(*, wanted: bool) -> Iterator[CrossChecks]:
    """Yield R's verdicts for the time of a study."""
    with CrossChecks(wanted=wanted) as checks:
        yield checks


def no_check(reason: str = NO_ENGINE) -> CrossCheck:
    """Return that an estimate was not compared, and why."""
    return CrossCheck(verdict="not compared", engine="none", detail=reason)


def _our_side(fit: Answer, reference: str) -> OurLmm | OurGbtm | OurTwoSamples:
    case = Case(name=fit.cohort.name, cohort=fit.cohort, spec=fit.spec, references=(reference,))
    if isinstance(fit, LmmResult):
        return OurLmm(case=case, result=fit, seconds=None)
    if isinstance(fit, RatesResult | MeansResult):
        return OurTwoSamples(case=case, result=fit, seconds=None)
    return OurGbtm(case=with_found_orders(case, fit), result=fit, seconds=None)


def _named(comparison: Comparison) -> str:
    name, versions = comparison.right.engine, comparison.right.versions
    package = roster()[name].package if name in roster() else name
    told = f" {versions[package]}" if package in versions else ""
    return f"{package}{told} (R {versions['R']})" if "R" in versions else package


def _difference(verdict: Verdict) -> str:
    if verdict.observed is None:
        return f"{verdict.quantity}: {verdict.reason or verdict.outcome.value}"
    limit = "" if verdict.limit is None else f", limit {verdict.limit:.0e}"
    return f"{verdict.quantity}: {verdict.observed:.1e} {verdict.metric}{limit}"
