"""Marginal means of a mixed model and their contrasts (Searle, Speed and Milliken 1980; R's emmeans)."""
