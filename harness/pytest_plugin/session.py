"""One session of pytest with cases: what is collected, what became of it, and the proof that it reached its end."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from harness.comparison.verdict import Outcome
from harness.pytest_plugin.canary import Canary, digest_of, write_canary
from harness.pytest_plugin.comparing import Comparer
from harness.pytest_plugin.guard import Guard
from harness.pytest_plugin.items import JUDGED, CaseFile, EngineNode
from harness.pytest_plugin.settings import read_settings
from harness.reports.words import counted

_WORDS = {
    Outcome.AGREE.value: "agree",
    Outcome.KNOWN.value: "known differences",
    Outcome.DISAGREE.value: "disagree",
    "recorded": "recorded",
}
_FAILED = "failed"


class HarnessSession:
    """The hooks that are there only where `--harness` is given."""

    def __init__(self, config: pytest.Config) -> None:
        self.settings = read_settings(config)
        self.comparer = Comparer(settings=self.settings)
        self.is_worker = hasattr(config, "workerinput")  # of xdist, whose controller counts
        self.canary = self._canary_file(config)
        self.guard = Guard()
        self.collected: set[str] = set()
        self.ended: dict[str, str] = {}
        self.said = ""
        if config.args_source is pytest.Config.ArgsSource.TESTPATHS:
            config.args += [str(path) for path in sorted(self.settings.cases)]

    def _canary_file(self, config: pytest.Config) -> Path | None:
        """Return where the canary goes, and remove an old one: it would sing of another session."""
        named = config.getoption("--harness-canary")
        if named is None or self.is_worker:
            return None
        path = config.invocation_params.dir / str(named)
        if path.is_dir() or not path.parent.is_dir():
            raise pytest.UsageError(f"--harness-canary {named}: expected a file in a folder that there is")
        path.unlink(missing_ok=True)
        return path

    def pytest_sessionstart(self) -> None:
        """Begin to guard."""
        self.guard.arm()

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> CaseFile | None:
        """Collect a file if it is a case of the project."""
        return CaseFile.of(parent, file_path, self.comparer) if file_path in self.settings.cases else None

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Count what is to be run."""
        self.collected |= {item.nodeid for item in session.items if isinstance(item.parent, EngineNode)}

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Iterable[str]) -> None:
        """Count what xdist's workers are to run; all collect the same."""
        self.collected |= {name for name in ids if self._is_ours(name)}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember what became of an item."""
        if not self._is_ours(report.nodeid):
            return
        said = {key: str(value) for key, value in report.user_properties}.get(JUDGED, "not recorded")
        if report.failed:
            self.ended[report.nodeid] = said if said == Outcome.DISAGREE.value else _FAILED
        elif report.when == "call":
            self.ended[report.nodeid] = said

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Let no session pass that was cut short or judged nothing, and write the canary."""
        self.comparer.close()
        if self.is_worker or session.config.option.collectonly:
            self.guard.disarm()
            return
        canary = self._sung(int(session.exitstatus))
        if canary.complaint and not canary.status:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED if canary.judged else pytest.ExitCode.NO_TESTS_COLLECTED
            canary = self._sung(int(session.exitstatus))
        self.said = _told(canary)
        if self.canary is not None:
            write_canary(canary, self.canary)
        self.guard.disarm()

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say how far the session came."""
        if self.said:
            terminalreporter.write_line(self.said)

    def _sung(self, status: int) -> Canary:
        outcomes = Counter(self.ended.values())
        judged = sum(outcomes[word] for word in _WORDS)
        return Canary(
            collected=len(self.collected),
            ended=len(self.ended),
            judged=judged,
            outcomes=dict(sorted(outcomes.items())),
            digest=digest_of(self.ended),
            status=status,
        )

    def _is_ours(self, name: str) -> bool:
        file, _, rest = name.partition("::")
        return bool(rest) and self.settings.root / file in self.settings.cases


def _told(canary: Canary) -> str:
    counts = dict(canary.outcomes)
    recorded, failed = counts.pop("recorded", 0), counts.pop(_FAILED, 0)
    judged = canary.judged - recorded
    rest = sum(counts.values()) - judged
    details = [
        f"{counted(judged, 'quantity', 'quantities')} judged" if judged or not recorded else "",
        ", ".join(f"{counts[word]} {shown}" for word, shown in _WORDS.items() if word in counts),
        f"{recorded} recorded" if recorded else "",
        f"{failed} failed without a comparison" if failed else "",
        f"{rest} not compared" if rest else "",
        canary.complaint if canary.ended < canary.collected else "",
    ]
    return f"harness: session reached its end; {'; '.join(filter(None, details))}"
