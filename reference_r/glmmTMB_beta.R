# glmmTMB: beta trajectories of one class. Its mean and precision are those of traj: shape parameters mu phi, (1 - mu) phi.

run_glmmTMB_beta <- function(model, data) {
  glmmTMB::glmmTMB(
    predictor(model), data = data, family = glmmTMB::beta_family(link = "logit"),
    control = glmmTMB::glmmTMBControl(optCtrl = list(iter.max = 1000, eval.max = 1000, rel.tol = 1e-14, x.tol = 1e-14))
  )
}

# The covariance is of the coefficients and the logarithm of the precision: from TMB's exact Hessian, not from
# differences of the gradient, of which vcov() is made.
register("glmmTMB_beta.fit", function(request) {
  need_package("glmmTMB")
  data <- trajectory_data(request)
  model <- request$spec
  fit <- run_glmmTMB_beta(model, data)
  estimates <- c(glmmTMB::fixef(fit)$cond, stats::sigma(fit))
  V <- solve(fit$obj$he(fit$fit$par))
  gradient <- as.numeric(fit$obj$gr(fit$fit$par))
  answer <- one_class_answer(model, data, estimates, V, stats::logLik(fit), fit$fit$convergence == 0,
                             fit$fit$iterations)
  c(answer, list(distance = sqrt(sum(gradient * (V %*% gradient)))))
})

register_objective("glmmTMB_beta", "glmmTMB", function(parts, model, data) {
  fit <- run_glmmTMB_beta(model, data)
  -fit$obj$fn(c(parts$coefficients, log(parts$precision)))
})
