"""Names of the parameters of a trajectory model."""

from dataclasses import dataclass
from typing import Literal

Role = Literal["log_odds", "beta", "common", "sigma", "zero", "precision", "covariance", "scale", "process", "dropout"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter in the user's units: what it is, its name, and its class (from 1; 0 if it is of all classes)."""

    role: Role
    name: str
    latent_class: int
