"""Reports: pure functions of a run, text out; only `write` touches files.

Every renderer says the same: `summary` decides what is said of the run as a whole, `ranking` which verdicts come first,
`words` how names and numbers look. Names, labels and sentences of a run are data everywhere: no renderer passes one
on unescaped.
"""

from harness.reports.write import write_report

__all__ = ["write_report"]
