# lme4 as people call it: without any control, its default optimiser from its default start, once.

lme4_default_fit <- function(request) {
  need_package("lme4")
  need_package("splines")
  spec <- request$spec
  data <- model_data(request)
  order <- lme4_order(spec, data)
  start <- if (is.null(request$start)) NULL else replace(request$start, order$theta, request$start)
  written <- lme4_call("lmer", spec, data, start = start)
  written$control <- NULL
  fit <- eval(written, globalenv())
  list(fit = fit, reached = as.numeric(stats::logLik(fit)), order = order, spec = spec, data = data)
}

register("lme4_default.fit", function(request) lme4_estimates(lme4_default_fit(request)))
register("lme4_default.log_likelihood", lme4_log_likelihood)
