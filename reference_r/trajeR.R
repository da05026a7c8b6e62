# trajeR: the log-likelihoods of censored normal, logit, Poisson, zero-inflated Poisson and beta trajectories. Its own
# search stops early and its standard errors are an optimiser's approximation, so that nlminb climbs and numDeriv takes
# the Hessian of trajeR's log-likelihood here.

TRAJER_STARTS <- 10
TRAJER_FIRST_ITERATIONS <- 15
TRAJER_CONTINUED <- 2

# A table with a row for each subject, in the order of first appearance, and a column for the k-th row of a subject.
trajer_table <- function(data, model) {
  subject <- match(data[[model$subject]], unique(data[[model$subject]]))
  visit <- stats::ave(subject, subject, FUN = seq_along)
  wide <- function(values, absent) {
    filled <- matrix(absent, max(subject), max(visit))
    filled[cbind(subject, visit)] <- values
    filled
  }
  first <- !duplicated(subject)
  list(
    Y = wide(data[[model$outcome]], NA_real_),
    A = wide(data[[model$time]], 0),
    X = unname(cbind(1, as.matrix(data[first, model$membership, drop = FALSE]))),
    covariates = if (length(model$covariates) > 0) {
      do.call(cbind, lapply(model$covariates, function(name) wide(data[[name]], 0)))
    }
  )
}

# trajeR's vector: log-odds class by class (against the first class, which the censored normal names too); coefficients
# of time; sigma of each class, or of zero inflation, or log precision; coefficients of covariates.
trajer_log_likelihood <- function(parts, model, table) {
  K <- length(model$orders)
  theta <- cbind(parts$membership, 0)
  theta <- theta - theta[, 1]
  beta <- unlist(parts$beta)
  covariates <- unlist(lapply(seq_len(K), function(g) parts$effects[[g]][-seq_len(model$orders[g] + 1)]))
  further <- switch(model$family,
    censored_normal = parts$sigma, zip = unlist(parts$zero), beta = log(parts$precision), numeric()
  )
  n_theta <- length(theta)
  kept <- if (model$family == "censored_normal") seq_len(n_theta) else seq_len(n_theta)[-seq_len(nrow(theta))]
  vector <- c(as.numeric(theta)[kept], beta, further, covariates)
  n_beta <- as.integer(model$orders + 1)
  n_zero <- as.integer(model$zero_orders + 1)
  n <- nrow(table$Y)
  nw <- length(model$covariates)
  with(table, switch(model$family,
    censored_normal = trajeR:::likelihoodCNORM_cpp(
      vector, K, ncol(X), n_beta, n, A, Y, X, model$limits[1], model$limits[2], covariates, nw),
    logit = trajeR:::likelihoodLOGIT_cpp(vector, K, ncol(X), n, n_beta, A, Y, X, covariates, nw),
    poisson = trajeR:::likelihoodPois_cpp(vector, K, ncol(X), n_beta, n, A, Y, X, covariates, nw),
    zip = trajeR:::likelihoodZIP_cpp(vector, K, ncol(X), n_beta, n_zero, n, A, Y, X, covariates, nw),
    beta = trajeR:::LikelihoodBETA_cpp(vector, K, ncol(X), n_beta, rep(1L, K), n, A, Y, X, covariates, nw)
  ))
}

# The density of each subject in each class, by trajeR's own functions; only that of the censored normal counts from 1.
trajer_densities <- function(parts, model, table) {
  K <- length(model$orders)
  n_beta <- as.integer(model$orders + 1)
  n_zero <- as.integer(model$zero_orders + 1)
  nw <- length(model$covariates)
  delta <- lapply(seq_len(K), function(g) parts$effects[[g]][-seq_len(model$orders[g] + 1)])
  one <- function(i, g) with(table, switch(model$family,
    censored_normal = trajeR:::gkCNORM_cpp(
      parts$beta, parts$sigma, i, g, n_beta, A, Y, model$limits[1], model$limits[2], covariates, delta, nw),
    logit = trajeR:::gkLOGIT_cpp(parts$beta, i - 1, g - 1, n_beta, A, Y, covariates, delta, nw),
    poisson = trajeR:::gkPois_cpp(parts$beta, i - 1, g - 1, n_beta, A, Y, covariates, delta, nw),
    zip = trajeR:::gkZIP_cpp(parts$beta, parts$zero, i - 1, g - 1, n_beta, n_zero, A, Y, covariates, delta, nw),
    beta = trajeR:::gkBETA_cpp(
      parts$beta, as.list(log(parts$precision)), i - 1, g - 1, n_beta, rep(1L, K), A, Y, covariates, delta, nw)
  ))
  t(vapply(seq_len(nrow(table$Y)), function(i) vapply(seq_len(K), function(g) one(i, g), 0), numeric(K)))
}

# ---- search ----

# Where sigma or the precision stand in a point: the search takes their logarithms.
trajer_positive <- function(model, n) {
  K <- length(model$orders)
  last <- switch(model$family, censored_normal = if (model$sigma == "shared") 1 else K, beta = K, 0)
  seq_len(n) > n - last
}

# A class's regression on its part of the subjects; the family's own where R has it.
trajer_class_start <- function(order, rows, model) {
  formula <- predictor(model, order)
  y <- rows[[model$outcome]]
  fit <- switch(model$family,
    censored_normal = stats::lm(formula, rows),
    logit = stats::glm(formula, stats::binomial(), rows),
    poisson = , zip = stats::glm(formula, stats::poisson(), rows),
    beta = {
      rows[[model$outcome]] <- stats::qlogis(y)
      stats::lm(formula, rows)
    }
  )
  coefficients <- stats::coef(fit)
  coefficients <- ifelse(is.na(coefficients), 0, coefficients)
  bounded <- if (model$family %in% c("censored_normal", "beta")) coefficients else pmin(pmax(coefficients, -5), 5)
  list(effects = unname(bounded), spread = stats::sd(y))
}

trajer_start <- function(index, model, data) {
  K <- length(model$orders)
  part <- start_partition(index, data, model)
  fits <- lapply(seq_len(K), function(g) suppressWarnings(trajer_class_start(model$orders[g], data[part == g, ], model)))
  spreads <- vapply(fits, `[[`, 0, "spread")
  further <- switch(model$family,
    censored_normal = if (model$sigma == "shared") sqrt(mean(spreads^2)) else spreads,
    zip = unlist(lapply(model$zero_orders, function(order) c(-1, numeric(order)))),
    beta = rep(5, K),
    numeric()
  )
  c(numeric((K - 1) * (1 + length(model$membership))), unlist(lapply(fits, `[[`, "effects")), further)
}

central_gradient <- function(f, x) {
  vapply(seq_along(x), function(k) {
    step <- replace(numeric(length(x)), k, 1e-5 * max(1, abs(x[k])))
    (f(x + step) - f(x - step)) / (2 * step[k])
  }, 0)
}

trajer_climb <- function(free, f, iterations) {
  control <- list(iter.max = iterations, eval.max = 10 * iterations, rel.tol = 1e-14, x.tol = 1e-14, xf.tol = 1e-15)
  stats::nlminb(free, f, function(x) central_gradient(f, x), control = control)
}

register("trajeR.fit", function(request) {
  need_package("trajeR")
  need_package("numDeriv")
  data <- trajectory_data(request)
  model <- request$spec
  table <- trajer_table(data, model)
  first <- request$start
  if (is.null(first)) first <- trajer_start(0, model, data)
  positive <- trajer_positive(model, length(first))
  to_point <- function(free) ifelse(positive, exp(free), free)
  to_free <- function(point) ifelse(positive, log(abs(point)), point)
  f <- function(free) -trajer_log_likelihood(point_parts(to_point(free), model), model, table)
  reached <- numeric()
  if (is.null(request$start)) {
    starts <- c(list(first), lapply(seq_len(TRAJER_STARTS - 1), trajer_start, model = model, data = data))
    ends <- lapply(starts, function(start) {
      tryCatch(trajer_climb(to_free(start), f, TRAJER_FIRST_ITERATIONS), error = function(e) NULL)
    })
    ends <- Filter(function(end) !is.null(end) && is.finite(end$objective), ends)
    if (length(ends) == 0) stop("trajeR's log-likelihood is not finite at any start")
    reached <- -vapply(ends, `[[`, 0, "objective")
    starts <- lapply(ends[utils::head(worth_continuing(reached), TRAJER_CONTINUED)], `[[`, "par")
  } else {
    starts <- list(to_free(first))
  }
  ends <- lapply(starts, trajer_climb, f = f, iterations = 300)
  finals <- -vapply(ends, `[[`, 0, "objective")
  best <- ends[[which.max(finals)]]
  hessian <- numDeriv::hessian(f, best$par)
  inverse <- solve(hessian)
  gradient <- central_gradient(f, best$par)
  slopes <- ifelse(positive, exp(best$par), 1)
  parts <- point_parts(to_point(best$par), model)
  joint <- trajer_densities(parts, model, table) * exp(log_class_probabilities(parts, model, data))
  if (abs(sum(log(rowSums(joint))) - max(finals)) > 1e-6) stop("trajeR's densities do not make up its log-likelihood")
  list(
    evidence = design_evidence(data[[model$outcome]], data[[model$subject]], model, data),
    estimates = to_point(best$par),
    V = inverse * outer(slopes, slopes),
    log_likelihood = max(finals),
    subjects = unique(data[[model$subject]]),
    posterior = joint / rowSums(joint),
    distance = sqrt(max(0, sum(gradient * (inverse %*% gradient)))),
    iterations = best$iterations,
    n_starts = max(1, length(reached)),
    reached = reached,
    finals = finals
  )
})

register("trajeR.log_likelihood", function(request) {
  need_package("trajeR")
  data <- trajectory_data(request)
  table <- trajer_table(data, request$spec)
  values <- vapply(request$points, function(point) {
    trajer_log_likelihood(point_parts(point, request$spec), request$spec, table)
  }, 0)
  list(values = values, n_observations = nrow(data))
})
