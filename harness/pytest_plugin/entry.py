"""What pytest loads in every run where this package is installed: options, and nothing else unless they are given."""

import pytest

MODES = ("check", "compare", "record")
SESSION = "harness-session"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the command line and of the configuration file."""
    group = parser.getgroup("harness", "cross-check of mixed models and trajectory models")
    group.addoption(
        "--harness",
        choices=MODES,
        help="collect the project's cases: check them with recorded results, compare with R, or record R's results",
    )
    group.addoption("--harness-reason", metavar="SENTENCE", help="why results are recorded; it is stored in the pins")
    group.addoption("--harness-canary", metavar="FILE", help="write FILE when the session has reached its end")
    parser.addini("harness_cases", "patterns of case files (default: cases/*.toml)", "args", ["cases/*.toml"])
    parser.addini("harness_pins", "the folder of recorded results (default: pins)", "string", "pins")
    parser.addini(
        "harness_known_differences",
        "the file of accepted differences (default: known_differences.toml, where there is one)",
        "string",
        "",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Do nothing unless cases are asked for; all else is imported only then."""
    if config.getoption("--harness") is not None:
        from harness.pytest_plugin.session import HarnessSession  # noqa: PLC0415  # pytest starts in every project

        config.pluginmanager.register(HarnessSession(config), SESSION)
    elif config.getoption("--harness-canary") is not None or config.getoption("--harness-reason") is not None:
        raise pytest.UsageError("--harness-canary and --harness-reason need --harness=check, compare or record")
