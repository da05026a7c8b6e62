# What lme4 and nlme say about the panel on the command line: one line a quantity, name and numbers with 17 digits.
suppressMessages({library(lme4); library(nlme)})
panel <- read.csv(commandArgs(trailingOnly = TRUE)[1], stringsAsFactors = TRUE)
tell <- function(name, values) cat(name, sprintf("%.17g", values), "\n")
henderson <- function(m, w, X0, Z0) {
  # The covariance of X0 (beta_hat - beta) + Z0 (b_hat - b).
  Lambda <- as.matrix(getME(m, "Lambda"))
  W <- sqrt(w) * cbind(getME(m, "X"), t(as.matrix(getME(m, "Zt"))) %*% Lambda)
  p <- ncol(getME(m, "X"))
  A <- crossprod(W) + diag(rep(c(0, 1), c(p, ncol(Lambda))))
  T <- cbind(X0, Z0 %*% Lambda)
  sigma(m)^2 * diag(T %*% solve(A, t(T)))
}
tight <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-11, maxfun = 1e5))

one <- lmer(y ~ t * g + (1 + t | id), panel, weights = w, control = tight)
new <- data.frame(id = c("s03", "s03", "new"), g = "b", t = c(0.5, 9, 2))
tell("one.mean", predict(one, new, allow.new.levels = TRUE))
tell("one.population", predict(one, new, re.form = NA))
tell("one.modes", as.matrix(ranef(one)$id))
tell("one.conditional", attr(ranef(one, condVar = TRUE)$id, "postVar"))
tell("one.leverage", hatvalues(one))
tell("one.pearson", resid(one, type = "pearson", scaled = TRUE))
tell("one.variance", henderson(one, panel$w, getME(one, "X"), t(as.matrix(getME(one, "Zt")))))

two <- lmer(y ~ t * g + (1 | id) + (1 | rater), panel, control = tight)
tell("two.mean", fitted(two))
tell("two.variance", henderson(two, rep(1, nrow(panel)), getME(two, "X"), t(as.matrix(getME(two, "Zt")))))
tell("two.leverage", hatvalues(two))

us <- gls(y ~ visit * g, panel, correlation = corSymm(form = ~ as.integer(visit) | id), weights = varIdent(form = ~ 1 | visit),
          control = glsControl(opt = "nlminb", msTol = 1e-13, tolerance = 1e-12))
tell("us.population", predict(us, panel))
tell("us.normalized", tapply(resid(us, type = "normalized")^2, panel$id, sum))

both <- lme(y ~ t * g, panel, random = ~ 1 | id, correlation = corAR1(form = ~ as.integer(visit) | id),
            control = lmeControl(opt = "nlminb", msTol = 1e-13, tolerance = 1e-10, pnlsTol = 1e-10))
tell("both.mean", fitted(both, level = 1))

# Moments of simulate(): their Monte-Carlo errors are those of 2000 draws.
set.seed(1)
draws <- as.matrix(simulate(two, 2000))
tell("two.simulated.mean", rowMeans(draws))
tell("two.simulated.variance", apply(draws, 1, var))
