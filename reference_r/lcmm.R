# lcmm: hlme without random effects, which is the gaussian trajectory model with one sigma for all classes.

LCMM_STARTS <- 20
LCMM_FIRST_ITERATIONS <- 15
LCMM_CONTINUED <- 3

# hlme's vector: log-odds; for each power the coefficients of all classes; sigma. A power above a class's order is a
# coefficient that is fixed at zero.
to_hlme <- function(parameters, model) {
  K <- length(model$orders)
  by_power <- vapply(parameters$beta, function(b) c(b, numeric(max(model$orders) + 1 - length(b))),
                     numeric(max(model$orders) + 1))
  by_power <- matrix(by_power, ncol = K)
  c(parameters$log_odds[seq_len(K - 1)], as.numeric(t(by_power)), parameters$sigma[1])
}

fixed_at_zero <- function(model) {
  K <- length(model$orders)
  powers <- rep(0:max(model$orders), each = K)
  K - 1 + which(powers > rep(model$orders, max(model$orders) + 1))
}

# hlme must be called by its bare name, on a plain data frame that is visible here, with a numeric subject.
run_hlme <- function(model, data, B, maxiter, tolerance = 1e-4) {
  K <- length(model$orders)
  fixed <- polynomial(model, column_symbol(model$outcome))
  mixture <- polynomial(model)
  posfix <- fixed_at_zero(model)
  if (length(posfix) == 0) posfix <- NULL
  if (K == 1) {
    hlme(fixed, subject = model$subject, ng = 1, data = data, B = B, maxiter = maxiter,
         convB = tolerance, convL = tolerance, convG = tolerance)
  } else {
    hlme(fixed, mixture = mixture, subject = model$subject, ng = K, data = data, B = B, maxiter = maxiter,
         convB = tolerance, convL = tolerance, convG = tolerance, posfix = posfix)
  }
}

# Half of the starts as lcmm draws them, around the model with one class; half from noisy rankings of the subjects.
lcmm_start <- function(index, model, data) {
  K <- length(model$orders)
  pooled <- stats::lm(polynomial(model, column_symbol(model$outcome)), data)
  if (K == 1) return(list(log_odds = 0, beta = list(stats::coef(pooled)), sigma = stats::sigma(pooled)))
  if (index %% 2 == 0) {
    root <- t(chol(stats::vcov(pooled)))
    beta <- lapply(model$orders, function(order) {
      (stats::coef(pooled) + root %*% stats::rnorm(ncol(root)))[seq_len(order + 1)]
    })
    return(list(log_odds = numeric(K), beta = beta, sigma = stats::sigma(pooled)))
  }
  part <- ranked_partition(data, model)
  fits <- lapply(seq_len(K), function(g) {
    own <- model
    own$orders <- model$orders[g]
    stats::lm(polynomial(own, column_symbol(model$outcome)), data[part == g, ])
  })
  list(
    log_odds = numeric(K),
    beta = lapply(fits, function(fit) ifelse(is.na(stats::coef(fit)), 0, stats::coef(fit))),
    sigma = sqrt(mean(unlist(lapply(fits, stats::residuals))^2))
  )
}

# The tightest stop that marqLevAlg's numerical derivatives can meet: without it V is no covariance matrix.
converge_hlme <- function(model, data, B) {
  for (tolerance in c(1e-10, 1e-8, 1e-6, 1e-4)) {
    fit <- run_hlme(model, data, B, maxiter = 100, tolerance = tolerance)
    if (fit$conv == 1) break
    if (is.finite(fit$loglik) && fit$loglik > -1e8) B <- fit$best
  }
  list(fit = fit, tolerance = tolerance)
}

lcmm_search <- function(model, data) {
  n_starts <- if (length(model$orders) == 1) 1 else LCMM_STARTS
  first <- lapply(seq_len(n_starts), function(index) {
    B <- to_hlme(lcmm_start(index, model, data), model)
    tryCatch(run_hlme(model, data, B, maxiter = LCMM_FIRST_ITERATIONS)[c("loglik", "best")], error = function(e) NULL)
  })
  first <- Filter(function(fit) !is.null(fit) && is.finite(fit$loglik) && fit$loglik > -1e8, first)
  if (length(first) == 0) stop("hlme failed from every start")
  reached <- vapply(first, `[[`, 0, "loglik")
  distinct <- worth_continuing(reached)
  list(
    starts = lapply(first[utils::head(distinct, LCMM_CONTINUED)], `[[`, "best"),
    n_starts = n_starts,
    reached = reached
  )
}

register("lcmm.fit", function(request) {
  need_package("lcmm")
  data <- trajectory_data(request)
  model <- request$spec
  search <- if (is.null(request$start)) {
    lcmm_search(model, data)
  } else {
    list(starts = list(to_hlme(split_point(request$start, model), model)), n_starts = 1, reached = numeric())
  }
  ends <- lapply(search$starts, function(B) converge_hlme(model, data, B))
  finals <- vapply(ends, function(end) end$fit$loglik, 0)
  best <- ends[[which.max(finals)]]
  fit <- best$fit
  K <- length(model$orders)
  p <- length(fit$best)
  V <- matrix(0, p, p)
  V[upper.tri(V, diag = TRUE)] <- fit$V
  V[lower.tri(V)] <- t(V)[lower.tri(V)]
  if (nrow(fit$pred) != nrow(data)) stop("hlme used other rows than those with outcome and time")
  list(
    evidence = trajectory_evidence(fit$pred$obs, fit$pred[[1]], data[[model$time]], model),
    best = unname(fit$best),
    V = V,
    is_fixed = seq_len(p) %in% fixed_at_zero(model),
    log_likelihood = fit$loglik,
    aic = fit$AIC,
    bic = fit$BIC,
    subjects = fit$pprob[[1]],
    posterior = unname(as.matrix(fit$pprob[, 2 + seq_len(K), drop = FALSE])),
    conv = fit$conv,
    criteria = as.numeric(fit$gconv),
    tolerance = best$tolerance,
    iterations = fit$niter,
    n_starts = search$n_starts,
    reached = search$reached,
    finals = finals
  )
})

register("lcmm.log_likelihood", function(request) {
  need_package("lcmm")
  data <- trajectory_data(request)
  model <- request$spec
  values <- vapply(request$points, function(point) {
    run_hlme(model, data, to_hlme(split_point(point, model), model), maxiter = 0)$loglik
  }, 0)
  list(values = values, n_observations = nrow(data))
})
