"""R's engines as the comparison sees them: a case goes in, a `Reading` comes out, whatever happens to R."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, cast

from harness.cases import Case, Engine, Probe
from harness.errors import EngineError
from harness.quantities import Failure, ObjectiveValue, Point, Reading
from harness.references.clubsandwich import ClubSandwich
from harness.references.crimcv import CrimCV
from harness.references.decoding import Decoded, Decoder
from harness.references.echo import echo_is_exact
from harness.references.emmeans import Emmeans
from harness.references.flexmix import Flexmix
from harness.references.glmmtmb import GlmmTmb
from harness.references.lcmm import Lcmm
from harness.references.lme4 import Lme4
from harness.references.lme4_default import Lme4Default
from harness.references.lme4_profile import Lme4Profile
from harness.references.lmertest import LmerTest
from harness.references.mmrm import Mmrm
from harness.references.nlme import Nlme
from harness.references.one_class import Glm, GlmmTmbBeta, Survreg, Zeroinfl
from harness.references.pbkrtest import Pbkrtest
from harness.references.requests import Request
from harness.references.trajer import TrajeR
from harness.references.two_samples import Means, Rates
from harness.references.wire import is_missing
from harness.references.worker import Answer, RWorker
from harness.roster import roster

_MIXED_MODELS = (Lme4, Lme4Default, Lme4Profile, Nlme, LmerTest, Pbkrtest, Emmeans, ClubSandwich, GlmmTmb, Mmrm)
_TRAJECTORIES = (Lcmm, Flexmix, Glm, Survreg, Zeroinfl, GlmmTmbBeta, TrajeR, CrimCV)
_TWO_SAMPLES = (Rates, Means)
DECODERS: Mapping[str, type[Decoder]] = {
    decoder.name: decoder for decoder in (*_MIXED_MODELS, *_TRAJECTORIES, *_TWO_SAMPLES)
}
REFERENCES = tuple(roster())
"""The names of R's engines; each has a decoder."""

Reason = Literal["absent", "crashed", "timeout", "refused"]

_WORDS: Mapping[Reason, str] = {
    "absent": "is not available",
    "crashed": "took R down with it",
    "timeout": "did not answer in time",
    "refused": "refused the model",
}


def reference_engine(name: str, worker: RWorker, *, deadline: float | None = None, brief: bool = False) -> Engine:
    """Return an R engine that runs on the worker; `deadline` in seconds holds for each of its requests.

    A `brief` one makes one request a reading, its fit: versions are not asked for, and the log-likelihood at its
    optimum is the one that the fit gives.
    """
    return LiveEngine(decoder=DECODERS[name](), worker=worker, deadline=deadline, brief=brief)


def installed_packages(worker: RWorker) -> Mapping[str, str]:
    """Return the version of each engine's package that R has, by engine.

    Raises
    ------
    EngineError
        If R or rpy2 is absent, or R can't be started.
    """
    packages = [entry.package for entry in roster().values()]
    found = worker.request("session.packages", {"packages": packages}).value
    return {name: version for name, version in zip(REFERENCES, found["versions"], strict=True) if version}


def engine_versions(worker: RWorker, engine: str) -> Mapping[str, str]:
    """Return what an R engine's numbers depend on."""
    package = roster()[engine].package
    session = worker.request("session.versions", {}).value
    found = worker.request("session.packages", {"packages": [package]}).value["versions"][0]
    return {
        "R": session["r"][0],
        package: found or "absent",
        "rpy2": worker.rpy2_version,
        "BLAS": session["blas"][0],
        "LAPACK": session["lapack"][0],
        "platform": session["platform"][0],
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveEngine:
    """One of R's engines, running now."""

    decoder: Decoder
    worker: RWorker
    deadline: float | None = None
    brief: bool = False

    @property
    def name(self) -> str:
        """The engine's name."""
        return self.decoder.name

    def read(self, case: Case, probes: Sequence[Probe] = (), start: Point | None = None) -> Reading:
        """Return what R says about the case; a failure of R is a `Reading` with a `failure`."""
        began = time.perf_counter()
        support = self.decoder.support(case.spec)
        if not support.objective:
            return self._failed("refused", support.reason)
        try:
            request = self.decoder.request(case)
            versions = {} if self.brief else engine_versions(self.worker, self.name)
            echo = None if self.brief or start is not None else echo_is_exact(self.worker, request, self.deadline)
            fitted = self._ask("fit", request.started_at(start)) if support.fit else None
            decoded = None if fitted is None else self.decoder.decode(fitted.value, case, request)
            objective = self._objective(case, request, probes, decoded)
        except EngineError as error:
            return self._failed(cast("Reason", error.reason), error.evidence)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            return self._failed("refused", f"its answer can't be read: {type(error).__name__}: {error}")
        not_given = self.decoder.not_given(case.spec)
        reading = Reading(
            engine=self.name,
            source="live",
            versions=versions,
            evidence=None if decoded is None else replace(decoded.evidence, echo_is_exact=echo),
            objective=objective,
            convergence=None if decoded is None else decoded.convergence,
            conventions=self.decoder.conventions(case.spec),
            not_given=not_given,
            warnings=() if fitted is None else fitted.warnings,
            seconds=time.perf_counter() - began,
        )
        return reading if decoded is None else _with_estimates(reading, decoded)

    def _ask(self, operation: str, request: Request) -> Answer:
        return self.worker.request(f"{self.name}.{operation}", request.payload, deadline=self.deadline)

    def _objective(
        self, case: Case, request: Request, probes: Sequence[Probe], decoded: Decoded | None
    ) -> tuple[ObjectiveValue, ...]:
        """Return R's log-likelihood at the probes and at its own optimum, where it has one there.

        R's NA says that it has none; any other value, finite or not, is an answer and will be judged.
        """
        wanted = [(probe.label, probe.point) for probe in probes if self.decoder.can_evaluate(probe.point, case.spec)]
        optimum = None if decoded is None else decoded.optimum
        reached = self._reached(decoded)
        if optimum is not None and reached is not None:
            return (ObjectiveValue(label="optimum", point=optimum, log_likelihood=reached),)
        if optimum is not None:
            wanted.append(("optimum", optimum))
        if not wanted:
            return ()
        answer = self._ask("log_likelihood", request.with_points([point for _, point in wanted])).value
        n_observations = int(answer["n_observations"].item())
        return tuple(
            ObjectiveValue(
                label=label, point=point, log_likelihood=self.decoder.log_likelihood(float(value), n_observations)
            )
            for (label, point), value, missing in zip(
                wanted, answer["values"], is_missing(answer["values"]), strict=True
            )
            if not missing
        )

    def _reached(self, decoded: Decoded | None) -> float | None:
        """Return the log-likelihood that the fit itself gives, None where it is to be evaluated at the optimum."""
        if decoded is None or decoded.reached is not None or not self.brief:
            return None if decoded is None else decoded.reached
        given = (q.value for q in decoded.estimates.quantities() if q.path == "log_likelihood")
        return next((value for value in given if isinstance(value, float)), None)

    def _failed(self, reason: Reason, evidence: str) -> Reading:
        sentence = f"{self.name} {_WORDS[reason]}: {evidence.splitlines()[0] if evidence else 'it said nothing'}"
        failure = Failure(reason=reason, sentence=sentence, evidence=evidence)
        return Reading(engine=self.name, source="live", versions={}, failure=failure)


def _with_estimates(reading: Reading, decoded: Decoded) -> Reading:
    """Return the reading with the quantities that this engine really gives."""
    return replace(
        reading,
        quantities=tuple(q for q in decoded.estimates.quantities() if reading.reason_not_given(q.path) is None),
        covariance=decoded.estimates.optimum_covariance(),
    )
