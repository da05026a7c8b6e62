# What nlme says of the data in data.csv. Run it in its folder: Rscript --vanilla reproduce.R
#
# A row an observation: y the outcome, x1 ... the fixed effects, z1 ... the random effects, g1 the codes of its levels.
# What each of them is called in the comparison is in model.json.

library(nlme)

data <- read.csv("data.csv")
control <- lmeControl(maxIter = 500, msMaxIter = 500, niterEM = 50, tolerance = 1e-10, msTol = 1e-12)
fit <- lme(MODEL, random = RANDOM_PART, data = data, method = CRITERION, control = control)

block <- as.matrix(getVarCov(fit))
places <- which(lower.tri(block, diag = TRUE), arr.ind = TRUE)
covariances <- block[lower.tri(block, diag = TRUE)]
names(covariances) <- paste("covariance", rownames(block)[places[, 1]], rownames(block)[places[, 2]], sep = ".")
errors <- sqrt(diag(vcov(fit)))
said <- c(
  log_likelihood = as.numeric(logLik(fit)),
  sigma = fit$sigma,
  setNames(fixef(fit), paste0(names(fixef(fit)), ".estimate")),
  setNames(errors, paste0(names(fixef(fit)), ".standard_error")),
  covariances
)
cat("nlme", as.character(packageVersion("nlme")), "on R", as.character(getRversion()), "\n")
cat(sprintf("  %s %.17g\n", names(said), said), sep = "")
