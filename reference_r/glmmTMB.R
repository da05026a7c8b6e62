# glmmTMB: random effects as lme4 has them; residual structures as random effects of visits beside next to none.

glmmTMB_structures <- c(us = "us", csh = "cs", ar1 = "ar1", toeph = "toep", car1 = "ou")

glmmTMB_residual <- function(residual) {
  if (is.null(residual)) return(NULL)
  name <- glmmTMB_structures[[residual$structure]]
  visit <- if (residual$structure == "car1") as.name("position") else column_symbol(residual$visit)
  call(name, call("|", call("+", visit, 0), column_symbol(residual$subject)))
}

glmmTMB_formula <- function(spec) {
  right <- added(Filter(Negate(is.null), c(
    list(terms_call(spec$terms, spec$intercept)),
    lapply(spec$random, bar_call),
    list(glmmTMB_residual(spec$residual))
  )))
  formula_of(right, column_symbol(spec$outcome))
}

# The logarithm of the variance that is left beside a residual structure. An unstructured covariance takes it up
# whatever it is, so it may be large enough not to cost digits; others are what they are only beside next to nothing.
glmmTMB_rest <- function(spec, data) {
  if (!identical(spec$residual$structure, "us")) return(log(sqrt(.Machine$double.eps)))
  log(1e-3 * stats::var(stats::residuals(stats::lm(fixed_formula(spec), data))))
}

glmmTMB_fit <- function(spec, data) {
  if (identical(spec$residual$structure, "car1")) data$position <- glmmTMB::numFactor(data[[spec$residual$visit]])
  # Its own stop leaves covariances 1e-5 off; with these it goes on until rounding hides the way.
  tight <- list(iter.max = 1e4, eval.max = 1e4, rel.tol = 1e-15, x.tol = 1e-14)
  glmmTMB::glmmTMB(
    glmmTMB_formula(spec),
    data,
    REML = spec$criterion == "REML",
    dispformula = if (is.null(spec$residual)) ~1 else ~0,
    control = glmmTMB::glmmTMBControl(optCtrl = tight, zerodisp_val = glmmTMB_rest(spec, data))
  )
}

# The residual that is left beside a residual structure belongs to its variances.
glmmTMB_visit_part <- function(fit, spec, data) {
  if (is.null(spec$residual)) return(NULL)
  rest <- stats::sigma(fit)^2
  if (spec$residual$structure == "car1") {
    last <- utils::tail(fit$fit$par[names(fit$fit$par) == "theta"], 2)
    return(list(variance = unname(exp(2 * last[1])) + rest, correlation = unname(exp(-exp(last[2])))))
  }
  terms <- glmmTMB::VarCorr(fit)$cond
  cov <- terms[[length(terms)]]
  n_visits <- nlevels(data[[spec$residual$visit]])
  list(visits = levels(data[[spec$residual$visit]]), cov = matrix(cov, n_visits) + diag(rest, n_visits))
}

register("glmmTMB.fit", function(request) {
  need_package("glmmTMB")
  need_package("splines")
  spec <- request$spec
  data <- model_data(request)
  fit <- glmmTMB_fit(spec, data)
  terms <- glmmTMB::VarCorr(fit)$cond
  if (!is.null(spec$residual)) terms <- terms[-length(terms)]
  bars <- lme4::findbars(glmmTMB_formula(spec[names(spec) != "residual"]))
  slope <- as.numeric(fit$obj$gr(fit$fit$par))
  list(
    evidence = mixed_evidence(spec, data, fit$frame[[spec$outcome]], glmmTMB::getME(fit, "X")),
    beta_names = names(glmmTMB::fixef(fit)$cond),
    beta = unname(glmmTMB::fixef(fit)$cond),
    vcov = unname(stats::vcov(fit)$cond),
    sigma = stats::sigma(fit),
    log_likelihood = as.numeric(stats::logLik(fit)),
    aic = stats::AIC(fit),
    bic = stats::BIC(fit),
    n_parameters = attr(stats::logLik(fit), "df"),
    blocks = lapply(seq_along(terms), function(k) {
      list(
        grouping = all.vars(bars[[k]][[3]]),
        names = rownames(terms[[k]]),
        cov = unname(matrix(terms[[k]], nrow(terms[[k]])))
      )
    }),
    residual = glmmTMB_visit_part(fit, spec, complete_rows(data)),
    code = fit$fit$convergence,
    message = fit$fit$message,
    distance = sqrt(max(0, drop(slope %*% fit$sdr$cov.fixed %*% slope)))
  )
})
