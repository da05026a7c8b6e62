# lme4: lmer with a search tight enough to serve as a reference.

lme4_control <- function() lme4::lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-11, maxfun = 1e5))

lme4_formula <- function(spec) {
  right <- added(c(list(terms_call(spec$terms, spec$intercept)), lapply(spec$random, bar_call)))
  formula_of(right, column_symbol(spec$outcome))
}

# A call that holds its own formula and data, so that other packages can evaluate it again from anywhere.
lme4_call <- function(of, spec, data, ...) {
  weights <- if (is.null(spec$weights)) list() else list(weights = column_symbol(spec$weights))
  given <- list(formula = lme4_formula(spec), data = data, REML = spec$criterion == "REML", control = lme4_control())
  as.call(c(call("::", quote(lme4), as.name(of)), given, list(...), weights))
}

# lme4 sorts random terms by decreasing numbers of levels. `terms[k]` is where it put the k-th of the formula, whose
# `||` it writes as terms of their own; `theta` are the places of the formula's theta in lme4's.
lme4_order <- function(spec, data) {
  made <- eval(lme4_call("lFormula", spec, data), globalenv())$reTrms
  written <- vapply(lme4::findbars(lme4_formula(spec)), function(bar) paste(deparse(bar, 500L), collapse = " "), "")
  sizes <- vapply(made$cnms, function(names) length(names) * (length(names) + 1) / 2, 0)
  before <- cumsum(c(0, sizes))[seq_along(sizes)]
  terms <- match(written, names(made$Ztlist))
  list(terms = terms, theta = unlist(lapply(terms, function(k) before[k] + seq_len(sizes[k]))))
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

# The best of all starts, what each of them reached, and the order of the random terms. A start is in our order.
lme4_fit <- function(request) {
  need_package("lme4")
  need_package("splines")
  spec <- request$spec
  data <- model_data(request)
  order <- lme4_order(spec, data)
  fit_from <- function(theta) eval(lme4_call("lmer", spec, data, start = theta), globalenv())
  start <- if (is.null(request$start)) NULL else replace(request$start, order$theta, request$start)
  fits <- list(fit_from(start))
  lifted <- lifted_starts(lme4::getME(fits[[1]], "theta"), lme4::getME(fits[[1]], "lower"))
  fits <- c(fits, lapply(lifted, fit_from))
  reached <- vapply(fits, function(fit) as.numeric(stats::logLik(fit)), 0)
  list(fit = fits[[which.max(reached)]], reached = reached, order = order, spec = spec, data = data)
}

# What every engine that starts from lme4's fit says of it.
lme4_answer <- function(found) {
  fit <- found$fit
  derivatives <- fit@optinfo$derivs
  list(
    evidence = mixed_evidence(found$spec, found$data, lme4::getME(fit, "y"), lme4::getME(fit, "X")),
    beta_names = names(lme4::fixef(fit)),
    beta = unname(lme4::fixef(fit)),
    vcov = unname(as.matrix(stats::vcov(fit))),
    theta = unname(lme4::getME(fit, "theta"))[found$order$theta],
    log_likelihood = as.numeric(stats::logLik(fit)),
    singular = lme4::isSingular(fit),
    code = fit@optinfo$conv$opt,
    messages = as.character(unlist(fit@optinfo$conv$lme4$messages)),
    evaluations = fit@optinfo$feval,
    reached = found$reached,
    gradient = as.numeric(derivatives$gradient),
    hessian = if (is.null(derivatives$Hessian)) NULL else unname(as.matrix(derivatives$Hessian))
  )
}

# One block of random effects a term, `||` split: grouping columns, effects, covariance.
lme4_blocks <- function(found) {
  blocks <- lme4::VarCorr(found$fit)
  groupings <- names(found$fit@cnms)
  lapply(found$order$terms, function(k) {
    list(
      grouping = strsplit(groupings[k], ":", fixed = TRUE)[[1]],
      names = rownames(blocks[[k]]),
      cov = unname(matrix(blocks[[k]], nrow(blocks[[k]])))
    )
  })
}

# Modes by grouping factor, in the columns of its blocks; their variances a block each, without those across blocks.
lme4_modes <- function(found) {
  modes <- lme4::ranef(found$fit, condVar = TRUE)
  lapply(names(modes), function(grouping) {
    variances <- attr(modes[[grouping]], "postVar")
    if (!is.list(variances)) variances <- list(variances)
    list(
      grouping = strsplit(grouping, ":", fixed = TRUE)[[1]],
      levels = rownames(modes[[grouping]]),
      names = colnames(modes[[grouping]]),
      modes = unname(as.matrix(modes[[grouping]])),
      variances = unname(lapply(variances, function(block) array(block, dim(block))))
    )
  })
}

# All estimates of a fit.
lme4_estimates <- function(found) {
  c(lme4_answer(found), list(
    blocks = lme4_blocks(found),
    modes = lme4_modes(found),
    sigma = stats::sigma(found$fit),
    aic = stats::AIC(found$fit),
    bic = stats::BIC(found$fit),
    n_parameters = attr(stats::logLik(found$fit), "df")
  ))
}

register("lme4.fit", function(request) lme4_estimates(lme4_fit(request)))

lme4_log_likelihood <- function(request) {
  need_package("lme4")
  need_package("splines")
  data <- model_data(request)
  order <- lme4_order(request$spec, data)
  deviance_at <- eval(lme4_call("lmer", request$spec, data, devFunOnly = TRUE), globalenv())
  values <- vapply(request$points, function(theta) -deviance_at(replace(theta, order$theta, theta)) / 2, 0)
  list(values = values, n_observations = length(environment(deviance_at)$resp$y))
}

register("lme4.log_likelihood", lme4_log_likelihood)
