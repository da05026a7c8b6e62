"""The history of comparisons: how near to its limits each came, run by run, in one SQLite file.

::

    run = remembered(run, path)   # adds it, and gives it the past of its comparisons with warnings
    last_traces(path, case)       # the past of whatever ran last
"""

from harness.history.past import last_traces, remembered, traces
from harness.history.store import append, require_history

FILE_NAME = "history.sqlite"
"""What a history is called that is kept in the folder of a report, where it survives the next report."""

__all__ = ["FILE_NAME", "append", "last_traces", "remembered", "require_history", "traces"]
