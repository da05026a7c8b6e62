# What glmmTMB says of the data in data.csv. Run it in its folder: Rscript --vanilla reproduce.R
#
# A row an observation: y the outcome, x1 ... the fixed effects, z1 ... the random effects, g1 ... the codes of their
# levels. What each of them is called in the comparison is in model.json.

library(glmmTMB)

data <- read.csv("data.csv")
fit <- glmmTMB(MODEL, data = data, REML = IS_REML)

beta <- fixef(fit)$cond
errors <- sqrt(diag(vcov(fit)$cond))
said <- c(
  log_likelihood = as.numeric(logLik(fit)),
  sigma = sigma(fit),
  setNames(beta, paste0(names(beta), ".estimate")),
  setNames(errors, paste0(names(beta), ".standard_error"))
)
cat("glmmTMB", as.character(packageVersion("glmmTMB")), "on R", as.character(getRversion()), "\n")
cat(sprintf("  %s %.17g\n", names(said), said), sep = "")
