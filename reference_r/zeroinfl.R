# zeroinfl: zero-inflated Poisson trajectories of one class, by pscl.

register("zeroinfl.fit", function(request) {
  need_package("pscl")
  data <- trajectory_data(request)
  model <- request$spec
  counts <- predictor(model)
  zeros <- sum_call(power_terms(model$time, 1, model$zero_orders), TRUE)
  formula <- formula_of(call("|", counts[[3]], zeros), counts[[2]])
  data$offset <- log_exposure(model, data)
  # Steps of 1e-4 for optim's Hessian, from differences of the gradient: 1e-3, its own, costs four digits.
  p <- length(model$covariates) + length(model$common) + model$orders + 2 + model$zero_orders
  control <- pscl::zeroinfl.control(method = "BFGS", maxit = 1000, reltol = 1e-15, ndeps = rep(1e-4, p))
  fit <- pscl::zeroinfl(formula, data = data, offset = offset, dist = "poisson", link = "logit", control = control)
  iterations <- fit$optim$counts[[2]]
  one_class_answer(model, data, stats::coef(fit), stats::vcov(fit), stats::logLik(fit), fit$converged, iterations)
})
