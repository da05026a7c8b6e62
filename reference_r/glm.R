# glm: Poisson and binomial trajectories of one class.

glm_outcome <- function(model) {
  outcome <- column_symbol(model$outcome)
  if (length(model$trials) == 0) return(outcome)
  call("cbind", outcome, call("-", column_symbol(model$trials), outcome))
}

glm_family <- function(model) switch(model$family, poisson = stats::poisson(), logit = stats::binomial())

register("glm.fit", function(request) {
  data <- trajectory_data(request)
  model <- request$spec
  data$offset <- log_exposure(model, data)
  fit <- stats::glm(
    predictor(model, left = glm_outcome(model)), family = glm_family(model), data = data, offset = offset,
    control = list(epsilon = 1e-14, maxit = 100)
  )
  one_class_answer(model, data, stats::coef(fit), stats::vcov(fit), stats::logLik(fit), fit$converged, fit$iter)
})

register_objective("glm", "stats", function(parts, model, data) {
  eta <- one_class_predictor(parts$coefficients, model, data)
  y <- data[[model$outcome]]
  if (model$family == "poisson") return(sum(stats::dpois(y, exp(eta), log = TRUE)))
  trials <- if (length(model$trials) == 1) data[[model$trials]] else 1
  sum(stats::dbinom(y, trials, stats::plogis(eta), log = TRUE))
})
