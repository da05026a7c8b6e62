# Tests of fixed effects by R, for tests only: columns v1 (outcome), v2 (time), v3 (visit), v4 (arm), v5 (sex),
# v6 (covariate), v7 (subject); the models are those below, by name.

models <- list(
  slope = v1 ~ v2 + (1 + v2 | v7),
  one_factor = v1 ~ v4 + (1 | v7),
  slope_by_arm = v1 ~ v2 * v4 + v5 + v6 + (1 + v2 | v7),
  slope_by_arm_uncorrelated = v1 ~ v2 * v4 + (1 + v2 || v7),
  visit_by_arm = v1 ~ v3 * v4 + (1 + v2 | v7),
  threefold = v1 ~ v4 * v5 * v6 + v2 + (1 | v7),
  no_intercept = v1 ~ 0 + v4 + v2 + (1 + v2 | v7)
)

tight <- function() lme4::lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-11, maxfun = 1e5))

fitted_model <- function(request) {
  need_package("lmerTest")
  lmerTest::lmer(models[[request$model]], data_of(request), REML = request$criterion == "REML", control = tight())
}

term_tables <- function(fit, ddf) {
  lapply(1:3, function(type) {
    table <- suppressMessages(anova(fit, type = type, ddf = ddf))
    list(F = table[["F value"]], df1 = table[["NumDF"]], df2 = table[["DenDF"]], p = table[["Pr(>F)"]])
  })
}

register("inference.satterthwaite", function(request) {
  fit <- fitted_model(request)
  coefficients <- summary(fit)$coefficients
  list(beta = unname(coefficients[, 1]), error = unname(coefficients[, 2]), df = unname(coefficients[, 3]),
       p = unname(coefficients[, 5]), terms = term_tables(fit, "Satterthwaite"))
})

register("inference.kenward_roger", function(request) {
  need_package("pbkrtest")
  fit <- fitted_model(request)
  adjusted <- pbkrtest::vcovAdj(fit)
  plain <- vcov(fit)
  p <- length(lme4::fixef(fit))
  L <- diag(p)[-1, , drop = FALSE]
  joint <- pbkrtest::KRmodcomp(fit, L)$stats
  list(
    vcov = unname(as.matrix(adjusted)),
    df = vapply(seq_len(p), function(j) pbkrtest::Lb_ddf(as.numeric(seq_len(p) == j), plain, adjusted), 0),
    terms = term_tables(fit, "Kenward-Roger"),
    joint = c(F = joint$Fstat, df1 = joint$ndf, df2 = joint$ddf, p = joint$p.value, scaling = joint$F.scaling)
  )
})

register("inference.sandwich", function(request) {
  need_package("clubSandwich")
  fit <- fitted_model(request)
  robust <- function(type) {
    vcov <- clubSandwich::vcovCR(fit, type = type)
    list(vcov = unname(as.matrix(vcov)), df = clubSandwich::coef_test(fit, vcov, test = "Satterthwaite")$df_Satt)
  }
  list(CR0 = robust("CR0"), CR2 = robust("CR2"))
})
