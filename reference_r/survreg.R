# survreg: censored normal trajectories of one class.

# Which rows lie at a limit: 0 right-censored, 1 observed, 2 left-censored, as survival counts them.
censored_outcome <- function(model, data) {
  y <- data[[model$outcome]]
  event <- ifelse(y <= model$limits[1], 2, ifelse(y >= model$limits[2], 0, 1))
  survival::Surv(y, y, event, type = "interval")
}

run_survreg <- function(model, data, init = NULL, maxiter = 100) {
  data$censored <- censored_outcome(model, data)
  survival::survreg(
    predictor(model, left = as.name("censored")), data = data, dist = "gaussian", init = init,
    control = survival::survreg.control(maxiter = maxiter, rel.tolerance = 1e-14, toler.chol = 1e-14)
  )
}

# The covariance is of the coefficients and log sigma.
register("survreg.fit", function(request) {
  need_package("survival")
  data <- trajectory_data(request)
  model <- request$spec
  fit <- run_survreg(model, data)
  V <- as.matrix(stats::vcov(fit))
  one_class_answer(model, data, c(stats::coef(fit), fit$scale), V, stats::logLik(fit), fit$iter < 100, fit$iter)
})

register_objective("survreg", "survival", function(parts, model, data) {
  fit <- suppressWarnings(run_survreg(model, data, c(parts$coefficients, log(parts$sigma)), maxiter = 0))
  fit$loglik[2]
})
