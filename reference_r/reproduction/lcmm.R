# What lcmm says of the data in data.csv. Run it in its folder: Rscript --vanilla reproduce.R
#
# A row an observation: subject its code, y the outcome, t the time, v1 ... the covariates of each class, c1 ... those of
# all classes, m1 ... the risk factors for the classes. What each of them is called is in model.json.

library(lcmm)

data <- read.csv("data.csv")
start <- START
fit <- hlme(
  fixed = MODEL, mixture = MIXTURE, subject = "subject", ng = N_CLASSES, classmb = MEMBERSHIP, data = data, B = start,
  posfix = FIXED_AT_ZERO, maxiter = 500, convB = 1e-10, convL = 1e-10, convG = 1e-10
)

shares <- colMeans(fit$pprob[, -(1:2), drop = FALSE])
# lcmm takes log(2 pi) from a 2 pi of single precision; the second line has it in double.
offset <- nrow(data) * log(6.2831854820251465 / (2 * pi)) / 2
said <- c(
  log_likelihood_of_lcmm = fit$loglik,
  log_likelihood = fit$loglik + offset,
  setNames(shares, paste0("mean.posterior.", seq_along(shares)))
)
cat("lcmm", as.character(packageVersion("lcmm")), "on R", as.character(getRversion()), "\n")
cat(sprintf("  %s %.17g\n", names(said), said), sep = "")
cat(sprintf("  parameter %s %.17g\n", names(fit$best), fit$best), sep = "")
