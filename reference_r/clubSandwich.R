# clubSandwich: covariance of the fixed effects by subject, on lme4's tight fit.

register("clubSandwich.fit", function(request) {
  need_package("clubSandwich")
  found <- lme4_fit(request)
  subject <- complete_rows(found$data)[[found$spec$random[[1]]$grouping]]
  plain <- clubSandwich::vcovCR(found$fit, cluster = subject, type = "CR0")
  adjusted <- clubSandwich::vcovCR(found$fit, cluster = subject, type = "CR2")
  tested <- clubSandwich::coef_test(found$fit, vcov = adjusted, test = "Satterthwaite")
  c(lme4_answer(found), list(
    plain = sqrt(diag(as.matrix(plain))),
    adjusted = list(
      standard_error = tested$SE,
      statistic = tested$tstat,
      df = tested$df_Satt,
      p_value = tested$p_Satt
    )
  ))
})
