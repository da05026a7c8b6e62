# lme4: profile intervals of all parameters of the ML fit, as confint() gives them.

register("lme4_profile.fit", function(request) {
  found <- lme4_fit(request)
  intervals <- stats::confint(stats::profile(found$fit), level = 0.95)
  # Standard deviations and correlations as theta, sigma, then fixed effects.
  n_theta <- length(found$order$theta)
  ends <- intervals[c(found$order$theta, seq(n_theta + 1, nrow(intervals))), , drop = FALSE]
  c(lme4_answer(found), list(
    blocks = lme4_blocks(found),
    lower = unname(ends[, 1]),
    upper = unname(ends[, 2])
  ))
})
