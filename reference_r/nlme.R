# nlme: lme with random effects, gls without, either with a correlation between visits and a variance for each.

# ---- random effects ----

# Terms by grouping factor, outermost first; each factor after the first is nested in the one before it.
nlme_groupings <- function(spec) {
  groupings <- unique(lapply(spec$random, function(random) random$grouping))
  nested <- vapply(seq_along(groupings)[-1], function(k) {
    identical(groupings[[k]][-length(groupings[[k]])], groupings[[k - 1]])
  }, NA)
  if (!all(nested)) stop("nlme has nested grouping factors only")
  lapply(groupings, function(grouping) {
    own <- vapply(spec$random, function(random) identical(random$grouping, grouping), NA)
    list(grouping = grouping, innermost = grouping[length(grouping)], terms = spec$random[own], places = which(own))
  })
}

# `Gammas` are the relative covariances of all terms, or NULL.
nlme_random <- function(spec, Gammas = NULL) {
  built <- lapply(nlme_groupings(spec), function(factor) {
    blocks <- lapply(seq_along(factor$terms), function(k) {
      random <- factor$terms[[k]]
      form <- formula_of(terms_call(random$terms, random$intercept))
      build <- if (random$correlated) nlme::pdSymm else nlme::pdDiag
      if (is.null(Gammas)) build(form) else build(Gammas[[factor$places[k]]], form = form)
    })
    if (length(blocks) == 1) blocks[[1]] else nlme::pdBlocked(blocks)
  })
  stats::setNames(built, vapply(nlme_groupings(spec), function(factor) factor$innermost, ""))
}

# How many random effects each term has at one level of its factor.
random_sizes <- function(spec, data) {
  vapply(spec$random, function(random) {
    ncol(stats::model.matrix(formula_of(terms_call(random$terms, random$intercept)), data))
  }, 0L)
}

correlated_terms <- function(spec) vapply(spec$random, function(random) random$correlated, NA)

# The relative covariances Lambda Lambda' of the terms that belong to theta, lower triangles of Lambda by columns.
relative_covariances <- function(theta, spec, data) {
  at <- 0
  Map(function(q, correlated) {
    size <- if (correlated) q * (q + 1) / 2 else q
    own <- theta[at + seq_len(size)]
    at <<- at + size
    if (!correlated) return(diag(own^2, q))
    Lambda <- matrix(0, q, q)
    Lambda[lower.tri(Lambda, diag = TRUE)] <- own
    Lambda %*% t(Lambda)
  }, random_sizes(spec, data), correlated_terms(spec))
}

# The covariances of the terms from their elements, lower triangles by rows, of diagonal ones the variances alone.
covariances_by_rows <- function(elements, spec, sizes) {
  at <- 0
  Map(function(q, correlated) {
    size <- if (correlated) q * (q + 1) / 2 else q
    own <- elements[at + seq_len(size)]
    at <<- at + size
    if (!correlated) return(diag(own, q))
    G <- matrix(0, q, q)
    G[upper.tri(G, diag = TRUE)] <- own
    G + t(G) - diag(diag(G), q)
  }, sizes, correlated_terms(spec))
}

# The relative covariances of the terms in a fit, in the order of the formula.
fitted_covariances <- function(fit, spec, data) {
  sizes <- random_sizes(spec, data)
  found <- vector("list", length(spec$random))
  for (factor in nlme_groupings(spec)) {
    whole <- as.matrix(fit$modelStruct$reStruct[[factor$innermost]])
    ends <- cumsum(sizes[factor$places])
    for (k in seq_along(factor$places)) {
      own <- seq(ends[k] - sizes[factor$places[k]] + 1, ends[k])
      found[[factor$places[k]]] <- whole[own, own, drop = FALSE]
    }
  }
  found
}

# theta, where every relative covariance has a Cholesky factor, else NULL.
nlme_theta <- function(Gammas, spec) {
  by_term <- lapply(seq_along(Gammas), function(k) {
    factor <- tryCatch(t(chol(Gammas[[k]])), error = function(e) NULL)
    if (is.null(factor) || !spec$random[[k]]$correlated) diag(factor) else factor[lower.tri(factor, diag = TRUE)]
  })
  if (any(vapply(by_term, is.null, NA))) NULL else unlist(by_term)
}

nlme_modes <- function(fit, spec) {
  factors <- nlme_groupings(spec)
  tables <- nlme::ranef(fit)
  if (length(factors) == 1) tables <- stats::setNames(list(tables), factors[[1]]$innermost)
  lapply(factors, function(factor) {
    table <- tables[[factor$innermost]]
    list(
      grouping = factor$grouping,
      levels = gsub("/", ":", rownames(table), fixed = TRUE),
      names = colnames(table),
      modes = unname(as.matrix(table)),
      variances = NULL
    )
  })
}

# ---- fits ----

nlme_weights <- function(spec, data) {
  if (!is.null(spec$residual)) return(nlme_visit_variances(spec$residual, levels(data[[spec$residual$visit]])))
  if (is.null(spec$weights)) return(NULL)
  nlme::varFixed(formula_of(call("I", call("/", 1, column_symbol(spec$weights)))))
}

# lme, or gls where there are no random effects; `held` (see nlme_held_at) fixes the residuals.
nlme_fit <- function(spec, data, control, Gammas = NULL, held = NULL) {
  used <- complete_rows(data)
  residual <- spec$residual
  if (is.null(held)) {
    n_visits <- if (is.null(residual)) 0 else nlevels(used[[residual$visit]])
    held <- list(
      correlation = if (is.null(residual)) NULL else nlme_correlation(residual, n_visits),
      weights = nlme_weights(spec, data)
    )
  }
  # Subjects together and visits in order, as nlme's autoregressions ask for.
  if (!is.null(residual)) used <- used[order(used[[residual$subject]], used[[residual$visit]]), ]
  given <- list(data = used, correlation = held$correlation, weights = held$weights, method = spec$criterion)
  if (length(spec$random) == 0) {
    return(do.call(nlme::gls, c(list(fixed_formula(spec), control = control), given)))
  }
  do.call(nlme::lme, c(list(fixed_formula(spec), random = nlme_random(spec, Gammas), control = control), given))
}

# Many EM steps first: on balanced panels they alone come within 1e-15 of the optimum, where nlminb stops at 1e-5.
nlme_searches <- function(spec) {
  tight <- function(...) {
    given <- list(msTol = 1e-14, tolerance = 1e-12, msMaxIter = 1000, maxIter = 1000, returnObject = TRUE, ...)
    if (length(spec$random) > 0) return(do.call(nlme::lmeControl, given))
    do.call(nlme::glsControl, given[names(given) != "niterEM"])
  }
  # BFGS runs to a correlation of one between times, where rounding makes likelihoods of any height.
  if (identical(spec$residual$structure, "car1")) return(list(nlminb = tight(opt = "nlminb")))
  if (!is.null(spec$residual)) return(list(nlminb = tight(opt = "nlminb"), BFGS = tight(opt = "optim")))
  list(
    "500 EM steps, then nlminb" = tight(niterEM = 500, opt = "nlminb"),
    "500 EM steps, then BFGS" = tight(niterEM = 500, opt = "optim"),
    "nlminb" = tight(niterEM = 25, opt = "nlminb")
  )
}

# The best of several searches; one that fails is passed over, and its complaint kept.
best_search <- function(fit_with, searches) {
  failures <- character()
  found <- lapply(searches, function(control) {
    complaint <- ""
    fit <- withCallingHandlers(
      tryCatch(fit_with(control), error = function(e) {
        failures <<- c(failures, conditionMessage(e))
        NULL
      }),
      warning = function(condition) {
        complaint <<- gsub("[ \n]+", " ", conditionMessage(condition))
        tryInvokeRestart("muffleWarning")
      }
    )
    if (is.null(fit)) NULL else list(fit = fit, complaint = complaint)
  })
  found <- Filter(Negate(is.null), found)
  if (length(found) == 0) stop(paste(unique(failures), collapse = "; "))
  reached <- vapply(found, function(search) as.numeric(stats::logLik(search$fit)), 0)
  c(found[[which.max(reached)]], list(searches = names(reached), reached = unname(reached)))
}

register("nlme.fit", function(request) {
  need_package("nlme")
  need_package("splines")
  data <- model_data(request)
  spec <- request$spec
  complete <- complete_rows(data)
  # A start is for random effects alone; with a residual structure nlme starts as it does.
  given <- !is.null(request$start) && is.null(spec$residual)
  start <- if (given) relative_covariances(request$start, spec, complete) else NULL
  best <- best_search(function(control) nlme_fit(spec, data, control, start), nlme_searches(spec))
  fit <- best$fit
  is_gls <- inherits(fit, "gls")
  beta <- if (is_gls) stats::coef(fit) else nlme::fixef(fit)
  Gammas <- if (is_gls) list() else fitted_covariances(fit, spec, complete)
  X <- stats::model.matrix(formula_of(terms_call(spec$terms, spec$intercept)), complete)
  list(
    evidence = mixed_evidence(spec, data, nlme::getResponse(fit), X),
    beta_names = names(beta),
    beta = unname(beta),
    vcov = unname(if (is_gls) fit$varBeta else fit$varFix),
    sigma = fit$sigma,
    log_likelihood = as.numeric(stats::logLik(fit)),
    aic = stats::AIC(fit),
    bic = stats::BIC(fit),
    n_parameters = attr(stats::logLik(fit), "df"),
    searches = best$searches,
    reached = best$reached,
    complaint = best$complaint,
    theta = if (length(Gammas) == 0) NULL else nlme_theta(Gammas, spec),
    blocks = lapply(seq_along(Gammas), function(k) {
      list(
        grouping = spec$random[[k]]$grouping,
        names = colnames(Gammas[[k]]),
        cov = unname(fit$sigma^2 * Gammas[[k]])
      )
    }),
    modes = if (length(Gammas) == 0) list() else nlme_modes(fit, spec),
    residual = nlme_residual(fit, spec, complete)
  )
})

# nlme's own objective: a fit that starts at the point and is allowed no iteration.
register("nlme.log_likelihood", function(request) {
  need_package("nlme")
  need_package("splines")
  data <- model_data(request)
  spec <- request$spec
  complete <- complete_rows(data)
  at <- if (is.null(spec$residual)) at_theta else at_gamma
  values <- vapply(request$points, function(point) {
    tryCatch(suppressWarnings(at(point, spec, data, complete)), error = function(e) NA_real_)
  }, 0)
  list(values = values, n_observations = nrow(complete))
})

at_theta <- function(theta, spec, data, complete) {
  control <- nlme::lmeControl(niterEM = 0, msMaxIter = 0, maxIter = 0, returnObject = TRUE)
  Gammas <- relative_covariances(theta, spec, complete)
  fit <- nlme_fit(spec, data, control, Gammas)
  unchanged(Gammas, fit, spec, complete)
}

# The elements of G that are not zero, lower triangle by rows, stand before the parameters of the residuals.
at_gamma <- function(gamma, spec, data, complete) {
  sizes <- random_sizes(spec, complete)
  random <- seq_len(sum(ifelse(correlated_terms(spec), sizes * (sizes + 1) / 2, sizes)))
  held <- nlme_held_at(spec, gamma[setdiff(seq_along(gamma), random)], complete)
  if (length(random) == 0) {
    control <- nlme::glsControl(sigma = held$sigma, msMaxIter = 0, maxIter = 0, returnObject = TRUE)
    return(as.numeric(stats::logLik(nlme_fit(spec, data, control, held = held))))
  }
  # lme takes a sigma too, but its log-likelihood is then another's. At the best sigma the sum of squares over sigma^2
  # is their number, which tells the log-likelihood at any sigma.
  control <- nlme::lmeControl(niterEM = 0, msMaxIter = 0, maxIter = 0, returnObject = TRUE)
  Gammas <- lapply(covariances_by_rows(gamma[random], spec, sizes), function(G) G / held$sigma^2)
  fit <- nlme_fit(spec, data, control, Gammas, held)
  squares <- fit$dims$N - (spec$criterion == "REML") * length(nlme::fixef(fit))
  ratio <- fit$sigma^2 / held$sigma^2
  unchanged(Gammas, fit, spec, complete) - squares / 2 * (ratio - 1 - log(ratio))
}

# A start that nlme's parametrisation can't hold, such as a singular one, comes back changed: no answer then.
unchanged <- function(Gammas, fit, spec, data) {
  kept <- fitted_covariances(fit, spec, data)
  held <- mapply(function(a, b) max(abs(a - b)) <= 1e-10 * max(abs(b)), kept, Gammas)
  if (all(held)) as.numeric(stats::logLik(fit)) else NA_real_
}
