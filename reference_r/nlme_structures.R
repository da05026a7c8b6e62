# Residual structures in nlme: a correlation between the visits of a subject, and a variance for each visit.
#
# gamma are the parameters of harness/lmm/visits: the elements of the covariance (us, lower triangle by rows; cs,
# covariance and residual; toep, by lag), else variances and then correlations.

is_heterogeneous <- function(structure) structure %in% c("us", "csh", "ar1h", "toeph")

# The covariance of all visits at gamma.
structure_covariance <- function(structure, gamma, n_visits) {
  lag <- abs(outer(seq_len(n_visits), seq_len(n_visits), `-`))
  if (structure == "us") {
    Sigma <- matrix(0, n_visits, n_visits)
    Sigma[upper.tri(Sigma, diag = TRUE)] <- gamma
    return(Sigma + t(Sigma) - diag(diag(Sigma), n_visits))
  }
  if (structure == "cs") return(gamma[1] + diag(gamma[2], n_visits))
  if (structure == "toep") return(matrix(gamma[lag + 1], n_visits))
  n_variances <- if (is_heterogeneous(structure)) n_visits else 1
  sds <- sqrt(rep_len(gamma[seq_len(n_variances)], n_visits))
  rho <- gamma[-seq_len(n_variances)]
  correlation <- switch(sub("h$", "", structure),
    cs = rho^(lag > 0),
    ar1 = rho^lag,
    toep = matrix(c(1, rho)[lag + 1], n_visits),
    stop("nlme has no such structure")
  )
  correlation * outer(sds, sds)
}

# nlme's correlation structure, at its own start or held at the correlations C of all visits; `residual` is the model's.
# A Toeplitz correlation of n visits is that of an autoregression of order n - 1.
nlme_correlation <- function(residual, n_visits, C = NULL, phi = NULL) {
  position <- if (residual$structure == "car1") column_symbol(residual$visit) else call("as.integer", column_symbol(residual$visit))
  form <- formula_of(call("|", position, column_symbol(residual$subject)))
  fixed <- !is.null(C) || !is.null(phi)
  value <- function(of, else_) if (fixed) of else else_
  switch(sub("h$", "", residual$structure),
    us = nlme::corSymm(value(C[lower.tri(C)], numeric(0)), form = form, fixed = fixed),
    cs = nlme::corCompSymm(value(C[2, 1], 0.3), form = form, fixed = fixed),
    ar1 = nlme::corAR1(value(C[2, 1], 0.3), form = form, fixed = fixed),
    toep = nlme::corARMA(value(autoregression(C[1, ]), rep(0.1, n_visits - 1)), form, p = n_visits - 1, fixed = fixed),
    car1 = nlme::corCAR1(value(phi, 0.5), form = form, fixed = fixed),
    stop("nlme has no such structure")
  )
}

# The coefficients of the autoregression with these autocorrelations (Yule and Walker).
autoregression <- function(correlations) {
  order <- length(correlations) - 1
  solve(stats::toeplitz(correlations[seq_len(order)]), correlations[-1])
}

# A variance for each visit, at its own start or held at standard deviations relative to the first visit's.
nlme_visit_variances <- function(residual, levels, ratios = NULL) {
  if (!is_heterogeneous(residual$structure)) return(NULL)
  form <- formula_of(call("|", 1, column_symbol(residual$visit)))
  if (is.null(ratios)) return(nlme::varIdent(form = form))
  nlme::varIdent(form = form, fixed = stats::setNames(ratios[-1], levels[-1]))
}

# The covariance of all visits in a fit.
fitted_visit_covariance <- function(fit, residual, levels) {
  n_visits <- length(levels)
  lag <- abs(outer(seq_len(n_visits), seq_len(n_visits), `-`))
  held <- coef(fit$modelStruct$corStruct, unconstrained = FALSE)
  correlation <- switch(sub("h$", "", residual$structure),
    us = {
      lower <- diag(n_visits)
      lower[lower.tri(lower)] <- held
      lower + t(lower) - diag(n_visits)
    },
    cs = held^(lag > 0),
    ar1 = held^lag,
    toep = matrix(stats::ARMAacf(held, lag.max = n_visits - 1)[lag + 1], n_visits)
  )
  ratios <- rep(1, n_visits)
  if (is_heterogeneous(residual$structure)) {
    ratios <- coef(fit$modelStruct$varStruct, unconstrained = FALSE, allCoef = TRUE)[levels]
  }
  unname(fit$sigma^2 * correlation * outer(ratios, ratios))
}

# What a fit says of its residuals: a covariance, or for car1 a variance and the correlation one unit of time apart.
nlme_residual <- function(fit, spec, data) {
  if (is.null(spec$residual)) return(NULL)
  if (spec$residual$structure == "car1") {
    phi <- unname(coef(fit$modelStruct$corStruct, unconstrained = FALSE))
    return(list(variance = fit$sigma^2, correlation = phi))
  }
  levels <- levels(data[[spec$residual$visit]])
  list(visits = levels, cov = fitted_visit_covariance(fit, spec$residual, levels))
}

# What fixes a model of nlme at gamma: its correlation, its variances, and the sigma that both are relative to.
nlme_held_at <- function(spec, gamma, data) {
  residual <- spec$residual
  if (residual$structure == "car1") {
    return(list(correlation = nlme_correlation(residual, 0, phi = gamma[2]), weights = NULL, sigma = sqrt(gamma[1])))
  }
  levels <- levels(data[[residual$visit]])
  Sigma <- structure_covariance(residual$structure, gamma, length(levels))
  sds <- sqrt(diag(Sigma))
  list(
    correlation = nlme_correlation(residual, length(levels), C = stats::cov2cor(Sigma)),
    weights = nlme_visit_variances(residual, levels, sds / sds[1]),
    sigma = sds[1]
  )
}
