# Trajectory models with one class, which are regressions on all rows: what the engines that fit them have in common.

one_class_parts <- function(point, model) {
  if (length(model$orders) != 1) stop("a regression has one class")
  parts <- point_parts(point, model)
  c(parts, list(coefficients = c(parts$effects[[1]], parts$common)))
}

# log exposure, 0 where there is none.
log_exposure <- function(model, data) {
  if (length(model$exposure) == 1) log(data[[model$exposure]]) else numeric(nrow(data))
}

one_class_predictor <- function(coefficients, model, data) {
  as.numeric(stats::model.matrix(predictor(model, left = NULL), data) %*% coefficients) + log_exposure(model, data)
}

# `estimates` are a point in the layout of `GbtmSpec`, but for a last part that `V` may have on the scale of logarithms.
one_class_answer <- function(model, data, estimates, V, log_likelihood, converged, iterations) {
  first <- !duplicated(data[[model$subject]])
  p <- length(estimates)
  if (!identical(dim(V), c(p, p))) stop("the covariance does not belong to the estimates")
  list(
    evidence = design_evidence(data[[model$outcome]], data[[model$subject]], model, data),
    estimates = unname(as.numeric(estimates)),
    V = unname(V),
    log_likelihood = as.numeric(log_likelihood),
    aic = stats::AIC(log_likelihood),
    bic = stats::AIC(log_likelihood, k = log(nrow(data))),
    n_parameters = attr(log_likelihood, "df"),
    subjects = data[[model$subject]][first],
    converged = converged,
    iterations = iterations
  )
}

register_objective <- function(name, package, log_likelihood) {
  register(paste0(name, ".log_likelihood"), function(request) {
    need_package(package)
    data <- trajectory_data(request)
    values <- vapply(request$points, function(point) {
      as.numeric(log_likelihood(one_class_parts(point, request$spec), request$spec, data))
    }, 0)
    list(values = values, n_observations = nrow(data))
  })
}
