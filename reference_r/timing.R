# For benchmarks, and loaded by them alone: how long R takes, measured inside R, and data that come with R.

# In seconds of the processor, which a busy machine does not stretch as it stretches those of the clock.
elapsed <- function(run) {
  started <- proc.time()
  run()
  sum((proc.time() - started)[c("user.self", "sys.self")])
}

# Mixed models as a user calls them, each with its own control: the mean of `inner` runs, after a fit that warms up; of
# that first fit itself if `inner` is 0. `then` is what is asked of the fit within the time. `beta` and the
# log-likelihood are the fit's.
timed_model <- function(request, fit, fixed, then = identity) {
  found <- NULL
  first <- elapsed(function() found <<- suppressWarnings(suppressMessages(fit())))
  run <- function() suppressWarnings(suppressMessages(then(fit())))
  seconds <- if (request$inner == 0) first else {
    elapsed(function() for (j in seq_len(request$inner)) run()) / request$inner
  }
  list(seconds = seconds, log_likelihood = as.numeric(stats::logLik(found)), beta = unname(fixed(found)))
}

# A call that holds its formula and data: pbkrtest evaluates it again.
user_call <- function(of, request) {
  given <- list(formula = lme4_formula(request$spec), data = data_of(request), REML = request$spec$criterion == "REML")
  as.call(c(of, given))
}

register("lme4.time", function(request) {
  need_package("lme4")
  called <- user_call(quote(lme4::lmer), request)
  timed_model(request, function() eval(called, globalenv()), lme4::fixef)
})

# Kenward and Roger's covariance once, and with it the df of each coefficient: the quickest way that there is.
register("pbkrtest.time", function(request) {
  need_package("pbkrtest")
  called <- user_call(quote(lme4::lmer), request)
  timed_model(request, function() eval(called, globalenv()), lme4::fixef, function(fit) {
    plain <- stats::vcov(fit)
    adjusted <- pbkrtest::vcovAdj(fit)
    vapply(seq_len(nrow(plain)), function(k) {
      pbkrtest::Lb_ddf(as.numeric(seq_len(nrow(plain)) == k), plain, adjusted)
    }, 0)
  })
})

# Tests of all coefficients, by Kenward and Roger (which is pbkrtest's work) if `adjusted`, else by Satterthwaite.
register("lmerTest.time", function(request) {
  need_package("lmerTest")
  need_package("pbkrtest")
  called <- user_call(quote(lmerTest::lmer), request)
  ddf <- if (request$adjusted == 1) "Kenward-Roger" else "Satterthwaite"
  timed_model(request, function() eval(called, globalenv()), lme4::fixef, function(fit) summary(fit, ddf = ddf))
})

register("nlme.time", function(request) {
  need_package("nlme")
  spec <- request$spec
  called <- as.call(list(
    quote(nlme::lme),
    fixed = formula_of(terms_call(spec$terms, spec$intercept), column_symbol(spec$outcome)),
    random = nlme_random(spec),
    data = complete_rows(data_of(request)),
    method = spec$criterion
  ))
  timed_model(request, function() eval(called, globalenv()), nlme::fixef)
})

# Profile intervals of all parameters, of a fit that is not timed.
register("lme4.time_profile", function(request) {
  need_package("lme4")
  fit <- suppressMessages(eval(user_call(quote(lme4::lmer), request), globalenv()))
  limits <- NULL
  seconds <- elapsed(function() {
    limits <<- suppressWarnings(suppressMessages(stats::confint(fit, method = "profile", quiet = TRUE)))
  })
  list(seconds = seconds, lower = unname(limits[, 1]), upper = unname(limits[, 2]))
})

# `replicates` refits of a fit that is not timed.
register("lme4.time_bootstrap", function(request) {
  need_package("lme4")
  fit <- suppressMessages(eval(user_call(quote(lme4::lmer), request), globalenv()))
  seconds <- elapsed(function() suppressMessages(lme4::bootMer(fit, lme4::fixef, nsim = request$replicates)))
  list(seconds = seconds)
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
