# Models over visits by R, for tests only. Columns: v1 outcome, v2 time, v3 visit, v4 arm, v5 subject.

fixed_and <- function(request, left, visit, subject, arm) {
  inner <- as.name(visit)
  right <- if (isTRUE(request$by)) call("/", as.name(arm), as.name(subject)) else as.name(subject)
  term <- call(request$structure, call("|", inner, right))
  eval(call("~", left, call("+", call("*", inner, as.name(arm)), term)))
}

# mmrm takes nlminb's "singular convergence", which tight tolerances provoke at an optimum, for a failure.
tightest_mmrm <- function(formula, data, request) {
  linear <- request$method != "Satterthwaite"
  for (tolerance in 10^-(15:9)) {
    control <- mmrm::mmrm_control(
      method = if (linear) "Kenward-Roger" else "Satterthwaite",
      vcov = if (linear) "Kenward-Roger-Linear" else "Asymptotic",
      optimizer = "nlminb",
      optimizer_control = list(rel.tol = tolerance, iter.max = 1000, eval.max = 1000)
    )
    fit <- tryCatch(mmrm::mmrm(formula, data, reml = request$criterion == "REML", control = control), error = identity)
    if (!inherits(fit, "error")) return(fit)
  }
  stop(fit)
}

mmrm_estimates <- function(formula, data, request) {
  fit <- tightest_mmrm(formula, data, request)
  coefficients <- summary(fit)$coefficients
  list(
    criterion = -2 * as.numeric(logLik(fit)),
    beta = unname(coefficients[, 1]), error = unname(coefficients[, 2]), df = unname(coefficients[, 3])
  )
}

register("visits.mmrm", function(request) {
  need_package("mmrm")
  mmrm_estimates(fixed_and(request, as.name("v1"), "v3", "v5", "v4"), data_of(request), request)
})

register("visits.fev_data", function(request) {
  need_package("mmrm")
  data <- subset(mmrm::fev_data, !is.na(FEV1))
  list(y = data$FEV1, visit = as.integer(data$AVISIT), arm = as.integer(data$ARMCD), id = as.integer(data$USUBJID))
})

tight_gls <- function() {
  nlme::glsControl(maxIter = 500, msMaxIter = 500, tolerance = 1e-11, msTol = 1e-13, opt = "nlminb", apVar = FALSE)
}

register("visits.gls", function(request) {
  need_package("nlme")
  data <- data_of(request)
  data$k <- as.integer(data$v3)
  by_visit <- nlme::varIdent(form = ~ 1 | v3)
  parts <- list(
    us = list(nlme::corSymm(form = ~ k | v5), by_visit),
    cs = list(nlme::corCompSymm(form = ~ 1 | v5), NULL),
    csh = list(nlme::corCompSymm(form = ~ 1 | v5), by_visit),
    ar1 = list(nlme::corAR1(form = ~ k | v5), NULL),
    ar1h = list(nlme::corAR1(form = ~ k | v5), by_visit),
    car1 = list(nlme::corCAR1(form = ~ v2 | v5), NULL)
  )[[request$structure]]
  fit <- nlme::gls(
    v1 ~ v3 * v4, data,
    correlation = parts[[1]], weights = parts[[2]], method = request$criterion, control = tight_gls()
  )
  list(criterion = -2 * as.numeric(logLik(fit)), beta = unname(coef(fit)))
})

register("visits.lme", function(request) {
  need_package("nlme")
  data <- data_of(request)
  data$k <- as.integer(data$v3)
  control <- nlme::lmeControl(
    maxIter = 500, msMaxIter = 500, tolerance = 1e-11, msTol = 1e-13, opt = "nlminb", apVar = FALSE
  )
  fit <- nlme::lme(
    v1 ~ v3 * v4, random = ~ 1 | v5, data = data,
    correlation = nlme::corAR1(form = ~ k | v5), method = request$criterion, control = control
  )
  list(criterion = -2 * as.numeric(logLik(fit)), beta = unname(nlme::fixef(fit)))
})

# glmmTMB has residual structures as random effects by visit, without a residual of their own.
register("visits.glmmTMB", function(request) {
  need_package("glmmTMB")
  term <- call(request$structure, call("|", quote(v3 + 0), as.name("v5")))
  formula <- eval(call("~", as.name("v1"), call("+", quote(v3 * v4), term)))
  fit <- glmmTMB::glmmTMB(formula, data_of(request), dispformula = ~0, REML = request$criterion == "REML")
  list(criterion = -2 * as.numeric(logLik(fit)), beta = unname(glmmTMB::fixef(fit)$cond))
})
