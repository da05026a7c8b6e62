"""Rates of outcomes: intervals, differences and ratios, tests of two rates, several tests at once."""

from harness.rates.adjusted import adjusted_difference
from harness.rates.association import ChiSquare, Fisher, TwoRates, chi_square, compare_rates, fisher
from harness.rates.intervals import Interval, odds_ratio, risk_difference, risk_ratio, wilson
from harness.rates.multiplicity import holm
from harness.rates.proportion import Proportion

__all__ = [
    "ChiSquare",
    "Fisher",
    "Interval",
    "Proportion",
    "TwoRates",
    "adjusted_difference",
    "chi_square",
    "compare_rates",
    "fisher",
    "holm",
    "odds_ratio",
    "risk_difference",
    "risk_ratio",
    "wilson",
]
