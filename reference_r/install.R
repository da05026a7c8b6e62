# Installs the R packages of the engines from CRAN: Rscript --vanilla reference_r/install.R [--reachable | --complete]
#
# HARNESS_CRAN    another repository than https://cloud.r-project.org
#
# One line per package: present, installed, not installed, not reachable. Exit status 0 in any case, because recorded
# results stand in for what is absent. With --reachable nothing is installed, and the status says whether CRAN answers;
# with --complete, whether all packages are present.

packages_of <- function(list_of_engines) {
  entries <- read.dcf(list_of_engines, c("Engine", "Package"))
  unique(ifelse(is.na(entries[, "Package"]), entries[, "Engine"], entries[, "Package"]))
}

script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
packages <- packages_of(file.path(dirname(script), "engines.dcf"))

repository <- Sys.getenv("HARNESS_CRAN", unset = "")
if (!nzchar(repository)) repository <- "https://cloud.r-project.org"

say <- function(...) cat("R set-up: ", ..., "\n", sep = "")

version_of <- function(package) {
  found <- suppressWarnings(utils::packageDescription(package, fields = "Version"))
  if (is.na(found)) "" else found
}

is_reachable <- function(repository, seconds = 10) {
  options(timeout = seconds)
  index <- paste0(sub("/+$", "", repository), "/src/contrib/PACKAGES.gz")
  kept <- tempfile()
  on.exit(unlink(kept))
  tryCatch(
    suppressWarnings(utils::download.file(index, kept, quiet = TRUE, mode = "wb")) == 0 && file.size(kept) > 0,
    error = function(e) FALSE
  )
}

# The first library that can be written to; the user's own is made if there is none.
writable_library <- function() {
  for (library in .libPaths()) if (file.access(library, 2) == 0) return(library)
  own <- Sys.getenv("R_LIBS_USER")
  if (!nzchar(own) || !dir.create(own, showWarnings = FALSE, recursive = TRUE)) return("")
  .libPaths(c(own, .libPaths()))
  own
}

install <- function(package, library) {
  options(timeout = 600)
  complaint <- "R gave no reason"
  remember <- function(condition) complaint <<- conditionMessage(condition)
  tryCatch(
    withCallingHandlers(
      utils::install.packages(package, lib = library, repos = repository, quiet = TRUE, Ncpus = 2),
      warning = function(condition) {
        remember(condition)
        tryInvokeRestart("muffleWarning")
      }
    ),
    error = remember
  )
  found <- version_of(package)
  if (nzchar(found)) say(package, " ", found, " installed") else say(package, " not installed: ", complaint)
}

if ("--complete" %in% commandArgs(trailingOnly = TRUE)) {
  quit(save = "no", status = if (all(nzchar(vapply(packages, version_of, "")))) 0 else 1)
}
if ("--reachable" %in% commandArgs(trailingOnly = TRUE)) {
  quit(save = "no", status = if (is_reachable(repository)) 0 else 1)
}

absent <- character()
for (package in packages) {
  found <- version_of(package)
  if (nzchar(found)) say(package, " ", found, " present") else absent <- c(absent, package)
}
if (length(absent) > 0) {
  if (!is_reachable(repository)) {
    for (package in absent) say(package, " not reachable: no answer from the package repository")
  } else {
    library <- writable_library()
    for (package in absent) {
      if (nzchar(library)) install(package, library) else say(package, " not installed: no library can be written to")
    }
  }
}
