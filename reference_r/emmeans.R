# emmeans: marginal means and their contrasts on lme4's tight fit.

# Means or contrasts as columns; the labels of each row are levels, or a contrast of levels.
emmeans_rows <- function(found) {
  rows <- summary(found, infer = c(TRUE, TRUE), adjust = "none")
  estimate <- rows[[attr(rows, "estName")]]
  list(
    labels = lapply(rows[c(attr(rows, "pri.vars"), attr(rows, "by.vars"))], as.character),
    estimable = !is.na(estimate),
    estimate = estimate,
    standard_error = rows$SE,
    df = rows$df,
    lower = rows$lower.CL,
    upper = rows$upper.CL,
    statistic = rows$t.ratio,
    p_value = rows$p.value
  )
}

register("emmeans.fit", function(request) {
  need_package("emmeans")
  need_package("lmerTest")
  need_package("pbkrtest")
  emmeans::emm_options(lmerTest.limit = Inf, pbkrtest.limit = Inf)
  found <- lme4_fit(request)
  columns <- request$spec$means
  by <- if (length(columns) > 1) columns[2] else NULL
  # Kenward and Roger's are pbkrtest's, which knows no weights.
  adjusted <- request$spec$criterion == "REML" && is.null(request$spec$weights)
  methods <- c("satterthwaite", if (adjusted) "kenward-roger")
  by_method <- lapply(stats::setNames(nm = methods), function(method) {
    means <- emmeans::emmeans(found$fit, columns, lmer.df = method, data = complete_rows(found$data))
    pairs <- emmeans::contrast(means, "pairwise", by = by)
    list(
      means = emmeans_rows(means),
      contrasts = emmeans_rows(pairs),
      tukey = summary(pairs, adjust = "tukey")$p.value
    )
  })
  c(lme4_answer(found), list(methods = by_method))
})
