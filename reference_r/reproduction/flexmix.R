# What flexmix says of the data in data.csv. Run it in its folder: Rscript --vanilla reproduce.R
#
# A row an observation: subject its code, y the outcome, t the time, v1 ... the covariates of each class, m1 ... the risk
# factors for the classes, n the trials, o the logarithm of the exposure. What each of them is called is in model.json.
# EM begins at the posterior probabilities of the parameters at which flexmix ended in the comparison.

library(flexmix)

data <- read.csv("data.csv")
log_odds <- LOG_ODDS # a row a risk factor, the intercept first; against the last class
coefficients <- COEFFICIENTS # a column a class
sigma <- SIGMA
columns <- model.matrix(DESIGN, data)
at_risk <- model.matrix(RISK, data)
linear <- columns %*% coefficients
density <- sapply(seq_len(ncol(linear)), function(g) DENSITY)
joint <- rowsum(density, data$subject) + cbind(at_risk[!duplicated(data$subject), , drop = FALSE] %*% log_odds, 0)
posterior <- exp(joint - apply(joint, 1, max))
posterior <- (posterior / rowSums(posterior))[match(data$subject, unique(data$subject)), , drop = FALSE]

fit <- flexmix(
  MODEL, data = data, k = ncol(linear), cluster = posterior, model = DRIVER, concomitant = CONCOMITANT,
  control = list(minprior = 0, tolerance = 1e-14, iter.max = 20000)
)
said <- c(log_likelihood = as.numeric(logLik(fit)), setNames(prior(fit), paste0("share.", seq_along(prior(fit)))))
cat("flexmix", as.character(packageVersion("flexmix")), "on R", as.character(getRversion()), "\n")
cat(sprintf("  %s %.17g\n", names(said), said), sep = "")
print(parameters(fit), digits = 15)
