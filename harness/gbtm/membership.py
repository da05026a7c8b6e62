"""Class membership: a multinomial logit on risk factors, class K the reference (Nagin 2005, ch. 6)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.arrays import Codes, Matrix, Tensor, Vector, read_only
from harness.gbtm.named import Parameter
from harness.gbtm.terms import Covariates

_STEPS = 5
_HALVINGS = 12
_RIDGE = 1e-6  # of a subject's information: keeps a separated start from running off


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MembershipDerivatives:
    """Scores (S, m, N) by subject and the block of the second derivative (S, m, m) of the mixture's log-likelihood."""

    scores: Tensor
    second: Tensor


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Membership:
    """log pi_ig = w_i' theta_g - log sum_h exp(w_i' theta_h), theta_K = 0.

    Attributes
    ----------
    W : (N, r)
        Working risk factors: 1, then the others, centred, scaled and orthogonal over the subjects.
    T : (r, r)
        Upper triangular: W = raw columns @ T, so the user's coefficients are T @ working coefficients.
    names : (r,)
        Of the raw columns, "intercept" first.
    """

    W: Matrix
    T: Matrix
    names: tuple[str, ...]
    n_classes: int

    @property
    def n_free(self) -> int:
        """(K - 1) r, class by class."""
        return (self.n_classes - 1) * len(self.names)

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Risk factor by risk factor, classes 1 .. K-1 inside, as in lcmm."""
        return tuple(
            Parameter(role="log_odds", name=name, latent_class=g)
            for name in self.names
            for g in range(1, self.n_classes)
        )

    def log_shares(self, theta: Matrix) -> Tensor:
        """Return log pi_ig, (S, K, N); (S, K, 1) where it is the same for all subjects."""
        S = len(theta)
        W = self.W if len(self.names) > 1 else self.W[:1]
        predictors = self._matrix(theta) @ W.T
        every = np.concatenate([predictors, np.zeros((S, 1, len(W)))], axis=1)
        every -= every.max(axis=1, keepdims=True)
        return np.asarray(every - np.log(np.exp(every).sum(axis=1, keepdims=True)))

    def shares(self, theta: Matrix, weights: Vector) -> Matrix:
        """Return the class shares (S, K): the weighted mean of pi_ig over subjects."""
        shares = np.exp(self.log_shares(theta))
        return np.asarray(shares[:, :, 0] if shares.shape[2] == 1 else shares @ weights / weights.sum())

    def share_jacobian(self, theta: Vector, weights: Vector) -> Matrix:
        """Return d shares / d theta, (K, (K-1) r)."""
        K, r = self.n_classes, len(self.names)
        shares = np.broadcast_to(np.exp(self.log_shares(theta[None]))[0], (K, len(self.W)))
        jacobian = np.empty((K, K - 1, r))
        for h in range(K - 1):
            direct = shares * ((np.arange(K) == h)[:, None] - shares[h])
            jacobian[:, h] = (direct * weights) @ self.W / weights.sum()
        return jacobian.reshape(K, self.n_free)

    def derivatives(self, theta: Matrix, posterior: Tensor, weights: Vector) -> MembershipDerivatives:
        """Return scores and second derivatives by theta of the mixture's log-likelihood."""
        S, K, N = posterior.shape
        r = len(self.names)
        shares = np.exp(self.log_shares(theta))
        difference = (posterior - shares)[:, : K - 1]
        scores = (difference[:, :, None] * self.W.T).reshape(S, self.n_free, N)
        # Summed over classes: diag(p) - p p' is what the posterior takes off the information of known classes.
        if r == 1:
            free, pi = posterior[:, : K - 1], shares[:, : K - 1, 0]
            weighted = free * weights
            second = weights.sum() * pi[:, :, None] * pi[:, None] - weighted @ free.transpose(0, 2, 1)
            each = np.arange(K - 1)
            second[:, each, each] += weighted.sum(axis=2) - weights.sum() * pi
            return MembershipDerivatives(scores=scores, second=second)
        outer = _outer(np.broadcast_to(shares, posterior.shape)[:, : K - 1]) - _outer(posterior[:, : K - 1])
        WW = (self.W[:, :, None] * self.W[:, None, :]).reshape(N, r * r) * weights[:, None]
        blocks = -(outer.reshape(S, (K - 1) ** 2, N) @ WW)
        second = blocks.reshape(S, K - 1, K - 1, r, r).transpose(0, 1, 3, 2, 4).reshape(S, self.n_free, self.n_free)
        return MembershipDerivatives(scores=scores, second=second)

    def cross(self, weighted: Tensor, scores: Tensor, by_class: Sequence[tuple[Codes, Tensor]], n_free: int) -> Tensor:
        """Return the second derivatives by theta and by the parameters of densities, (S, m, P - m).

        Parameters
        ----------
        weighted
            Posterior times weights, (S, K, N).
        scores
            By subject, of the densities' parameters, (S, P - m, N).
        by_class
            For each class the places of its parameters in the free vector and p_ig times its scores.
        n_free
            P.
        """
        S, K, N = weighted.shape
        r, m = len(self.names), self.n_free
        factors = (weighted[:, : K - 1, None] * self.W.T).reshape(S, m, N)
        found = -(factors @ scores.transpose(0, 2, 1)).reshape(S, K - 1, r, n_free - m)
        weights = weighted.sum(axis=1)[:, None] * self.W.T
        for h in range(K - 1):
            at, pu = by_class[h]
            found[:, h][:, :, at - m] += weights @ pu.transpose(0, 2, 1)
        return found.reshape(S, m, n_free - m)

    def begin(self, weighted: Tensor) -> Matrix:
        """Return coefficients that fit weights of classes (S, K, N): exactly without risk factors."""
        sizes = np.maximum(weighted.sum(axis=2), 1e-12)
        theta = np.zeros((len(weighted), self.n_classes - 1, len(self.names)))
        theta[:, :, 0] = (np.log(sizes[:, :-1]) - np.log(sizes[:, -1:])) / self.W[0, 0]
        flat = theta.reshape(len(weighted), self.n_free)
        if len(self.names) > 1:
            for _ in range(_STEPS):
                flat = self.m_step(weighted, flat)
        return flat

    def m_step(self, weighted: Tensor, theta: Matrix) -> Matrix:
        """Return coefficients that do not lower sum_ig weighted_ig log pi_ig; the best ones without risk factors."""
        if len(self.names) == 1:
            return self.begin(weighted)
        S, K, N = weighted.shape
        r = len(self.names)
        weights = weighted.sum(axis=1)
        log_shares = self.log_shares(theta)
        shares = np.exp(log_shares)[:, : K - 1]
        score = ((weighted[:, : K - 1] - shares * weights[:, None]) @ self.W).reshape(S, self.n_free)
        outer = (_outer(shares) * weights[:, None, None]).reshape(S, (K - 1) ** 2, N)
        WW = (self.W[:, :, None] * self.W[:, None, :]).reshape(N, r * r)
        blocks = (outer @ WW).reshape(S, K - 1, K - 1, r, r).transpose(0, 1, 3, 2, 4)
        information = blocks.reshape(S, self.n_free, self.n_free) + _RIDGE * N * np.eye(self.n_free)
        step = np.linalg.solve(information, score[..., None])[..., 0]
        before = np.sum(weighted * log_shares, axis=(1, 2))
        moved = theta.copy()
        rest = np.arange(S)
        for _ in range(_HALVINGS):
            trial = theta[rest] + step[rest]
            better = np.sum(weighted[rest] * self.log_shares(trial), axis=(1, 2)) >= before[rest]
            moved[rest[better]] = trial[better]
            rest = rest[~better]
            if not len(rest):
                break
            step[rest] /= 2
        return moved

    def relabelled(self, theta: Matrix, classes: Codes) -> Matrix:
        """Return the coefficients of the same memberships with the classes in another order."""
        S, r = len(theta), len(self.names)
        every = np.concatenate([self._matrix(theta), np.zeros((S, 1, r))], axis=1)[:, classes]
        return np.asarray((every[:, :-1] - every[:, -1:]).reshape(S, self.n_free))

    def to_user(self, theta: Vector) -> Vector:
        """Return the coefficients of raw risk factors, factor by factor."""
        return np.asarray((self.T @ theta.reshape(self.n_classes - 1, len(self.names)).T).ravel())

    def from_user(self, values: Vector) -> Vector:
        """Return working coefficients, class by class."""
        return np.asarray(np.linalg.solve(self.T, values.reshape(len(self.names), self.n_classes - 1)).T.ravel())

    def user_jacobian(self) -> Matrix:
        """Return d to_user / d theta, (m, m)."""
        K, r = self.n_classes, len(self.names)
        jacobian = np.zeros((r, K - 1, K - 1, r))
        for g in range(K - 1):
            jacobian[:, g, g] = self.T
        return jacobian.reshape(self.n_free, self.n_free)

    def _matrix(self, theta: Matrix) -> Tensor:
        return theta.reshape(len(theta), self.n_classes - 1, len(self.names))


def _outer(shares: Tensor) -> Tensor:
    """Return diag(p) - p p' of each subject, (S, K-1, K-1, N)."""
    found = -shares[:, :, None] * shares[:, None]
    each = np.arange(shares.shape[1])
    found[:, each, each] += shares
    return np.asarray(found)


def membership_of(factors: Covariates, n_classes: int) -> Membership:
    """Return the membership model of risk factors (N, k), which are centred, scaled and made orthogonal."""
    N = len(factors.values)
    means, deviations = factors.values.mean(axis=0), factors.values.std(axis=0)
    deviations = np.where(deviations > 0, deviations, 1.0)
    scaled = np.column_stack([np.ones(N), (factors.values - means) / deviations])
    raw_to_scaled = np.diag(np.append(1.0, 1 / deviations))
    raw_to_scaled[0, 1:] = -means / deviations
    R = np.linalg.qr(scaled, mode="r")
    orthogonal = np.triu(np.linalg.inv(R)) * np.sign(np.diag(R)) * np.sqrt(N)
    return Membership(
        W=read_only(scaled @ orthogonal),
        T=read_only(raw_to_scaled @ orthogonal),
        names=("intercept", *factors.names),
        n_classes=n_classes,
    )
