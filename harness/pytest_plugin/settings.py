"""What the options and the configuration file of a project say."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.comparison.known import KnownDifference, read_known
from harness.errors import HarnessError

KNOWN = "known_differences.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The mode, the root of the project, its case files, and where its records are."""

    mode: str
    root: Path
    cases: frozenset[Path]
    pins: Path
    known: Sequence[KnownDifference]
    reason: str


def read_settings(config: pytest.Config) -> Settings:
    """Return the settings.

    Raises
    ------
    pytest.UsageError
        If something is to be recorded without a reason, a pattern leaves the project, or the known differences can't
        be read.
    """
    mode, reason = str(config.getoption("--harness")), str(config.getoption("--harness-reason") or "")
    if mode == "record" and not reason.strip():
        raise pytest.UsageError("--harness=record needs --harness-reason, a sentence that is stored in the pins")
    patterns = [str(pattern) for pattern in config.getini("harness_cases")]
    outside = [pattern for pattern in patterns if Path(pattern).is_absolute() or ".." in Path(pattern).parts]
    if outside:
        raise pytest.UsageError(f"harness_cases: {', '.join(outside)}; expected patterns below {config.rootpath.name}/")
    return Settings(
        mode=mode,
        root=config.rootpath,
        cases=frozenset(path for pattern in patterns for path in config.rootpath.glob(pattern) if path.is_file()),
        pins=config.rootpath / str(config.getini("harness_pins")),
        known=_known(config),
        reason=reason,
    )


def _known(config: pytest.Config) -> Sequence[KnownDifference]:
    named = str(config.getini("harness_known_differences"))
    path = config.rootpath / (named or KNOWN)
    if not named and not path.exists():
        return ()
    try:
        return read_known(path)
    except HarnessError as error:
        raise pytest.UsageError(str(error)) from None
