"""Which starts are about to end where another start ends, so that one of them can climb for all.

At the maximum the information is the sum of outer products of subject scores. So for two starts near the same maximum,
sum_i w_i (l_i - l'_i)^2, l_i the log-likelihood of subject i, is the squared distance between them in standard errors,
whatever the labels of their classes.

Where classes have unequal orders, two maxima can be that near and yet not one: which of two classes has the order that
the other one hardly needs. So both must be about to end equally high, too: a start at a distance d will rise by
d^2 / 2.
"""

import numpy as np

from harness.arrays import Codes, Mask, Matrix, Vector

NEAR = 0.1
"""Standard errors, by the Newton step: a start this near to a maximum will end there."""

_SAME = (2.5 * NEAR) ** 2
_AS_HIGH = 2e-3  # to which the rise is foretold: about d^3


class Followers:
    """The starts that climb for others: the first to come near each end, with what it made of each subject."""

    def __init__(self, n_starts: int) -> None:
        """Begin with every start on its own."""
        self.leader: Codes = np.arange(n_starts)
        self._leaders: list[int] = []
        self._by_subject: list[Vector] = []
        self._heights: list[float] = []

    def join(self, starts: Codes, by_subject: Matrix, distance: Vector, near: Mask, weights: Vector) -> Mask:
        """Return which of the starts need not climb on, because one that leads ends where they would.

        Parameters
        ----------
        starts
            Numbers of the starts that are climbing.
        by_subject, distance, near
            Their log-likelihoods by subject, (S, N), how far they are from a maximum, and whether that is near.
        weights
            Of the subjects.
        """
        joined = np.zeros(len(starts), dtype=np.bool_)
        heights = by_subject @ weights + distance**2 / 2
        for place in np.flatnonzero(near):
            start = int(starts[place])
            if start in self._leaders:
                continue
            leader = self._leader_of(by_subject[place], float(heights[place]), weights)
            if leader is None:
                self._leaders.append(start)
                self._by_subject.append(by_subject[place].copy())
                self._heights.append(float(heights[place]))
            else:
                self.leader[start] = leader
                joined[place] = True
        return joined

    def _leader_of(self, by_subject: Vector, height: float, weights: Vector) -> int | None:
        for leader, own, its in zip(self._leaders, self._by_subject, self._heights, strict=True):
            if abs(height - its) < _AS_HIGH and float((by_subject - own) ** 2 @ weights) < _SAME:
                return leader
        return None
