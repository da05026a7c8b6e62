"""Linear mixed models with several grouping factors, nested or crossed, each with any random effects."""
