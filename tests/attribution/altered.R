# R that goes wrong in one way, for tests only: ALTERED names it.

local({
  altered <- Sys.getenv("ALTERED")
  fit <- get("lme4.fit", envir = operations)
  evaluate <- get("lme4.log_likelihood", envir = operations)

  without_a_row <- function(request) {
    request$columns <- lapply(request$columns, function(column) {
      part <- if (column$type == "factor") "codes" else "values"
      column[[part]] <- column[[part]][-17]
      column
    })
    request
  }
  as_ml <- function(request) {
    request$spec$criterion <- "ML"
    request
  }

  if (altered == "loose tolerance") {
    lme4_control <<- function() {
      lme4::lmerControl(optimizer = "bobyqa", calc.derivs = FALSE, optCtrl = list(rhobeg = 0.5, rhoend = 0.4))
    }
  } else if (altered == "dropped row") {
    register("lme4.fit", function(request) fit(without_a_row(request)))
  } else if (altered == "ML for REML") {
    register("lme4.fit", function(request) fit(as_ml(request)))
    register("lme4.log_likelihood", function(request) evaluate(as_ml(request)))
  } else if (altered == "sum coding") {
    usual <- model_data
    model_data <<- function(request) {
      data <- usual(request)
      levels <- levels(data$v4)
      stats::contrasts(data$v4) <- matrix(c(1, -1), 2, dimnames = list(levels, levels[2]))
      data
    }
  } else if (altered == "dropped constant") {
    constant <- 180 * log(2 * pi) / 2
    register("lme4.fit", function(request) {
      answer <- fit(request)
      answer$log_likelihood <- answer$log_likelihood + constant
      answer$aic <- answer$aic - 2 * constant
      answer$bic <- answer$bic - 2 * constant
      answer
    })
    register("lme4.log_likelihood", function(request) {
      answer <- evaluate(request)
      answer$values <- answer$values + constant
      answer
    })
  } else if (altered == "single precision") {
    usual <- data_of
    in_single <- function(columns) {
      lapply(columns, function(column) {
        if (column$type == "double") {
          stored <- writeBin(column$values, raw(), size = 4)
          column$values <- readBin(stored, "double", size = 4, n = length(column$values))
        }
        column
      })
    }
    data_of <<- function(request) usual(list(columns = in_single(request$columns)))
    register("session.echo", function(request) list(columns = in_single(request$columns)))
  } else if (altered == "killed") {
    register("lme4.fit", function(request) tools::pskill(Sys.getpid(), 9))
  }
})
