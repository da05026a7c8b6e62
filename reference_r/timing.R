# How long R takes, measured inside R, for benchmarks; loaded by them alone.

elapsed <- function(run) {
  started <- proc.time()[["elapsed"]]
  run()
  proc.time()[["elapsed"]] - started
}

# lmer as a user calls it, with its own control; the mean of `inner` fits, `times` over.
register("lme4.time", function(request) {
  need_package("lme4")
  data <- data_of(request)
  formula <- lme4_formula(request$spec)
  fit <- function() suppressMessages(lme4::lmer(formula, data, REML = request$spec$criterion == "REML"))
  fit()
  seconds <- vapply(seq_len(request$times), function(i) {
    elapsed(function() for (j in seq_len(request$inner)) fit()) / request$inner
  }, 0)
  list(seconds = seconds, log_likelihood = as.numeric(stats::logLik(fit())))
})

# gridsearch of hlme with its final fit, as lcmm's documentation has it. gridsearch parses its first argument again, so
# that the call must be written out here, with bare names.
register("lcmm.time_gridsearch", function(request) {
  need_package("lcmm")
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
  list(seconds = seconds, log_likelihood = found$loglik, n_observations = nrow(data))
})
