# Profile intervals, ratio tests and information criteria of R on a table, as lines of "name value", with all digits.
suppressMessages({
  library(lme4)
  library(nlme)
})
arguments <- commandArgs(trailingOnly = TRUE)
panel <- read.csv(arguments[1], stringsAsFactors = TRUE)
tight <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-11, maxfun = 1e5))
tell <- function(name, values) cat(sprintf("%s %.17g\n", name, values), sep = "")

full <- lmer(y ~ t * g + (1 + t | id), panel, control = tight)
parallel <- lmer(y ~ t * g + (1 | id), panel, control = tight)
pooled <- lmer(y ~ t + (1 + t | id), panel, control = tight)

started <- proc.time()[["elapsed"]]
intervals <- suppressMessages(confint(full, method = "profile", quiet = TRUE, devtol = 1e-6))
tell("seconds", proc.time()[["elapsed"]] - started)
tell(paste0(gsub(" ", "", rownames(intervals)), "@lower"), intervals[, 1])
tell(paste0(gsub(" ", "", rownames(intervals)), "@upper"), intervals[, 2])

tell("anova.fixed", suppressMessages(anova(pooled, full))$Chisq[2])
tell("anova.random", suppressMessages(anova(parallel, full))$Chisq[2])
tell("anova.random.reml", anova(parallel, full, refit = FALSE)$Chisq[2])

by_nlme <- lme(y ~ t * g, random = ~ 1 + t | id, data = panel)
tell("lme4.AIC", AIC(full))
tell("lme4.BIC", BIC(full))
tell("nlme.AIC", AIC(by_nlme))
tell("nlme.BIC", BIC(by_nlme))

if (requireNamespace("pbkrtest", quietly = TRUE)) {
  set.seed(1)
  simulated <- suppressMessages(suppressWarnings(pbkrtest::PBmodcomp(full, pooled, nsim = 100)))
  tell("PBmodcomp.p", simulated$test["PBtest", "p.value"])
}
