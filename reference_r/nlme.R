# nlme: lme with an unstructured (or, for `||`, diagonal) covariance of the random effects.

nlme_random <- function(spec, Gamma = NULL) {
  form <- formula_of(sum_call(spec$random_terms, spec$random_intercept))
  build <- if (spec$correlated) nlme::pdSymm else nlme::pdDiag
  block <- if (is.null(Gamma)) build(form) else build(Gamma, form = form)
  stats::setNames(list(block), spec$subject)
}

# The relative covariance Gamma = Lambda Lambda' that belongs to theta, the lower triangle of Lambda by columns.
relative_covariance <- function(theta, spec) {
  q <- length(spec$random_terms) + spec$random_intercept
  if (!spec$correlated) return(diag(theta^2, q))
  Lambda <- matrix(0, q, q)
  Lambda[lower.tri(Lambda, diag = TRUE)] <- theta
  Lambda %*% t(Lambda)
}

nlme_fit <- function(spec, data, Gamma, control) {
  nlme::lme(
    fixed = formula_of(sum_call(spec$terms, spec$intercept), column_symbol(spec$outcome)),
    data = data,
    random = nlme_random(spec, Gamma),
    method = spec$criterion,
    na.action = stats::na.omit,
    control = control
  )
}

# Many EM steps first: on balanced panels they alone come within 1e-15 of the optimum, where nlminb stops at 1e-5.
nlme_searches <- function() {
  tight <- function(...) {
    nlme::lmeControl(msTol = 1e-14, tolerance = 1e-12, msMaxIter = 1000, maxIter = 1000, returnObject = TRUE, ...)
  }
  list(
    "500 EM steps, then nlminb" = tight(niterEM = 500, opt = "nlminb"),
    "500 EM steps, then BFGS" = tight(niterEM = 500, opt = "optim"),
    "nlminb" = tight(niterEM = 25, opt = "nlminb")
  )
}

register("nlme.fit", function(request) {
  need_package("nlme")
  data <- data_of(request)
  spec <- request$spec
  Gamma <- if (is.null(request$start)) NULL else relative_covariance(request$start, spec)
  failures <- character()
  searches <- lapply(nlme_searches(), function(control) {
    complaint <- ""
    fit <- withCallingHandlers(
      tryCatch(nlme_fit(spec, data, Gamma, control), error = function(e) {
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
  searches <- Filter(Negate(is.null), searches)
  if (length(searches) == 0) stop(paste(unique(failures), collapse = "; "))
  reached <- vapply(searches, function(search) as.numeric(stats::logLik(search$fit)), 0)
  best <- searches[[which.max(reached)]]
  fit <- best$fit
  Gamma <- as.matrix(fit$modelStruct$reStruct[[1]])
  modes <- nlme::ranef(fit)
  used <- stats::model.frame(
    formula_of(
      call("+", call("+", sum_call(spec$terms, TRUE), sum_call(spec$random_terms, TRUE)), column_symbol(spec$subject)),
      column_symbol(spec$outcome)
    ),
    data,
    drop.unused.levels = TRUE
  )
  list(
    evidence = input_evidence(
      nlme::getResponse(fit),
      fit$groups[[1]],
      stats::model.matrix(formula_of(sum_call(spec$terms, spec$intercept)), used)
    ),
    beta_names = names(nlme::fixef(fit)),
    beta = unname(nlme::fixef(fit)),
    vcov = unname(as.matrix(fit$varFix)),
    Gamma = unname(Gamma),
    factor = tryCatch(unname(t(chol(Gamma))), error = function(e) NULL),
    random_names = colnames(modes),
    sigma = fit$sigma,
    log_likelihood = as.numeric(stats::logLik(fit)),
    aic = stats::AIC(fit),
    bic = stats::BIC(fit),
    n_parameters = attr(stats::logLik(fit), "df"),
    subjects = rownames(modes),
    modes = unname(as.matrix(modes)),
    searches = names(reached),
    reached = unname(reached),
    complaint = best$complaint
  )
})

# nlme's own objective: a fit that starts at theta and is allowed no iteration.
register("nlme.log_likelihood", function(request) {
  need_package("nlme")
  data <- data_of(request)
  spec <- request$spec
  control <- nlme::lmeControl(niterEM = 0, msMaxIter = 0, maxIter = 0, returnObject = TRUE)
  n_observations <- NA_integer_
  values <- vapply(request$points, function(theta) {
    Gamma <- relative_covariance(theta, spec)
    fit <- tryCatch(suppressWarnings(nlme_fit(spec, data, Gamma, control)), error = function(e) NULL)
    if (is.null(fit)) return(NA_real_)
    n_observations <<- fit$dims$N
    # A start that nlme's parametrisation can't hold, such as a singular one, comes back changed: no answer then.
    kept <- as.matrix(fit$modelStruct$reStruct[[1]])
    if (max(abs(kept - Gamma)) > 1e-10 * max(abs(Gamma))) NA_real_ else as.numeric(stats::logLik(fit))
  }, 0)
  list(values = values, n_observations = n_observations)
})
