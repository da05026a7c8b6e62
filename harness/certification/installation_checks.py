"""Checks of what is installed: versions, files, arithmetic."""

import platform
import sys
from collections.abc import Iterator
from importlib import metadata

import numpy as np
from packaging.requirements import Requirement as Asked
from packaging.specifiers import SpecifierSet

from harness.certification.grounds import Check, Grounds, concluded
from harness.certification.package_files import recorded_files, sha256_of
from harness.certification.traceability import Checked
from harness.locations import DISTRIBUTION
from harness.reports.words import counted


def dependencies() -> dict[str, Asked]:
    """Return what the package asks for by name, without extras."""
    asked = (Asked(line) for line in metadata.requires(DISTRIBUTION) or ())
    return {one.name: one for one in asked if one.marker is None or one.marker.evaluate({"extra": ""})}


def installed(package: str) -> str | None:
    """Return the version of a package, None where there is none."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _packages(_: Grounds) -> Checked:
    asked = dependencies()
    wrong = [
        f"{name} is {version or 'absent'}, not {one.specifier}"
        for name, one in asked.items()
        if (version := installed(name)) is None or not one.specifier.contains(version, prereleases=True)
    ]
    python = metadata.metadata(DISTRIBUTION)["Requires-Python"] or ""
    if not SpecifierSet(python).contains(platform.python_version(), prereleases=True):
        wrong.append(f"Python is {platform.python_version()}, not {python}")
    detail = f"Python {platform.python_version()} and {counted(len(asked), 'package')} have the versions asked for."
    return concluded(wrong, detail)


def _package_files(_: Grounds) -> Checked:
    recorded = recorded_files()
    wrong = [
        f"{name} is {'not there' if found is None else 'not what was installed'}"
        for name, (path, expected) in recorded.items()
        if (found := sha256_of(path)) != expected
    ]
    # What lies in _data is a copy of fixtures, which a checkout does not use.
    code = sum(name.startswith("harness/") and not name.startswith("harness/_data/") for name in recorded)
    caveats = () if code else ("The package runs from a checkout: its installation recorded none of its code files.",)
    detail = (
        f"{counted(len(recorded), 'file')} are as the installation recorded them, {code} of them code of the package."
    )
    return concluded(wrong, detail, caveats)


def _arithmetic(_: Grounds) -> Checked:
    wrong = list(_arithmetic_problems())
    return concluded(wrong, "Rounding, subnormals, signed zeros and infinities are as IEEE 754 has them.")


def _arithmetic_problems() -> Iterator[str]:
    half_way = np.array([2.0**53, 2.0**53 + 2]) + 1.0
    expected = {
        "53 bits": (np.finfo(np.float64).eps, 2.0**-52),
        "0.1 + 0.2": (float(np.sum([0.1, 0.2])), 0.30000000000000004),
        "a half rounded down to even": (half_way[0], 2.0**53),
        "a half rounded up to even": (half_way[1], 2.0**53 + 4),
        "a subnormal kept": (float(np.float64(5e-324) * 1.0), 5e-324),
        "a subnormal reached": (float(np.float64(sys.float_info.min) / 2), 1.1125369292536007e-308),
        "a signed zero": (float(np.copysign(1.0, np.float64(-0.0))), -1.0),
    }
    for name, (found, wanted) in expected.items():
        if found != wanted:
            yield f"{name}: {found!r}, not {wanted!r}"


CHECKS: dict[str, Check] = {"packages": _packages, "package_files": _package_files, "arithmetic": _arithmetic}
