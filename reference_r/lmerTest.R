# lmerTest: Satterthwaite's degrees of freedom on lme4's tight fit.

# A table of F tests, one row a term, as anova() of lmerTest gives it.
f_table <- function(table) {
  list(
    terms = rownames(table),
    statistic = table[["F value"]],
    df1 = as.numeric(table[["NumDF"]]),
    df2 = table[["DenDF"]],
    p_value = table[["Pr(>F)"]]
  )
}

# The joint test of all coefficients but the intercept; NULL if there is none.
joint_test <- function(fit, ddf) {
  L <- diag(length(lme4::fixef(fit)))[names(lme4::fixef(fit)) != "(Intercept)", , drop = FALSE]
  if (nrow(L) == 0) NULL else f_table(lmerTest::contestMD(fit, L, ddf = ddf))
}

register("lmerTest.fit", function(request) {
  need_package("lmerTest")
  found <- lme4_fit(request)
  fit <- lmerTest::as_lmerModLmerTest(found$fit)
  coefficients <- summary(fit, ddf = "Satterthwaite")$coefficients
  c(lme4_answer(found), list(
    coefficients = list(
      statistic = unname(coefficients[, "t value"]),
      df = unname(coefficients[, "df"]),
      p_value = unname(coefficients[, "Pr(>|t|)"])
    ),
    tables = list(
      type1 = f_table(anova(fit, type = 1, ddf = "Satterthwaite")),
      type2 = f_table(anova(fit, type = 2, ddf = "Satterthwaite")),
      type3 = f_table(anova(fit, type = 3, ddf = "Satterthwaite"))
    ),
    joint = joint_test(fit, "Satterthwaite")
  ))
})
