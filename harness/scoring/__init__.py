"""Scales and outcomes: from items to totals, response, remission and what became of them.

Scores are fractions, so that a threshold is met or missed exactly. Answers have three values: True, False, and None
where a question has no answer. Every rule says in words what it is (`describe`).
"""

from harness.scoring.bands import Band, BandTable
from harness.scoring.built_in import GAD7, MADRS, built_in
from harness.scoring.change import PointChange, ReliableChange, change_in_points, deterioration
from harness.scoring.counts import Count, RemissionCounts, count, count_by, cross_tabulate, remission_counts
from harness.scoring.course import Course, courses
from harness.scoring.durability import FollowUp, RelapseRule, relapse, sustained_response
from harness.scoring.endpoint import (
    EndOfTreatment,
    carried_forward,
    common_end,
    end_remission,
    end_response,
    end_score,
)
from harness.scoring.exact import Score, exact
from harness.scoring.first_response import TimeToResponse, time_to_response
from harness.scoring.improvement import (
    ImprovementRule,
    category,
    no_meaningful_benefit,
    partial_response,
    percent_change,
    response,
    share,
    why_undefined,
)
from harness.scoring.instrument import Instrument, Item
from harness.scoring.instrument_file import read_instrument
from harness.scoring.remission import RemissionRule, remission
from harness.scoring.totals import Disagreement, Scored, TotalRule, read_totals, score_items
from harness.scoring.truth import Truth

__all__ = [
    "GAD7",
    "MADRS",
    "Band",
    "BandTable",
    "Count",
    "Course",
    "Disagreement",
    "EndOfTreatment",
    "FollowUp",
    "ImprovementRule",
    "Instrument",
    "Item",
    "PointChange",
    "RelapseRule",
    "ReliableChange",
    "RemissionCounts",
    "RemissionRule",
    "Score",
    "Scored",
    "TimeToResponse",
    "TotalRule",
    "Truth",
    "built_in",
    "carried_forward",
    "category",
    "change_in_points",
    "common_end",
    "count",
    "count_by",
    "courses",
    "cross_tabulate",
    "deterioration",
    "end_remission",
    "end_response",
    "end_score",
    "exact",
    "no_meaningful_benefit",
    "partial_response",
    "percent_change",
    "read_instrument",
    "read_totals",
    "relapse",
    "remission",
    "remission_counts",
    "response",
    "score_items",
    "share",
    "sustained_response",
    "time_to_response",
    "why_undefined",
]
