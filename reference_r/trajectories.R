# Trajectory models of every kind: the columns of their predictors, the parts of a point, rates of an outcome.
#
# All columns of a design come ready from Python, as v4 ... vk: `basis` in place of powers of time, `covariates` with
# coefficients for each class, `common` with one for all, `membership` constant within subject.

plain_terms <- function(columns) {
  lapply(columns, function(name) list(list(column = name, power = 1, `function` = "identity")))
}

# The columns of time from one order to another, after the intercept.
time_terms <- function(model, from, to) {
  if (length(model$basis) == 0) return(power_terms(model$time, from, to))
  place <- seq_along(model$basis)
  plain_terms(model$basis[place >= from & place <= to])
}

# Those with coefficients for each class.
class_terms <- function(model, order = max(model$orders)) {
  c(time_terms(model, 1, order), plain_terms(model$covariates))
}

# As R names the columns of a class of this order: intercept and time, then its covariates.
class_names <- function(model, order) {
  c("(Intercept)", vapply(class_terms(model, order), function(term) deparse(term_call(term)), ""))
}

predictor <- function(model, order = max(model$orders), left = column_symbol(model$outcome)) {
  formula_of(sum_call(c(class_terms(model, order), plain_terms(model$common)), TRUE), left)
}

# ---- what R was given ----

# Sums of powers of time, then of the further columns in the order in which they came.
design_evidence <- function(outcome, subject, model, data) {
  evidence <- trajectory_evidence(outcome, subject, data[[model$time]], model)
  further <- c(model$covariates, model$common)
  evidence$design_names <- c(evidence$design_names, further)
  evidence$design_sums <- c(evidence$design_sums, vapply(further, function(name) sum(data[[name]]), 0, USE.NAMES = FALSE))
  evidence
}

# ---- a point ----

# The parts of a point, in the layout of `GbtmSpec`. `membership` has a row for the intercept and each covariate and a
# column for each class but the last; `effects` are a class's coefficients, those of time first.
point_parts <- function(point, model) {
  K <- length(model$orders)
  left <- point
  take <- function(n) {
    taken <- left[seq_len(n)]
    left <<- left[seq_along(left) > n]
    taken
  }
  r <- 1 + length(model$membership)
  membership <- matrix(take((K - 1) * r), nrow = r, ncol = K - 1, byrow = TRUE)
  effects <- lapply(model$orders + 1 + length(model$covariates), take)
  common <- take(length(model$common))
  sigma <- take(switch(model$family, gaussian = , censored_normal = if (model$sigma == "shared") 1 else K, 0))
  zero <- if (model$family == "zip") lapply(model$zero_orders + 1, take) else list()
  precision <- if (model$family == "beta") take(K) else numeric()
  q <- if (is.null(model$random)) 0 else model$random + 1
  covariance <- take(if (model$random_covariance == "full") q * (q + 1) / 2 else q)
  scale <- take(if (model$random_scale == "class") K - 1 else 0)
  process <- take(switch(model$errors, independent = 0, brownian = 1, ar1 = 2))
  if (length(left) > 0) stop("a point has more numbers than the model has parameters")
  time <- lapply(seq_len(K), function(g) effects[[g]][seq_len(model$orders[g] + 1)])
  plain <- split_point(c(membership[1, ], unlist(time), if (length(sigma) == 0) NA else sigma), model)
  c(plain, list(
    membership = membership, effects = effects, common = common, zero = zero, precision = precision,
    covariance = covariance, scale = scale, process = process
  ))
}

# log of the class probabilities of each subject, in the order of first appearance.
log_class_probabilities <- function(parts, model, data) {
  first <- !duplicated(data[[model$subject]])
  W <- cbind(1, as.matrix(data[first, model$membership, drop = FALSE]))
  odds <- cbind(W %*% parts$membership, 0)
  largest <- apply(odds, 1, max)
  unname(odds - largest - log(rowSums(exp(odds - largest))))
}

# The data with the outcome as a rate, by which subjects can be ranked: per trial, or per unit of exposure.
as_rates <- function(data, model) {
  denominator <- c(model$trials, model$exposure)
  if (length(denominator) == 1) data[[model$outcome]] <- data[[model$outcome]] / data[[denominator]]
  data
}

# A noisy ranking of the subjects, cut at random: a small class is found from no equal parts, and one subject far above
# all others would drown the noise of their means. Parts in random order, by row.
uneven_partition <- function(data, model) {
  K <- length(model$orders)
  means <- tapply(data[[model$outcome]], data[[model$subject]], mean)
  N <- length(means)
  noisy <- rank(rank(means) + stats::rnorm(N, sd = N / 10), ties.method = "first")
  cuts <- sort(sample(seq(2, N - 2), K - 1))
  part <- sample(K)[findInterval(noisy, cuts + 1) + 1]
  part[match(data[[model$subject]], as.numeric(names(means)))]
}

# Equal and uneven parts in turn.
start_partition <- function(index, data, model) {
  if (index %% 2 == 0 || length(unique(data[[model$subject]])) < 2 * length(model$orders) + 2) {
    return(ranked_partition(data, model))
  }
  uneven_partition(data, model)
}
