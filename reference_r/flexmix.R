# flexmix: gaussian regressions on powers of time, one component a class, rows grouped by subject.

FLEXMIX_STARTS <- 30
FLEXMIX_CONTINUED <- 3

# Components share the powers up to the lowest order; higher powers are nested, so that component g has order g's.
flexmix_driver <- function(model) {
  K <- length(model$orders)
  shared <- model$sigma == "shared"
  common <- min(model$orders)
  if (K == 1) return(flexmix::FLXMRglm())
  if (all(model$orders == common)) {
    return(if (shared) flexmix::FLXMRglmfix(varFix = TRUE) else flexmix::FLXMRglm())
  }
  above <- lapply(model$orders, function(order) {
    if (order == common) formula_of(0) else formula_of(sum_call(power_terms(model$time, common + 1, order), TRUE))
  })
  flexmix::FLXMRglmfix(nested = list(k = rep(1, K), formula = above), varFix = shared)
}

flexmix_formula <- function(model) {
  common <- sum_call(power_terms(model$time, 1, min(model$orders)), TRUE)
  formula_of(call("|", common, column_symbol(model$subject)), column_symbol(model$outcome))
}

run_flexmix <- function(model, data, cluster, tolerance, iter.max) {
  control <- list(minprior = 0, tolerance = tolerance, iter.max = iter.max)
  flexmix::flexmix(
    flexmix_formula(model), data = data, k = length(model$orders), cluster = cluster,
    model = flexmix_driver(model), control = control
  )
}

# Names of the coefficients of one class, lowest power first, as flexmix names them.
power_names <- function(model, order) {
  if (order == 0) return("(Intercept)")
  higher <- if (order > 1) paste0("I(", model$time, "^", 2:order, ")") else character()
  c("(Intercept)", model$time, higher)
}

# The log joint density of (class, rows of a subject) at given parameters, from flexmix's own component densities,
# one row per subject in the order of first appearance.
flexmix_log_joint <- function(parameters, model, data) {
  K <- length(model$orders)
  driver <- flexmix:::FLXcheckComponent(flexmix_driver(model), K, NULL)
  driver <- flexmix:::FLXgetModelmatrix(driver, data, flexmix_formula(model))
  components <- lapply(seq_len(K), function(g) {
    coefficients <- stats::setNames(parameters$beta[[g]], power_names(model, model$orders[g]))
    wanted <- if (methods::is(driver, "FLXMRfix")) {
      colnames(driver@design)[as.logical(driver@design[g, ])]
    } else {
      colnames(driver@x)
    }
    driver@defineComponent(list(coef = coefficients[wanted], sigma = parameters$sigma[g], df = length(wanted) + 1))
  })
  rows <- flexmix:::FLXdeterminePostunscaled(driver, components)
  subject <- factor(data[[model$subject]])
  by_subject <- flexmix:::groupPosteriors(rows, subject)[!duplicated(subject), , drop = FALSE]
  sweep(by_subject, 2, log(parameters$shares), "+")
}

# The posterior of each row's subject, which is what flexmix starts from.
posterior_by_row <- function(log_joint, model, data) {
  scaled <- exp(log_joint - flexmix:::log_row_sums(log_joint))
  subject <- data[[model$subject]]
  scaled[match(subject, unique(subject)), , drop = FALSE]
}

# Half of the starts are flexmix's own (random assignment), half noisy rankings of the subjects.
flexmix_search <- function(model, data) {
  n_starts <- if (length(model$orders) == 1) 1 else FLEXMIX_STARTS
  first <- lapply(seq_len(n_starts), function(index) {
    cluster <- if (index %% 2 == 0 || n_starts == 1) NULL else ranked_partition(data, model)
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

register("flexmix.fit", function(request) {
  need_package("flexmix")
  data <- trajectory_data(request)
  model <- request$spec
  search <- if (is.null(request$start)) {
    flexmix_search(model, data)
  } else {
    log_joint <- flexmix_log_joint(split_point(request$start, model), model, data)
    list(starts = list(posterior_by_row(log_joint, model, data)), n_starts = 1, reached = numeric())
  }
  fits <- lapply(search$starts, function(start) run_flexmix(model, data, start, tolerance = 1e-14, iter.max = 20000))
  finals <- vapply(fits, function(fit) fit@logLik, 0)
  fit <- fits[[which.max(finals)]]
  K <- length(model$orders)
  components <- lapply(fit@components, function(component) component[[1]]@parameters)
  first_rows <- !duplicated(data[[model$subject]])
  list(
    evidence = trajectory_evidence(data[[model$outcome]], data[[model$subject]], data[[model$time]], model),
    shares = unname(fit@prior),
    beta = lapply(seq_len(K), function(g) unname(components[[g]]$coef[power_names(model, model$orders[g])])),
    sigma = vapply(components, function(component) as.numeric(component$sigma), 0, USE.NAMES = FALSE),
    log_likelihood = fit@logLik,
    aic = stats::AIC(fit),
    bic = stats::BIC(fit),
    n_parameters = fit@df,
    subjects = data[[model$subject]][first_rows],
    posterior = unname(fit@posterior$scaled[first_rows, , drop = FALSE]),
    converged = fit@converged,
    iterations = fit@iter,
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
    sum(flexmix:::log_row_sums(flexmix_log_joint(split_point(point, model), model, data)))
  }, 0)
  list(values = values, n_observations = nrow(data))
})
