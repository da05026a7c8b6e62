# For benchmarks, and loaded by them alone: how long R takes, measured inside R, and data that come with R.

elapsed <- function(run) {
  started <- proc.time()[["elapsed"]]
  run()
  proc.time()[["elapsed"]] - started
}

# lmer as a user calls it, with its own control: the mean of `inner` fits, after one that warms up.
register("lme4.time", function(request) {
  need_package("lme4")
  data <- data_of(request)
  formula <- lme4_formula(request$spec)
  fit <- function() suppressMessages(lme4::lmer(formula, data, REML = request$spec$criterion == "REML"))
  found <- fit()
  seconds <- elapsed(function() for (j in seq_len(request$inner)) fit()) / request$inner
  list(seconds = seconds, log_likelihood = as.numeric(stats::logLik(found)))
})

# gridsearch of hlme with its final fit, as lcmm's documentation has it; the model with one class, which it starts from,
# is not timed. gridsearch takes its first argument apart, so that the call must be written out here, with bare names.
register("lcmm.time_gridsearch", function(request) {
  need_package("lcmm")
  set.seed(request$seed)
  data <- trajectory_data(request)
  model <- request$spec
  fixed <- polynomial(model, column_symbol(model$outcome))
  mixture <- polynomial(model)
  subject <- model$subject
  ng <- length(model$orders)
  one <- hlme(fixed, subject = subject, ng = 1, data = data, verbose = FALSE)
  call <- bquote(gridsearch(
    hlme(.(fixed), mixture = .(mixture), subject = .(subject), ng = .(ng), data = data, verbose = FALSE),
    rep = .(request$rep), maxiter = .(request$maxiter), minit = one
  ))
  found <- NULL
  seconds <- elapsed(function() found <<- eval(call))
  list(seconds = seconds, log_likelihood = found$loglik, conv = found$conv, n_observations = nrow(data))
})

# flexmix from random starts with its own stop, the best of them; no standard errors.
register("flexmix.time_search", function(request) {
  need_package("flexmix")
  set.seed(request$seed)
  data <- trajectory_data(request)
  best <- -Inf
  seconds <- elapsed(function() {
    for (start in seq_len(request$rep)) {
      fit <- run_flexmix(request$spec, data, cluster = NULL, tolerance = 1e-6, iter.max = 200)
      best <<- max(best, fit@logLik)
    }
  })
  list(seconds = seconds, log_likelihood = best)
})

# The simulated data of lcmm's help pages.
register("lcmm.data_hlme", function(request) {
  need_package("lcmm")
  data <- lcmm::data_hlme
  list(ID = as.numeric(data$ID), Y = as.numeric(data$Y), Time = as.numeric(data$Time))
})
