"""Small counts: what may be shown of a table so that none can be worked out again."""

from harness.suppression.tables import LIMIT, SafeCounts, SafeTable, suppress, suppress_counts, suppress_rates

__all__ = ["LIMIT", "SafeCounts", "SafeTable", "suppress", "suppress_counts", "suppress_rates"]
