"""What a study ends in: its sections, its checklists, and where all of it came from."""

from collections.abc import Mapping
from dataclasses import dataclass

from harness.study.checklists import Checklist
from harness.study.plan import StudyPlan
from harness.study.section import Estimate, Section


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What is needed to do it again: the command, the hashes of what was read, versions, the seed, seconds by section.

    `inputs` are sha256 by file name; `seconds` are the only part that differs between two runs of one study.
    """

    command: str
    inputs: Mapping[str, str]
    versions: Mapping[str, str]
    seed: int
    seconds: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyReport:
    """All that the writers say; `methods` are paragraphs that can go into a paper."""

    plan: StudyPlan
    sections: tuple[Section, ...]
    methods: tuple[str, ...]
    checklists: tuple[Checklist, ...]
    provenance: Provenance

    @property
    def estimates(self) -> tuple[Estimate, ...]:
        """The estimates of all sections, in order."""
        return tuple(estimate for section in self.sections for estimate in section.estimates)
