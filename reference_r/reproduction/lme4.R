# What lme4 says of the data in data.csv. Run it in its folder: Rscript --vanilla reproduce.R
#
# A row an observation: y the outcome, x1 ... the fixed effects, z1 ... the random effects, g1 ... the codes of their
# levels, w the weights if there are any. What each of them is called in the comparison is in model.json.

library(lme4)

data <- read.csv("data.csv")
fit <- lmer(MODEL, data = data, REML = IS_REML, weights = WEIGHTS, control = CONTROL)

covariances <- do.call(c, unname(lapply(VarCorr(fit), function(block) {
  places <- which(lower.tri(block, diag = TRUE), arr.ind = TRUE)
  values <- block[lower.tri(block, diag = TRUE)]
  setNames(values, paste("covariance", rownames(block)[places[, 1]], rownames(block)[places[, 2]], sep = "."))
})))
errors <- sqrt(diag(as.matrix(vcov(fit))))
said <- c(
  log_likelihood = as.numeric(logLik(fit)),
  sigma = sigma(fit),
  setNames(fixef(fit), paste0(names(fixef(fit)), ".estimate")),
  setNames(errors, paste0(names(fixef(fit)), ".standard_error")),
  covariances
)
cat("lme4", as.character(packageVersion("lme4")), "on R", as.character(getRversion()), "\n")
cat(sprintf("  %s %.17g\n", names(said), said), sep = "")
