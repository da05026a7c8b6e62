"""The tree of a case file: engines, and below each its quantities, or the one item that says why there are none."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from harness.comparison.run import Skipped
from harness.comparison.verdict import Comparison, Outcome, Verdict
from harness.errors import HarnessError
from harness.pytest_plugin.comparing import Compared, Comparer
from harness.pytest_plugin.failure import cause, disagreement, engine, no_comparison
from harness.reports.words import sentence, shorten, visible

JUDGED = "harness"
"""The property that every item of ours has, with its outcome; nothing else tells it from others in a report."""
_NAME = 200


class WrongError(Exception):
    """A comparison that is not agreement; its text is all that is shown."""


class CaseFile(pytest.File):
    """A case file of the project."""

    comparer: Comparer

    @classmethod
    def of(cls, parent: pytest.Collector, path: Any, comparer: Comparer) -> "CaseFile":  # noqa: ANN401  # pytest's
        """Return the node of a file."""
        node: CaseFile = cls.from_parent(parent, path=path)
        node.comparer = comparer
        return node

    def collect(self) -> Iterator[pytest.Collector]:
        """Compare the case with each of its references."""
        try:
            if self.comparer.settings.mode == "record":
                yield from (EngineNode.recording(self, name) for name in self.comparer.references(self.path))
            else:
                yield from (EngineNode.of(self, compared) for compared in self.comparer.compare(self.path))
        except HarnessError as error:
            raise self.CollectError(str(error)) from None


class EngineNode(pytest.Collector):
    """One reference of a case."""

    compared: Compared | None = None

    @classmethod
    def of(cls, parent: CaseFile, compared: Compared) -> "EngineNode":
        """Return the node of a comparison."""
        node: EngineNode = cls.from_parent(parent, name=visible(compared.engine))
        node.compared = compared
        return node

    @classmethod
    def recording(cls, parent: CaseFile, name: str) -> "EngineNode":
        """Return the node of an engine whose results are to be recorded."""
        node: EngineNode = cls.from_parent(parent, name=visible(name))
        return node

    def collect(self) -> Iterator[pytest.Item]:
        """Yield an item a quantity; one that fails where nothing was compared, or where an entry is out of date."""
        if self.compared is None:
            yield Record.from_parent(self, name="record")
            return
        found = self.compared.found
        if isinstance(found, Skipped) or _is_empty(found):
            yield Failing.saying(self, "comparison", no_comparison(found, self.mode), self.compared)
            return
        for verdict in found.verdicts:
            yield QuantityItem.of(self, found, verdict)
        for note in self.compared.notes:
            yield Failing.saying(self, "known difference", note, self.compared)

    @property
    def mode(self) -> str:
        """What is done with the cases."""
        return str(self.config.getoption("--harness"))


class _OurItem(pytest.Item):
    """An item that shows a sentence instead of a traceback."""

    def told(self, properties: Mapping[str, object]) -> None:
        # xdist carries plain text only, not enumerations that are text too.
        self.user_properties += [(key, str(value)) for key, value in properties.items() if value is not None]

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:  # noqa: ANN401
        """Return what is wrong."""
        if isinstance(excinfo.value, WrongError | HarnessError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Any, int | None, str]:
        """Return the file and what was judged."""
        return self.path, None, self.nodeid.partition("::")[2]


class QuantityItem(_OurItem):
    """One quantity, already judged."""

    comparison: Comparison
    verdict: Verdict

    @classmethod
    def of(cls, parent: EngineNode, comparison: Comparison, verdict: Verdict) -> "QuantityItem":
        """Return the item of a verdict."""
        item: QuantityItem = cls.from_parent(parent, name=shorten(visible(verdict.quantity[:5000]), _NAME) or "?")
        item.comparison, item.verdict = comparison, verdict
        item.told(_properties(comparison, verdict))
        return item

    def runtest(self) -> None:
        """Pass only where both engines agree."""
        verdict = self.verdict
        reason = sentence(verdict.reason) or "no reason was given"
        if verdict.outcome is Outcome.NOT_COMPARED:
            pytest.skip(f"not compared: {reason}")
        if verdict.outcome is Outcome.KNOWN:
            pytest.xfail(f"known difference: {reason}")
        if verdict.outcome is not Outcome.AGREE:  # also a known difference under --runxfail, where xfail() returns
            raise WrongError(disagreement(self.comparison, verdict))


class Failing(_OurItem):
    """What is wrong with a whole comparison."""

    sentence: str

    @classmethod
    def saying(cls, parent: EngineNode, name: str, text: str, compared: Compared) -> "Failing":
        """Return an item that fails with a sentence."""
        item: Failing = cls.from_parent(parent, name=name)
        item.sentence = text
        item.told({JUDGED: "failed", "case": compared.case, "engine": compared.engine})
        return item

    def runtest(self) -> None:
        """Fail."""
        raise WrongError(self.sentence)


class Record(_OurItem):
    """The results of one engine, to be recorded."""

    def runtest(self) -> None:
        """Write the pin; skip where the engine is not installed."""
        file = self.getparent(CaseFile)
        node = self.getparent(EngineNode)
        if file is None or node is None:
            raise WrongError("an item without its file")
        if not file.comparer.can_record(node.name):
            pytest.skip(f"{node.name} is not installed")
        moved = file.comparer.record(file.path, node.name)
        self.told({JUDGED: "recorded", "engine": node.name})
        self.add_report_section("call", "moves", "\n".join(moved) or "nothing moved")


def _is_empty(comparison: Comparison) -> bool:
    """Return whether no result was compared; agreement on what went in is none."""
    return comparison.outcome is Outcome.NOT_COMPARED or all(
        verdict.outcome is Outcome.NOT_COMPARED for verdict in comparison.verdicts
    )


def _properties(comparison: Comparison, verdict: Verdict) -> dict[str, object]:
    values: dict[str, object] = {
        JUDGED: verdict.outcome.value,
        "case": comparison.case,
        "engine": engine(comparison.right),
        "quantity": verdict.quantity,
        "versions": ", ".join(f"{key} {value}" for key, value in sorted(comparison.right.versions.items())),
        "ours": _plain(verdict.left_value),
        "theirs": _plain(verdict.right_value),
        "observed": _plain(verdict.observed),
        "limit": _plain(verdict.limit),
        "metric": verdict.metric,
        "basis": verdict.basis,
        "digits": _plain(verdict.digits),
    }
    if verdict.outcome is not Outcome.AGREE:
        values["attribution"] = cause(comparison) or None
    return values


def _plain(value: object) -> str | None:
    if value is None:
        return None
    return repr(float(value)) if isinstance(value, float) else str(value)
