# flexmix: mixtures of gaussian, Poisson and binomial regressions by EM, one component a class, rows grouped by subject.

FLEXMIX_STARTS <- 30
FLEXMIX_CONTINUED <- 3

# Components share the columns of time up to the lowest order; higher ones are nested, so that component g has order
# g's. Common coefficients are `fixed`.
flexmix_driver <- function(model, data) {
  K <- length(model$orders)
  family <- switch(model$family, gaussian = "gaussian", poisson = "poisson", logit = "binomial")
  shared <- model$family == "gaussian" && model$sigma == "shared"
  exposure <- if (length(model$exposure) == 1) log(data[[model$exposure]])
  lowest <- min(model$orders)
  plain <- length(model$common) == 0 && all(model$orders == lowest)
  if (K == 1 || (plain && !shared)) return(flexmix::FLXMRglm(family = family, offset = exposure))
  above <- lapply(model$orders, function(order) {
    if (order == lowest) formula_of(0) else formula_of(sum_call(time_terms(model, lowest + 1, order), TRUE))
  })
  flexmix::FLXMRglmfix(
    fixed = if (length(model$common) == 0) formula_of(0) else formula_of(sum_call(plain_terms(model$common), TRUE)),
    nested = list(k = rep(1, K), formula = above), varFix = shared, family = family, offset = exposure
  )
}

# With one class, common columns are columns of that class.
flexmix_formula <- function(model) {
  outcome <- column_symbol(model$outcome)
  if (model$family == "logit") {
    trials <- if (length(model$trials) == 1) column_symbol(model$trials) else 1
    outcome <- call("cbind", outcome, call("-", trials, outcome))
  }
  terms <- c(class_terms(model, min(model$orders)), if (length(model$orders) == 1) plain_terms(model$common))
  formula_of(call("|", sum_call(terms, TRUE), column_symbol(model$subject)), outcome)
}

# nnet's own stop, of 1e-8 in the sum of logarithms, would end each step, and EM with it, beside the maximum.
flexmix_membership <- function(model) {
  if (length(model$membership) == 0 || length(model$orders) == 1) return(NULL)
  driver <- flexmix::FLXPmultinom(formula_of(sum_call(plain_terms(model$membership), TRUE)))
  loose <- driver@fit
  driver@fit <- function(x, y, w, ...) loose(x, y, w, reltol = 1e-15, abstol = 0, maxit = 1000, ...)
  driver
}

run_flexmix <- function(model, data, cluster, tolerance, iter.max) {
  control <- list(minprior = 0, tolerance = tolerance, iter.max = iter.max)
  flexmix::flexmix(
    flexmix_formula(model), data = data, k = length(model$orders), cluster = cluster,
    model = flexmix_driver(model, data), concomitant = flexmix_membership(model), control = control
  )
}

# EM to its fixed point. flexmix stops where the log-likelihood stands still, which, because its sigma is no maximiser,
# can happen on the way: so go on from where it stopped until the posterior stands still.
settled_flexmix <- function(model, data, posterior) {
  iterations <- 0
  for (round in seq_len(100)) {
    fit <- run_flexmix(model, data, posterior, tolerance = 1e-14, iter.max = 20000)
    iterations <- iterations + fit@iter
    moved <- max(abs(fit@posterior$scaled - posterior))
    posterior <- fit@posterior$scaled
    if (moved < 1e-10) break
  }
  list(fit = fit, iterations = iterations, converged = fit@converged && moved < 1e-10)
}

# The log joint density of (class, rows of a subject) at given parameters, from flexmix's own component densities,
# one row per subject in the order of first appearance.
flexmix_log_joint <- function(parts, model, data) {
  K <- length(model$orders)
  driver <- flexmix:::FLXcheckComponent(flexmix_driver(model, data), K, NULL)
  driver <- flexmix:::FLXgetModelmatrix(driver, data, flexmix_formula(model))
  stacked <- methods::is(driver, "FLXMRfix")
  components <- lapply(seq_len(K), function(g) {
    names <- c(class_names(model, model$orders[g]), model$common)
    coefficients <- stats::setNames(c(parts$effects[[g]], parts$common), names)
    wanted <- if (stacked) colnames(driver@design)[as.logical(driver@design[g, ])] else colnames(driver@x)
    driver@defineComponent(list(coef = coefficients[wanted], sigma = parts$sigma[g], df = length(wanted) + 1))
  })
  rows <- flexmix:::FLXdeterminePostunscaled(driver, components)
  subject <- factor(data[[model$subject]])
  by_subject <- flexmix:::groupPosteriors(rows, subject)[!duplicated(subject), , drop = FALSE]
  by_subject + log_class_probabilities(parts, model, data)
}

# The posterior of each row's subject, which is what flexmix starts from.
posterior_by_row <- function(log_joint, model, data) {
  scaled <- exp(log_joint - flexmix:::log_row_sums(log_joint))
  subject <- data[[model$subject]]
  scaled[match(subject, unique(subject)), , drop = FALSE]
}

# A third of the starts are flexmix's own (random assignment), the others noisy rankings of the subjects.
flexmix_search <- function(model, data) {
  n_starts <- if (length(model$orders) == 1) 1 else FLEXMIX_STARTS
  rates <- as_rates(data, model)
  first <- lapply(seq_len(n_starts), function(index) {
    cluster <- if (index %% 3 == 0 || n_starts == 1) NULL else start_partition(index, rates, model)
    fit <- tryCatch(run_flexmix(model, data, cluster, tolerance = 1e-7, iter.max = 300), error = function(e) NULL)
    if (is.null(fit)) NULL else list(loglik = fit@logLik, posterior = fit@posterior$scaled)
  })
  first <- Filter(function(fit) !is.null(fit) && is.finite(fit$loglik), first)
  if (length(first) == 0) stop("flexmix failed from every start")
  reached <- vapply(first, `[[`, 0, "loglik")
  distinct <- worth_continuing(reached)
  list(
    starts = lapply(first[utils::head(distinct, FLEXMIX_CONTINUED)], `[[`, "posterior"),
    n_starts = n_starts,
    reached = reached
  )
}

# Coefficients of the log-odds against the first class, a column for each class: those of the last step, because the
# ones that flexmix keeps are fitted once more at nnet's own stop.
flexmix_membership_coefficients <- function(fit, model, data) {
  if (is.null(flexmix_membership(model))) return(matrix(log(fit@prior / fit@prior[1]), nrow = 1))
  first <- !duplicated(data[[model$subject]])
  W <- cbind(1, as.matrix(data[first, model$membership]))
  fitted <- log(flexmix_membership(model)@fit(W, fit@posterior$scaled[first, , drop = FALSE]))
  unname(qr.coef(qr(W), fitted - fitted[, 1]))
}

register("flexmix.fit", function(request) {
  need_package("flexmix")
  data <- trajectory_data(request)
  model <- request$spec
  search <- if (is.null(request$start)) {
    flexmix_search(model, data)
  } else {
    log_joint <- flexmix_log_joint(point_parts(request$start, model), model, data)
    list(starts = list(posterior_by_row(log_joint, model, data)), n_starts = 1, reached = numeric())
  }
  ends <- lapply(search$starts, function(start) settled_flexmix(model, data, start))
  finals <- vapply(ends, function(end) end$fit@logLik, 0)
  end <- ends[[which.max(finals)]]
  fit <- end$fit
  K <- length(model$orders)
  components <- lapply(fit@components, function(component) component[[1]]@parameters)
  first_rows <- !duplicated(data[[model$subject]])
  list(
    evidence = design_evidence(data[[model$outcome]], data[[model$subject]], model, data),
    membership = flexmix_membership_coefficients(fit, model, data),
    effects = lapply(seq_len(K), function(g) unname(components[[g]]$coef[class_names(model, model$orders[g])])),
    common = unname(components[[1]]$coef[model$common]),
    sigma = vapply(components, function(part) if (is.null(part$sigma)) NA_real_ else as.numeric(part$sigma), 0,
                   USE.NAMES = FALSE),
    log_likelihood = fit@logLik,
    aic = stats::AIC(fit),
    bic = stats::BIC(fit),
    n_parameters = fit@df,
    subjects = data[[model$subject]][first_rows],
    posterior = unname(fit@posterior$scaled[first_rows, , drop = FALSE]),
    converged = end$converged,
    iterations = end$iterations,
    n_starts = search$n_starts,
    reached = search$reached,
    finals = finals
  )
})

register("flexmix.log_likelihood", function(request) {
  need_package("flexmix")
  data <- trajectory_data(request)
  model <- request$spec
  values <- vapply(request$points, function(point) {
    sum(flexmix:::log_row_sums(flexmix_log_joint(point_parts(point, model), model, data)))
  }, 0)
  list(values = values, n_observations = nrow(data))
})
