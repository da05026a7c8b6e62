# Rates of two groups: stats' own tests, and by hand what stats does not have.

# Counts by group, or of all: a row is a patient, or some patients of one group.
rates_counts <- function(request) {
  data <- data_of(request)
  model <- request$spec
  used <- data.frame(
    events = data[[model$events]],
    total = if (is.null(model$total)) rep(1, nrow(data)) else data[[model$total]],
    by = if (is.null(model$by)) factor(rep("L0", nrow(data))) else data[[model$by]],
    subject = data[[model$subject]]
  )
  used$row <- seq_len(nrow(data))
  used <- used[stats::complete.cases(used), ]
  used$by <- droplevels(used$by)
  if (nlevels(used$by) != if (is.null(model$by)) 1 else 2) stop("not two groups")
  list(
    used = used,
    covariates = data[used$row, model$covariates, drop = FALSE],
    events = as.numeric(tapply(used$events, used$by, sum)),
    total = as.numeric(tapply(used$total, used$by, sum))
  )
}

# Newcombe's hybrid of two score intervals, without a correction.
newcombe <- function(p, limits) {
  d <- p[2] - p[1]
  c(
    d,
    d - sqrt((p[2] - limits[1, 2])^2 + (limits[2, 1] - p[1])^2),
    d + sqrt((limits[2, 2] - p[2])^2 + (p[1] - limits[1, 1])^2)
  )
}

log_wald <- function(estimate, variance) estimate * exp(c(0, -1, 1) * stats::qnorm(0.975) * sqrt(variance))

# fisher.test stops its searches at about four digits, so they are done again to the last, on the scale of logarithms.
conditional_odds_ratio <- function(table) {
  x <- table[1, 1]
  m <- sum(table[, 1])
  n <- sum(table[, 2])
  k <- sum(table[1, ])
  support <- max(0, k - n):min(k, m)
  logdc <- stats::dhyper(support, m, n, k, log = TRUE)
  density <- function(theta) {
    d <- logdc + theta * support
    d <- exp(d - max(d))
    d / sum(d)
  }
  solved <- function(f) {
    stats::uniroot(f, c(-30, 30), tol = 1e-14, maxiter = 10000, check.conv = TRUE)$root
  }
  at_low_end <- x == min(support)
  at_high_end <- x == max(support)
  estimate <- if (at_low_end) -Inf else if (at_high_end) Inf else {
    solved(function(theta) sum(support * density(theta)) - x)
  }
  low <- if (at_low_end) -Inf else solved(function(theta) sum(density(theta)[support >= x]) - 0.025)
  high <- if (at_high_end) Inf else solved(function(theta) sum(density(theta)[support <= x]) - 0.025)
  exp(c(estimate, low, high))
}

# Predictions of a logistic regression averaged over all patients in either group; delta method.
adjusted_difference <- function(events, second, covariates) {
  known <- stats::complete.cases(covariates)
  y <- events[known]
  x <- as.numeric(second[known])
  Z <- as.matrix(covariates[known, , drop = FALSE])
  X <- cbind(1, x, Z)
  fit <- stats::glm.fit(X, y, family = stats::binomial(), control = list(epsilon = 1e-15, maxit = 100))
  beta <- fit$coefficients
  p <- lapply(c(1, 0), function(side) {
    side_X <- cbind(1, side, Z)
    rate <- stats::plogis(drop(side_X %*% beta))
    list(mean = mean(rate), gradient = colMeans(rate * (1 - rate) * side_X))
  })
  rate <- stats::plogis(drop(X %*% beta))
  V <- solve(crossprod(X, rate * (1 - rate) * X))
  g <- p[[1]]$gradient - p[[2]]$gradient
  p[[1]]$mean - p[[2]]$mean + c(0, -1, 1) * stats::qnorm(0.975) * sqrt(drop(g %*% V %*% g))
}

# Of the second group against the first.
compared_rates <- function(events, total, limits) {
  others <- total - events
  p <- events / total
  table <- rbind(c(events[2], others[2]), c(events[1], others[1]))
  tested <- all(rowSums(table) > 0) && all(colSums(table) > 0)
  chi <- function(correct) {
    if (!tested) return(c(NA_real_, NA_real_))
    test <- stats::chisq.test(table, correct = correct)
    c(test$statistic, test$p.value)
  }
  exact <- stats::fisher.test(table)
  conditional <- if (tested) conditional_odds_ratio(table) else c(NA_real_, 0, Inf)
  # fisher.test searches an odds ratio up to 1, or the inverse of a larger one, to 1e-4.
  if (tested && is.finite(conditional[1]) && conditional[1] > 0) {
    power <- if (conditional[1] > 1) -1 else 1
    if (abs(exact$estimate^power - conditional[1]^power) > 1e-3) {
      stop("the odds ratio found anew is not that of fisher.test")
    }
  }
  spread <- (p[1] * (1 - p[1]) + p[2] * (1 - p[2])) / 2
  none <- c(NA_real_, NA_real_)
  odds <- events[2] * others[1] / (others[2] * events[1])
  list(
    difference = newcombe(p, limits),
    ratio = if (all(events > 0)) log_wald(p[2] / p[1], sum(others / (events * total))) else c(p[2] / p[1], none),
    odds_ratio = if (all(table > 0)) log_wald(odds, sum(1 / table)) else c(odds, none),
    conditional_odds_ratio = conditional,
    chi_square = chi(FALSE),
    chi_square_corrected = chi(TRUE),
    fisher = exact$p.value,
    standardised_difference = if (spread > 0) (p[2] - p[1]) / sqrt(spread) else if (p[1] == p[2]) 0 else NA_real_
  )
}

register("rates.fit", function(request) {
  found <- rates_counts(request)
  events <- found$events
  total <- found$total
  limits <- sapply(seq_along(events), function(k) {
    as.numeric(stats::prop.test(events[k], total[k], correct = FALSE)$conf.int)
  })
  answer <- list(
    evidence = list(
      n_observations = nrow(found$used),
      n_subjects = length(unique(found$used$subject)),
      outcome_sum = sum(found$used$events),
      design_sums = c(
        if (!is.null(request$spec$total)) sum(found$used$total),
        sum(as.integer(found$used$by) - 1)
      )
    ),
    groups = levels(found$used$by),
    events = events,
    total = total,
    rates = events / total,
    limits = limits
  )
  if (length(events) == 1) return(answer)
  c(answer, compared_rates(events, total, limits), list(
    adjusted_difference = if (length(request$spec$covariates) > 0) {
      adjusted_difference(found$used$events, found$used$by == levels(found$used$by)[2], found$covariates)
    }
  ))
})
