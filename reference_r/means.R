# Means of one or two groups: t.test.

register("means.fit", function(request) {
  data <- data_of(request)
  model <- request$spec
  used <- data.frame(outcome = data[[model$outcome]], subject = data[[model$subject]])
  used$by <- if (is.null(model$by)) factor(rep("L0", nrow(used))) else data[[model$by]]
  used <- used[stats::complete.cases(used), ]
  used$by <- droplevels(used$by)
  samples <- split(used$outcome, used$by)
  # A sample without spread has no t.test, but its mean has an interval without width.
  one <- function(x) {
    error <- stats::sd(x) / sqrt(length(x))
    limits <- if (length(x) < 2) rep(NA_real_, 2) else mean(x) + c(-1, 1) * stats::qt(0.975, length(x) - 1) * error
    if (length(x) > 1 && stats::sd(x) > 1e-6 * max(abs(x))) {
      if (max(abs(limits - stats::t.test(x)$conf.int)) > 1e-8 * max(1, abs(limits))) stop("not the limits of t.test")
    }
    c(mean(x), error, limits)
  }
  answer <- list(
    evidence = list(
      n_observations = nrow(used),
      n_subjects = length(unique(used$subject)),
      outcome_sum = sum(used$outcome),
      design_sums = sum(as.integer(used$by) - 1)
    ),
    groups = levels(used$by),
    n = as.numeric(lengths(samples)),
    means = vapply(samples, one, numeric(4))
  )
  if (is.null(model$by)) return(answer)
  if (length(samples) != 2) stop("not two groups")
  test <- tryCatch(stats::t.test(samples[[2]], samples[[1]]), error = function(e) NULL)
  difference <- mean(samples[[2]]) - mean(samples[[1]])
  spread <- (stats::var(samples[[1]]) + stats::var(samples[[2]])) / 2
  c(answer, list(
    difference = if (is.null(test)) rep(NA_real_, 4) else c(difference, test$conf.int, test$p.value),
    standardised_difference = if (!is.na(spread) && spread > 0) difference / sqrt(spread) else if (difference == 0) 0 else NA_real_
  ))
})
