# pbkrtest: Kenward and Roger's covariance, degrees of freedom and F tests on lme4's tight fit.

# The hypothesis that all coefficients of a term are zero, in the coding at hand.
term_hypotheses <- function(found) {
  kept <- names(lme4::fixef(found$fit))
  of <- term_of_columns(found$spec, complete_rows(found$data), kept)
  terms <- setdiff(unique(of), "")
  stats::setNames(lapply(terms, function(term) diag(length(kept))[of == term, , drop = FALSE]), terms)
}

register("pbkrtest.fit", function(request) {
  need_package("pbkrtest")
  found <- lme4_fit(request)
  fit <- found$fit
  adjusted <- pbkrtest::vcovAdj(fit)
  beta <- lme4::fixef(fit)
  errors <- sqrt(diag(as.matrix(adjusted)))
  df <- vapply(seq_along(beta), function(k) {
    pbkrtest::Lb_ddf(as.numeric(seq_along(beta) == k), stats::vcov(fit), adjusted)
  }, 0)
  hypotheses <- term_hypotheses(found)
  tests <- lapply(hypotheses, function(L) pbkrtest::KRmodcomp(fit, L)$stats)
  pick <- function(name) unname(vapply(tests, function(test) as.numeric(test[[name]]), 0))
  c(lme4_answer(found), list(
    adjusted = unname(as.matrix(adjusted)),
    coefficients = list(
      statistic = unname(beta / errors),
      df = df,
      p_value = unname(2 * stats::pt(-abs(beta / errors), df))
    ),
    terms = list(
      terms = names(hypotheses),
      statistic = pick("Fstat"),
      df1 = pick("ndf"),
      df2 = pick("ddf"),
      p_value = pick("p.value"),
      scaling = pick("F.scaling")
    )
  ))
})
