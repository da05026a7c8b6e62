# lme4: lmer with a search tight enough to serve as a reference.

lme4_formula <- function(spec) {
  bar <- if (spec$correlated) "|" else "||"
  random <- call("(", call(bar, sum_call(spec$random_terms, spec$random_intercept), column_symbol(spec$subject)))
  formula_of(call("+", sum_call(spec$terms, spec$intercept), random), column_symbol(spec$outcome))
}

# Where the diagonal of Lambda is at zero and where its column goes on below, for each: lme4's bound on the diagonal
# hides the side on which the criterion may still fall (a false boundary).
lifted_starts <- function(theta, lower) {
  at_zero <- which(lower == 0 & theta < 1e-4)
  lapply(at_zero, function(diagonal) {
    following <- which(lower == 0)
    end <- min(c(following[following > diagonal], length(theta) + 1)) - 1
    start <- theta
    start[diagonal] <- 0.05
    if (end > diagonal) start[(diagonal + 1):end] <- -start[(diagonal + 1):end]
    start
  })
}

lme4_fit <- function(spec, data, start) {
  formula <- lme4_formula(spec)
  control <- lme4::lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-11, maxfun = 1e5))
  fit_from <- function(theta) {
    lme4::lmer(formula, data, REML = spec$criterion == "REML", control = control, start = theta)
  }
  fits <- list(fit_from(start))
  lifted <- lifted_starts(lme4::getME(fits[[1]], "theta"), lme4::getME(fits[[1]], "lower"))
  fits <- c(fits, lapply(lifted, fit_from))
  reached <- vapply(fits, function(fit) as.numeric(stats::logLik(fit)), 0)
  list(best = fits[[which.max(reached)]], reached = reached)
}

register("lme4.fit", function(request) {
  need_package("lme4")
  data <- data_of(request)
  found <- lme4_fit(request$spec, data, request$start)
  fit <- found$best
  blocks <- lme4::VarCorr(fit)
  random_names <- unlist(lapply(blocks, rownames), use.names = FALSE)
  modes <- lme4::ranef(fit, condVar = TRUE)[[request$spec$subject]]
  variances <- attr(modes, "postVar")
  # With `||` there is one array per term, and lme4 gives no covariance between terms.
  if (!is.list(variances)) variances <- list(variances)
  derivatives <- fit@optinfo$derivs
  list(
    evidence = input_evidence(lme4::getME(fit, "y"), lme4::getME(fit, "flist")[[1]], lme4::getME(fit, "X")),
    beta_names = names(lme4::fixef(fit)),
    beta = unname(lme4::fixef(fit)),
    vcov = unname(as.matrix(stats::vcov(fit))),
    theta = unname(lme4::getME(fit, "theta")),
    random_names = random_names,
    random_blocks = unname(lapply(blocks, function(block) matrix(block, nrow(block)))),
    sigma = stats::sigma(fit),
    log_likelihood = as.numeric(stats::logLik(fit)),
    aic = stats::AIC(fit),
    bic = stats::BIC(fit),
    n_parameters = attr(stats::logLik(fit), "df"),
    subjects = rownames(modes),
    modes = unname(as.matrix(modes[, random_names, drop = FALSE])),
    variance_blocks = unname(lapply(variances, function(block) array(block, dim(block)))),
    singular = lme4::isSingular(fit),
    code = fit@optinfo$conv$opt,
    messages = as.character(unlist(fit@optinfo$conv$lme4$messages)),
    evaluations = fit@optinfo$feval,
    reached = found$reached,
    gradient = as.numeric(derivatives$gradient),
    hessian = if (is.null(derivatives$Hessian)) NULL else unname(as.matrix(derivatives$Hessian))
  )
})

register("lme4.log_likelihood", function(request) {
  need_package("lme4")
  data <- data_of(request)
  spec <- request$spec
  deviance_at <- lme4::lmer(lme4_formula(spec), data, REML = spec$criterion == "REML", devFunOnly = TRUE)
  values <- vapply(request$points, function(theta) -deviance_at(theta) / 2, 0)
  list(values = values, n_observations = length(environment(deviance_at)$resp$y))
})
