# What the engines of linear mixed models share: rows, codings, and formulas of the whole grammar.
#
# A model is a tree of outcome, terms, random terms (each with its grouping columns), a residual structure or NULL, and
# a column of weights or NULL. An atom of a term is a column, a power or function of it, poly(column, size) or
# ns(column, size); ns() is found on the search path, where a fitted model looks for it too.

# All rows, since R trains poly() and ns() on those without an outcome too; factors with the levels that a complete row
# has, each in the coding that the model asks for. poly() takes no missing values, so those rows go.
model_data <- function(request) {
  data <- data_of(request)
  data <- data[!Reduce(`|`, lapply(polynomial_columns(request$spec), function(name) is.na(data[[name]])), FALSE), ]
  complete <- complete_rows(data)
  for (name in names(data)[vapply(data, is.factor, NA)]) {
    data[[name]] <- factor(data[[name]], levels(droplevels(complete[[name]])))
  }
  for (name in names(request$spec$codings)) {
    stats::contrasts(data[[name]]) <- coding_matrix(request$spec$codings[[name]], levels(data[[name]]))
  }
  data
}

complete_rows <- function(data) data[stats::complete.cases(data), , drop = FALSE]

polynomial_columns <- function(spec) {
  atoms <- unlist(c(spec$terms, lapply(spec$random, function(random) unlist(random$terms, FALSE))), FALSE)
  unique(unlist(lapply(atoms, function(atom) if (identical(atom[["function"]], "poly")) atom$column)))
}

# A contrast is called by the level that it sets apart, a polynomial by its degree.
coding_matrix <- function(coding, levels) {
  build <- switch(coding,
    treatment = stats::contr.treatment,
    sum = stats::contr.sum,
    helmert = stats::contr.helmert,
    poly = stats::contr.poly,
    stop("unknown coding")
  )
  called <- switch(coding, poly = paste0("c", seq_along(levels[-1])), sum = levels[-length(levels)], levels[-1])
  matrix(build(length(levels)), length(levels), dimnames = list(levels, called))
}

basis_call <- function(atom) {
  switch(atom[["function"]],
    poly = call("poly", column_symbol(atom$column), as.numeric(atom$size)),
    ns = call("ns", column_symbol(atom$column), as.numeric(atom$size)),
    atom_call(atom)
  )
}

product_call <- function(atoms) Reduce(function(left, right) call(":", left, right), lapply(atoms, basis_call))

added <- function(parts) Reduce(function(left, right) call("+", left, right), parts)

terms_call <- function(terms, intercept) added(c(list(if (intercept) 1 else 0), lapply(terms, product_call)))

# The subjects of a random term: one column, or the combinations of several.
grouping_call <- function(columns) Reduce(function(a, b) call(":", a, b), lapply(columns, column_symbol))

bar_call <- function(random) {
  bar <- if (random$correlated) "|" else "||"
  call("(", call(bar, terms_call(random$terms, random$intercept), grouping_call(random$grouping)))
}

fixed_formula <- function(spec) formula_of(terms_call(spec$terms, spec$intercept), column_symbol(spec$outcome))

# Which term of the formula each column of a design belongs to, as R's labels of terms; "" for the intercept.
term_of_columns <- function(spec, data, kept) {
  X <- stats::model.matrix(formula_of(terms_call(spec$terms, spec$intercept)), data)
  labels <- attr(stats::terms(fixed_formula(spec)), "term.labels")
  of <- c("", labels)[attr(X, "assign") + 1]
  of[match(kept, colnames(X))]
}

# What an engine used: its outcome, its columns of the design, and the subjects of its rows.
mixed_evidence <- function(spec, data, outcome, X) {
  subject <- if (length(spec$random) > 0) spec$random[[1]]$grouping else spec$residual$subject
  input_evidence(outcome, interaction(complete_rows(data)[subject], drop = TRUE), X)
}
