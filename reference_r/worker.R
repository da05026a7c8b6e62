# The reference side of the harness: a table of operations, and the frame that runs one request at a time.
#
# A request is a typed tree: columns named v1 ... vk (double, or integer codes with levels L1 ... Lk, or logical), a
# model as nested lists, parameters as numbers. Calls are built from it piece by piece; no text is ever parsed as code.

operations <- new.env()

register <- function(name, operation) assign(name, operation, envir = operations)

# Every request starts from the same settings, whatever the one before it did.
reset_session <- function() {
  options(
    contrasts = c("contr.treatment", "contr.poly"),
    na.action = "na.omit",
    stringsAsFactors = FALSE,
    OutDec = ".",
    warn = 1,
    warning.length = 1000,
    expressions = 5000,
    error = NULL,
    device = function(...) grDevices::pdf(NULL)
  )
  RNGkind("Mersenne-Twister", "Inversion", "Rejection")
  set.seed(1)
}

# Returns list(status, value, message, warnings, n_warnings, seconds); status is "ok", "absent" or "refused".
handle <- function(operation, request) {
  reset_session()
  kept <- character()
  count <- 0L
  keep_warning <- function(condition) {
    count <<- count + 1L
    text <- substr(conditionMessage(condition), 1, 500)
    if (length(kept) < 20 && !(text %in% kept)) kept <<- c(kept, text)
    tryInvokeRestart("muffleWarning")
  }
  started <- proc.time()[["elapsed"]]
  answer <- tryCatch(
    withCallingHandlers(
      list(status = "ok", value = operation_called(operation)(request), message = ""),
      warning = keep_warning
    ),
    package_absent = function(e) list(status = "absent", value = NULL, message = conditionMessage(e)),
    error = function(e) list(status = "refused", value = NULL, message = substr(conditionMessage(e), 1, 2000))
  )
  c(answer, list(warnings = kept, n_warnings = count, seconds = proc.time()[["elapsed"]] - started))
}

operation_called <- function(name) {
  if (!exists(name, envir = operations, inherits = FALSE)) stop("no operation of this name")
  get(name, envir = operations, inherits = FALSE)
}

# Attaches the package: lme4's deviance functions and lcmm's re-evaluated calls look names up on the search path.
need_package <- function(package) {
  if (suppressPackageStartupMessages(require(package, character.only = TRUE, quietly = TRUE))) return(invisible(TRUE))
  stop(structure(
    class = c("package_absent", "error", "condition"),
    list(message = paste("R has no package", package), call = NULL)
  ))
}

# ---- columns ----

data_of <- function(request) {
  columns <- request$columns
  if (!all(grepl("^v[0-9]+$", names(columns)))) stop("columns must be named v1 ... vk")
  built <- lapply(columns, function(column) {
    switch(column$type,
      double = column$values,
      logical = column$values,
      factor = structure(column$codes, levels = paste0("L", seq_len(column$n_levels)), class = "factor"),
      stop("unknown column type")
    )
  })
  structure(built, class = "data.frame", row.names = seq_along(built[[1]]))
}

# ---- formulas, by construction ----

column_symbol <- function(name) {
  if (!grepl("^v[0-9]+$", name)) stop("columns must be named v1 ... vk")
  as.name(name)
}

atom_call <- function(atom) {
  column <- column_symbol(atom$column)
  if (atom$power != 1) return(call("I", call("^", column, as.numeric(atom$power))))
  if (atom[["function"]] == "identity") return(column)
  call(match.arg(atom[["function"]], c("log", "log1p", "sqrt", "exp")), column)
}

term_call <- function(atoms) Reduce(function(left, right) call(":", left, right), lapply(atoms, atom_call))

sum_call <- function(terms, intercept) {
  parts <- c(list(if (intercept) 1 else 0), lapply(terms, term_call))
  Reduce(function(left, right) call("+", left, right), parts)
}

# The environment is global, where R's own functions are found and no local variable can be mistaken for a column.
formula_of <- function(right, left = NULL) {
  built <- if (is.null(left)) call("~", right) else call("~", left, right)
  structure(eval(built, globalenv()), .Environment = globalenv())
}

# ---- what R says it was given ----

input_evidence <- function(outcome, subject, design) {
  list(
    n_observations = length(outcome),
    n_subjects = length(unique(subject)),
    outcome_sum = sum(outcome),
    design_names = colnames(design),
    design_sums = unname(colSums(design))
  )
}

# ---- operations on the session itself ----

register("session.versions", function(request) {
  list(
    r = as.character(getRversion()),
    platform = R.version$platform,
    blas = basename(extSoftVersion()[["BLAS"]]),
    lapack = paste(La_version(), basename(La_library()))
  )
})

register("session.packages", function(request) {
  versions <- lapply(request$packages, function(package) {
    suppressWarnings(as.character(utils::packageDescription(package, fields = "Version")))
  })
  list(packages = request$packages, versions = unlist(versions))
})

register("session.contrasts", function(request) getOption("contrasts"))

register("session.echo", function(request) request)

# ---- trajectory models: powers of time, parameters by class, starts ----

# The terms time, time^2, ... from one power to another.
power_terms <- function(time, from, to) {
  lapply(seq_len(max(0, to - from + 1)), function(k) {
    list(list(column = time, power = from + k - 1, `function` = "identity"))
  })
}

polynomial <- function(model, left = NULL) {
  formula_of(sum_call(power_terms(model$time, 1, max(model$orders)), TRUE), left)
}

# The rows that a trajectory model can use, subjects as numbers 1 ... N of their level.
trajectory_data <- function(request) {
  data <- data_of(request)
  model <- request$spec
  data[[model$subject]] <- as.numeric(data[[model$subject]])
  data[stats::complete.cases(data[, c(model$outcome, model$time, model$subject)]), ]
}

trajectory_evidence <- function(outcome, subject, time, model) {
  design <- outer(time, 0:max(model$orders), `^`)
  colnames(design) <- paste0("t^", 0:max(model$orders))
  input_evidence(outcome, subject, design)
}

# A point is (log-odds of classes 1 ... K-1 against K; coefficients class by class; sigma), as in Python.
split_point <- function(point, model) {
  K <- length(model$orders)
  ends <- K - 1 + cumsum(model$orders + 1)
  log_odds <- c(point[seq_len(K - 1)], 0)
  sigmas <- point[seq(ends[K] + 1, length(point))]
  list(
    log_odds = log_odds,
    shares = exp(log_odds - max(log_odds)) / sum(exp(log_odds - max(log_odds))),
    beta = lapply(seq_len(K), function(g) point[seq(ends[g] - model$orders[g], ends[g])]),
    sigma = if (length(sigmas) == 1) rep(sigmas, K) else sigmas
  )
}

# A noisy ranking of the subjects by their mean outcome, cut into K equal parts: parts in random order, by row.
ranked_partition <- function(data, model) {
  K <- length(model$orders)
  means <- tapply(data[[model$outcome]], data[[model$subject]], mean)
  noisy <- means + stats::rnorm(length(means), sd = 0.5 * stats::sd(means))
  part <- sample(K)[ceiling(rank(noisy, ties.method = "first") * K / length(noisy))]
  part[match(data[[model$subject]], as.numeric(names(means)))]
}

# Different ends of the first stage, best first, without those that are too low to become the best.
worth_continuing <- function(reached) {
  best_first <- order(-reached)
  best_first <- best_first[!duplicated(round(reached[best_first], 2))]
  best_first[reached[best_first] > max(reached) - 10]
}
