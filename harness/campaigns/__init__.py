"""Agreement as a rate with its interval, over many cohorts that are simulated."""
