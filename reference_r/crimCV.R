# crimCV: zero-inflated Poisson trajectories with the same orders in all classes, on a grid of visits.

CRIMCV_STARTS <- 20

# A polynomial of one order at the distinct times, on crimCV's own B-splines, and what makes coefficients of powers of
# them: on powers of unscaled times its first stage often ends elsewhere.
crimcv_basis <- function(times, order) {
  powers <- outer(times, 0:order, `^`)
  if (order == 0) return(list(columns = powers, to_powers = diag(1)))
  columns <- matrix(splines::bs((times - min(times)) / diff(range(times)), degree = order, intercept = TRUE), length(times))
  list(columns = columns, to_powers = qr.coef(qr(powers), columns))
}

# Subjects by distinct times; a negative count is none.
crimcv_tables <- function(data, model) {
  subjects <- unique(data[[model$subject]])
  times <- sort(unique(data[[model$time]]))
  cell <- cbind(match(data[[model$subject]], subjects), match(data[[model$time]], times))
  if (anyDuplicated(cell) > 0) stop("crimCV knows one row of a subject at a time")
  counts <- matrix(-1, length(subjects), length(times))
  counts[cell] <- data[[model$outcome]]
  exposure <- matrix(1, length(subjects), length(times))
  if (length(model$exposure) == 1) exposure[cell] <- data[[model$exposure]]
  list(counts = counts, exposure = exposure, times = times, subjects = subjects)
}

register("crimCV.fit", function(request) {
  need_package("crimCV")
  data <- trajectory_data(request)
  model <- request$spec
  if (!is.null(request$start)) stop("crimCV takes no start")
  tables <- crimcv_tables(data, model)
  K <- length(model$orders)
  rate <- crimcv_basis(tables$times, model$orders[1])
  zero <- crimcv_basis(tables$times, model$zero_orders[1])
  # It warns of the first end, which it compares with none, and prints its progress.
  utils::capture.output(fit <- suppressWarnings(crimCV:::dmZIP(
    tables$counts, rate$columns, zero$columns, K, rcv = FALSE, init = CRIMCV_STARTS, Risk = tables$exposure
  )))
  if (is.null(fit)) stop("crimCV failed from every start")
  list(
    evidence = design_evidence(data[[model$outcome]], data[[model$subject]], model, data),
    shares = fit$prob,
    beta = lapply(seq_len(K), function(g) as.numeric(rate$to_powers %*% fit$beta[, g])),
    zero = lapply(seq_len(K), function(g) as.numeric(zero$to_powers %*% fit$gamma[, g])),
    log_likelihood = fit$llike,
    aic = fit$AIC,
    subjects = tables$subjects,
    posterior = fit$gwt,
    n_starts = CRIMCV_STARTS * K,
    ends = fit$bllike
  )
})
