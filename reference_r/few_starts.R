# For fuzzing, after all others: small mixtures by the hundred. An end of flexmix that is too low is told from a
# disagreement by starting it again at ours.

FLEXMIX_STARTS <- 6
FLEXMIX_CONTINUED <- 2
FLEXMIX_BLOCK <- 12
FLEXMIX_MOST_BLOCKS <- 40
FLEXMIX_STANDSTILL <- 10

# Where EM ends in an error, it is told which regression was the reason, if one was.
flexmix_of_all <- run_flexmix
flexmix_to_the_end <- function(model, data, posterior, tolerance, iter.max) {
  tryCatch(
    flexmix_of_all(model, data, posterior, tolerance, iter.max),
    error = function(e) stop(conditionMessage(e), ". ", undetermined_classes(model, data, posterior), call. = FALSE)
  )
}

# flexmix's own M-steps from a posterior, each from the coefficients of the one before, until one leaves a coefficient NA
# or can't be made.
undetermined_classes <- function(model, data, posterior) {
  K <- ncol(posterior)
  driver <- flexmix:::FLXcheckComponent(flexmix_driver(model, data), K, NULL)
  driver <- flexmix:::FLXgetModelmatrix(driver, data, flexmix_formula(model))
  parts <- rep(list(methods::new("FLXcomponent")), K)
  for (step in seq_len(FLEXMIX_BLOCK)) {
    parts <- tryCatch(flexmix:::FLXmstep(driver, posterior, parts), error = conditionMessage)
    if (is.character(parts)) return(sprintf("At step %d a regression fails: %s.", step, parts))
    unknown <- which(vapply(parts, function(part) anyNA(part@parameters$coef), NA))
    if (length(unknown) > 0) {
      return(sprintf("At step %d coefficients are NA in class %s.", step, paste(unknown, collapse = ", ")))
    }
    posterior <- tryCatch(
      flexmix_of_all(model, data, posterior, tolerance = 0, iter.max = 1)@posterior$scaled,
      error = function(e) NULL
    )
    if (is.null(posterior)) return("")
  }
  ""
}

# Starts only have to tell which of them to go on from.
run_flexmix <- function(model, data, cluster, tolerance, iter.max) {
  flexmix_of_all(model, data, cluster, max(tolerance, 1e-5), min(iter.max, 60))
}

# The fixed point that flexmix.R asks for, for less: blocks of EM steps that no tolerance ends, and after every second
# one a jump to where their geometric sequence leads (Varadhan and Roland 2008). A jump only says where the next block
# begins; the end is where flexmix's own steps move no posterior. A membership's steps are fitted by nnet and never quite
# still: there the end is where they move next to nothing, and no less than before. Steps that wander about, as
# regressions do whose coefficients go to infinity, are given up.
settled_flexmix <- function(model, data, posterior) {
  reached <- moved <- numeric()
  before <- NULL
  for (block in seq_len(FLEXMIX_MOST_BLOCKS)) {
    fit <- flexmix_to_the_end(model, data, posterior, tolerance = 0, iter.max = FLEXMIX_BLOCK)
    there <- fit@posterior$scaled
    moved[block] <- max(abs(there - posterior))
    reached[block] <- fit@logLik
    still <- length(model$membership) > 0 && moved[block] < 1e-7 && moved[block] >= moved[max(1, block - 1)]
    converged <- moved[block] < 1e-10 || still
    since_best <- block - which(reached >= max(reached) - 1e-7)[1]
    if (converged || (since_best >= FLEXMIX_STANDSTILL && moved[block] > 1e-6)) break
    jumped <- if (!is.null(before)) extrapolated(before, posterior, there)
    before <- if (is.null(jumped)) posterior
    posterior <- if (is.null(jumped)) there else jumped
  }
  list(fit = fit, iterations = block * FLEXMIX_BLOCK, converged = converged)
}

# Where three posteriors of a geometric sequence lead; nothing if they are none.
extrapolated <- function(first, second, third) {
  step <- second - first
  bend <- (third - second) - step
  length <- sqrt(sum(step^2) / sum(bend^2))
  if (!is.finite(length) || length < 1) return(NULL)
  jumped <- pmin(pmax(first + 2 * length * step + length^2 * bend, 0), 1)
  jumped / rowSums(jumped)
}
