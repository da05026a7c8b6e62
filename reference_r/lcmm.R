# lcmm: hlme, the gaussian trajectory model with one sigma for all classes, with or without random effects in classes.

LCMM_STARTS <- 20
LCMM_FIRST_ITERATIONS <- 15
LCMM_CONTINUED <- 3

# hlme's vector: log-odds by covariate; for each column the coefficients of all classes; common coefficients; random
# effects (which it takes as variances); factors of their scale; process; sigma. A power above a class's order is a
# coefficient that is fixed at zero.
to_hlme <- function(parts, model) {
  K <- length(model$orders)
  n_time <- max(model$orders) + 1
  by_column <- vapply(seq_len(K), function(g) {
    own <- parts$effects[[g]]
    n_own <- model$orders[g] + 1
    c(own[seq_len(n_own)], numeric(n_time - n_own), own[seq_along(own) > n_own])
  }, numeric(n_time + length(model$covariates)))
  by_column <- matrix(by_column, ncol = K)
  process <- parts$process
  process[length(process)] <- sqrt(process[length(process)])
  c(as.numeric(t(parts$membership)), as.numeric(t(by_column)), parts$common, parts$covariance, parts$scale, process,
    parts$sigma[1])
}

# The parts of a point that such a vector means, with positive signs.
from_hlme <- function(best, model) {
  K <- length(model$orders)
  left <- unname(best)
  take <- function(n) {
    taken <- left[seq_len(n)]
    left <<- left[seq_along(left) > n]
    taken
  }
  r <- 1 + length(model$membership)
  membership <- matrix(take((K - 1) * r), nrow = r, ncol = K - 1, byrow = TRUE)
  n_time <- max(model$orders) + 1
  n_columns <- n_time + length(model$covariates)
  by_column <- matrix(take(n_columns * K), ncol = K, byrow = TRUE)
  common <- take(length(model$common))
  q <- if (is.null(model$random)) 0 else model$random + 1
  covariance <- take(if (model$random_covariance == "full") q * (q + 1) / 2 else q)
  scale <- abs(take(if (model$random_scale == "class") K - 1 else 0))
  process <- take(switch(model$errors, independent = 0, brownian = 1, ar1 = 2))
  process[length(process)] <- process[length(process)]^2
  list(
    membership = membership,
    effects = lapply(seq_len(K), function(g) of_order(by_column[, g], model$orders[g], model)),
    common = common, covariance = covariance, scale = scale, process = process, sigma = abs(left)
  )
}

# The coefficients of a class of some order out of those of the highest order.
of_order <- function(coefficients, order, model) {
  coefficients <- ifelse(is.na(coefficients), 0, coefficients)
  n_time <- max(model$orders) + 1
  coefficients[c(seq_len(order + 1), seq_along(coefficients)[seq_along(coefficients) > n_time])]
}

# Classes of the same order from the lowest to the highest mean. lcmm's numerical Hessian depends on which class is the
# reference: so it is always the same one.
in_canonical_order <- function(best, model, data) {
  K <- length(model$orders)
  parts <- from_hlme(best, model)
  means <- vapply(seq_len(K), function(g) {
    formula <- formula_of(sum_call(class_terms(model, model$orders[g]), TRUE))
    sum(colMeans(stats::model.matrix(formula, data)) * parts$effects[[g]])
  }, 0)
  classes <- seq_len(K)
  for (order in unique(model$orders)) {
    places <- which(model$orders == order)
    classes[places] <- places[order(means[places])]
  }
  every <- cbind(parts$membership, 0)[, classes, drop = FALSE]
  parts$membership <- every[, -K, drop = FALSE] - every[, K]
  parts$effects <- parts$effects[classes]
  if (length(parts$scale) > 0) {
    scale <- c(parts$scale, 1)[classes]
    parts$scale <- scale[-K] / scale[K]
    parts$covariance <- parts$covariance * scale[K]^2
  }
  to_hlme(parts, model)
}

fixed_at_zero <- function(model) {
  K <- length(model$orders)
  powers <- rep(0:max(model$orders), each = K)
  (K - 1) * (1 + length(model$membership)) + which(powers > rep(model$orders, max(model$orders) + 1))
}

# hlme must be called by its bare name, on a plain data frame that is visible here, with a numeric subject.
run_hlme <- function(model, data, B, maxiter, tolerance = 1e-4) {
  K <- length(model$orders)
  arguments <- list(
    fixed = predictor(model), subject = model$subject, ng = K, data = as.name("data"), B = as.name("B"),
    maxiter = maxiter, convB = tolerance, convL = tolerance, convG = tolerance
  )
  if (K > 1) {
    arguments$mixture <- formula_of(sum_call(class_terms(model), TRUE))
    posfix <- fixed_at_zero(model)
    if (length(posfix) > 0) arguments$posfix <- posfix
    if (length(model$membership) > 0) arguments$classmb <- formula_of(sum_call(plain_terms(model$membership), TRUE))
    arguments$nwg <- model$random_scale == "class"
  }
  if (!is.null(model$random)) {
    arguments$random <- formula_of(sum_call(power_terms(model$time, 1, model$random), TRUE))
    arguments$idiag <- model$random_covariance == "diagonal"
  }
  if (model$errors != "independent") {
    arguments$cor <- call(if (model$errors == "ar1") "AR" else "BM", column_symbol(model$time))
  }
  eval(as.call(c(as.name("hlme"), arguments)))
}

# ---- starts ----

# Variance that a regression leaves, shared out among random effects, process and error.
dispersion_start <- function(model, data, variance) {
  time <- data[[model$time]]
  kinds <- 1 + !is.null(model$random) + (model$errors != "independent")
  each <- variance / kinds
  covariance <- numeric()
  if (!is.null(model$random)) {
    units <- colMeans(outer(time, 0:model$random, `^`)^2)
    covariance <- diag(each / (length(units) * units), nrow = length(units))
    covariance <- if (model$random_covariance == "full") covariance[upper.tri(covariance, TRUE)] else diag(covariance)
  }
  list(
    sigma = sqrt(each),
    covariance = covariance,
    scale = rep(1, if (model$random_scale == "class") length(model$orders) - 1 else 0),
    process = switch(model$errors,
      independent = numeric(), brownian = each / mean(abs(time)), ar1 = c(1 / stats::sd(time), each)
    )
  )
}

# The model with one class, as far as hlme gets from a regression on all rows.
one_class_start <- function(model, data) {
  one <- model
  one$orders <- max(model$orders)
  one$random_scale <- "common"
  pooled <- stats::lm(predictor(one), data)
  coefficients <- stats::coef(pooled)
  n_class <- length(coefficients) - length(model$common)
  parts <- c(
    dispersion_start(one, data, stats::sigma(pooled)^2),
    list(membership = matrix(0, 1, 0), effects = list(coefficients[seq_len(n_class)]),
         common = coefficients[seq_along(coefficients) > n_class])
  )
  root <- t(chol(stats::vcov(pooled)))
  if (is.null(model$random) && model$errors == "independent") return(list(parts = parts, root = root))
  fit <- run_hlme(one, data, to_hlme(parts, one), maxiter = 100)
  list(parts = from_hlme(fit$best, one), root = root)
}

# Half of the starts as lcmm draws them, around the model with one class; half from noisy rankings of the subjects.
lcmm_start <- function(index, model, data, one) {
  K <- length(model$orders)
  parts <- one$parts
  parts$membership <- matrix(0, 1 + length(model$membership), K - 1)
  parts$scale <- dispersion_start(model, data, 1)$scale
  centre <- c(one$parts$effects[[1]], one$parts$common)
  n_class <- length(one$parts$effects[[1]])
  if (K == 1) return(parts)
  if (index %% 2 == 0) {
    parts$effects <- lapply(model$orders, function(order) {
      drawn <- centre + as.numeric(one$root %*% stats::rnorm(length(centre)))
      of_order(drawn[seq_len(n_class)], order, model)
    })
    return(parts)
  }
  part <- start_partition(index %/% 2, data, model)
  fits <- lapply(seq_len(K), function(g) {
    stats::lm(predictor(model, model$orders[g]), data[part == g, ])
  })
  parts$effects <- lapply(seq_len(K), function(g) {
    coefficients <- stats::coef(fits[[g]])
    coefficients <- coefficients[seq_len(model$orders[g] + 1 + length(model$covariates))]
    ifelse(is.na(coefficients), 0, coefficients)
  })
  if (is.null(model$random) && model$errors == "independent") {
    parts$sigma <- sqrt(mean(unlist(lapply(fits, stats::residuals))^2))
  }
  parts
}

# The tightest stop that marqLevAlg's numerical derivatives can meet: without it V is no covariance matrix.
converge_hlme <- function(model, data, B) {
  for (tolerance in c(1e-10, 1e-8, 1e-6, 1e-4)) {
    fit <- run_hlme(model, data, B, maxiter = 100, tolerance = tolerance)
    if (fit$conv == 1) break
    if (is.finite(fit$loglik) && fit$loglik > -1e8) B <- unname(fit$best)
  }
  list(fit = fit, tolerance = tolerance)
}

lcmm_search <- function(model, data) {
  n_starts <- if (length(model$orders) == 1) 1 else LCMM_STARTS
  one <- one_class_start(model, data)
  first <- lapply(seq_len(n_starts), function(index) {
    B <- to_hlme(lcmm_start(index, model, data, one), model)
    tryCatch(run_hlme(model, data, B, maxiter = LCMM_FIRST_ITERATIONS)[c("loglik", "best")], error = function(e) NULL)
  })
  first <- Filter(function(fit) !is.null(fit) && is.finite(fit$loglik) && fit$loglik > -1e8, first)
  if (length(first) == 0) stop("hlme failed from every start")
  reached <- vapply(first, `[[`, 0, "loglik")
  distinct <- worth_continuing(reached)
  list(
    starts = lapply(first[utils::head(distinct, LCMM_CONTINUED)], function(fit) unname(fit$best)),
    n_starts = n_starts,
    reached = reached
  )
}

# ---- standard errors ----

# The covariance of hlme's vector, with the roots of its random effects, from second differences of its log-likelihood
# in steps of 0.02 and 0.01 standard errors, extrapolated. hlme's own is by forward differences in steps of 1e-4 of each
# coefficient, whose rounding is 1 % and more of a standard error where a coefficient is small. NULL at a boundary.
extrapolated_covariance <- function(fit, V, model, data) {
  best <- unname(fit$best)
  errors <- sqrt(diag(V))
  free <- which(!(seq_along(best) %in% fixed_at_zero(model)))
  if (!all(is.finite(errors[free]) & errors[free] > 0 & errors[free] < 1e6)) return(NULL)
  q <- if (is.null(model$random)) 0 else model$random + 1
  full <- model$random_covariance == "full"
  after <- (model$random_scale == "class") * (length(model$orders) - 1) +
    switch(model$errors, independent = 0, brownian = 1, ar1 = 2) + 1
  n_roots <- if (full) q * (q + 1) / 2 else q
  roots <- length(best) - after - n_roots + seq_len(n_roots)
  x <- best
  x[roots] <- if (full) fit$cholesky[seq_len(n_roots)] else sqrt(best[roots])
  value <- function(x) {
    if (full && q > 0) {
      U <- matrix(0, q, q)
      U[upper.tri(U, TRUE)] <- x[roots]
      x[roots] <- crossprod(U)[upper.tri(U, TRUE)]
    } else {
      x[roots] <- x[roots]^2
    }
    run_hlme(model, data, x, maxiter = 0)$loglik
  }
  information <- function(share) {
    p <- length(free)
    steps <- matrix(0, length(best), p)
    steps[cbind(free, seq_len(p))] <- share * errors[free]
    middle <- value(x)
    single <- vapply(seq_len(p), function(a) value(x + steps[, a]) + value(x - steps[, a]), 0)
    second <- diag(single - 2 * middle, p)
    for (a in seq_len(p)) for (b in seq_len(a - 1)) {
      both <- value(x + steps[, a] + steps[, b]) + value(x - steps[, a] - steps[, b])
      second[a, b] <- second[b, a] <- (both - single[a] - single[b] + 2 * middle) / 2
    }
    -second / share^2
  }
  scaled <- (4 * information(0.01) - information(0.02)) / 3
  if (min(eigen(scaled, symmetric = TRUE, only.values = TRUE)$values) <= 0) return(NULL)
  covariance <- matrix(0, length(best), length(best))
  covariance[free, free] <- solve(scaled) * outer(errors[free], errors[free])
  covariance
}

register("lcmm.fit", function(request) {
  need_package("lcmm")
  data <- trajectory_data(request)
  model <- request$spec
  search <- if (is.null(request$start)) {
    lcmm_search(model, data)
  } else {
    list(starts = list(to_hlme(point_parts(request$start, model), model)), n_starts = 1, reached = numeric())
  }
  ends <- lapply(search$starts, function(B) converge_hlme(model, data, B))
  finals <- vapply(ends, function(end) end$fit$loglik, 0)
  best <- ends[[which.max(finals)]]
  if (is.null(request$start) && length(model$orders) > 1) {
    again <- converge_hlme(model, data, in_canonical_order(best$fit$best, model, data))
    if (again$fit$conv == 1 || best$fit$conv != 1) best <- again
  }
  fit <- best$fit
  K <- length(model$orders)
  p <- length(fit$best)
  V <- matrix(0, p, p)
  V[upper.tri(V, diag = TRUE)] <- fit$V
  V[lower.tri(V)] <- t(V)[lower.tri(V)]
  extrapolated <- if (fit$conv == 1) extrapolated_covariance(fit, V, model, data)
  if (nrow(fit$pred) != nrow(data)) stop("hlme used other rows than those with outcome and time")
  list(
    evidence = design_evidence(fit$pred$obs, fit$pred[[1]], model, data),
    best = unname(fit$best),
    V = if (is.null(extrapolated)) V else extrapolated,
    own_errors = sqrt(diag(V)),
    cholesky = as.numeric(fit$cholesky),
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
    run_hlme(model, data, to_hlme(point_parts(point, model), model), maxiter = 0)$loglik
  }, 0)
  list(values = values, n_observations = nrow(data))
})
