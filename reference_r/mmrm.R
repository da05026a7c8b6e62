# mmrm: residual structures over visits, with Satterthwaite's and Kenward and Roger's degrees of freedom.

mmrm_formula <- function(spec) {
  residual <- spec$residual
  within <- column_symbol(residual$subject)
  if (!is.null(residual$by)) within <- call("/", column_symbol(residual$by), within)
  structure <- call(residual$structure, call("|", column_symbol(residual$visit), within))
  formula_of(call("+", terms_call(spec$terms, spec$intercept), structure), column_symbol(spec$outcome))
}

# Its own stop leaves the criterion 1e-6 above its minimum; with this one it goes on until rounding hides the way.
mmrm_fit <- function(spec, data, method, vcov) {
  control <- mmrm::mmrm_control(
    method = method,
    vcov = vcov,
    optimizer = c("BFGS", "CG"),
    optimizer_control = list(reltol = 1e-15, maxit = 1e4)
  )
  weights <- if (is.null(spec$weights)) NULL else data[[spec$weights]]
  mmrm::mmrm(mmrm_formula(spec), data, weights = weights, reml = spec$criterion == "REML", control = control)
}

# t tests of all coefficients, and F tests that all coefficients of a term are zero, in the coding at hand.
mmrm_tests <- function(fit, spec, data) {
  kept <- names(mmrm::component(fit, "beta_est"))
  coefficients <- summary(fit)$coefficients[kept, , drop = FALSE]
  of <- term_of_columns(spec, data, kept)
  terms <- setdiff(unique(of), "")
  tests <- lapply(terms, function(term) mmrm::df_md(fit, diag(length(of))[of == term, , drop = FALSE]))
  pick <- function(name) unname(vapply(tests, function(test) as.numeric(test[[name]]), 0))
  list(
    standard_error = unname(coefficients[, "Std. Error"]),
    statistic = unname(coefficients[, "t value"]),
    df = unname(coefficients[, "df"]),
    p_value = unname(coefficients[, "Pr(>|t|)"]),
    terms = list(
      terms = terms,
      statistic = pick("f_stat"),
      df1 = pick("num_df"),
      df2 = pick("denom_df"),
      p_value = pick("p_val")
    )
  )
}

# One covariance of all visits, or one for each level of a factor.
mmrm_residual <- function(fit, spec, data) {
  cov <- mmrm::VarCorr(fit)
  visits <- levels(data[[spec$residual$visit]])
  if (is.null(spec$residual$by)) return(list(list(visits = visits, cov = unname(cov))))
  lapply(names(cov), function(level) list(level = level, visits = visits, cov = unname(cov[[level]])))
}

register("mmrm.fit", function(request) {
  need_package("mmrm")
  need_package("splines")
  spec <- request$spec
  data <- complete_rows(model_data(request))
  fit <- mmrm_fit(spec, data, "Satterthwaite", "Asymptotic")
  beta <- mmrm::component(fit, "beta_est")
  X <- stats::model.matrix(formula_of(terms_call(spec$terms, spec$intercept)), data)
  adjusted <- NULL
  if (spec$criterion == "REML") {
    adjusted <- mmrm_tests(mmrm_fit(spec, data, "Kenward-Roger", "Kenward-Roger-Linear"), spec, data)
  }
  list(
    evidence = mixed_evidence(spec, data, data[[spec$outcome]], X[, names(beta), drop = FALSE]),
    beta_names = names(beta),
    beta = unname(beta),
    vcov = unname(mmrm::component(fit, "beta_vcov")),
    log_likelihood = as.numeric(stats::logLik(fit)),
    aic = as.numeric(stats::AIC(fit)),
    bic = as.numeric(stats::BIC(fit)),
    n_parameters = as.numeric(mmrm::component(fit, "n_theta")),
    residual = mmrm_residual(fit, spec, data),
    satterthwaite = mmrm_tests(fit, spec, data),
    kenward_roger = adjusted,
    message = as.character(mmrm::component(fit, "optimizer"))
  )
})
