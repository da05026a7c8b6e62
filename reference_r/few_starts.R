# For fuzzing, after all others: small mixtures by the hundred. An end of flexmix that is too low is told from a
# disagreement by starting it again at ours.

FLEXMIX_STARTS <- 6
FLEXMIX_CONTINUED <- 2
