# Operations that go wrong on purpose; for tests only.

register("fault.quit", function(request) quit(save = "no", status = 3))
register("fault.sleep", function(request) Sys.sleep(60))
register("fault.busy", function(request) repeat {})
register("fault.error", function(request) stop("boom"))
register("fault.kill", function(request) tools::pskill(Sys.getpid(), 9))
register("fault.segfault", function(request) tools::pskill(Sys.getpid(), 11))
register("fault.warnings", function(request) {
  for (k in 1:20000) warning(paste("warning", k))
  "done"
})
register("fault.same_warning", function(request) {
  for (k in 1:500) warning("again")
  "done"
})
register("fault.print", function(request) {
  line <- strrep("n", 1e6)
  for (k in 1:50) cat(line)
  message("the last words")
  "done"
})
register("fault.large", function(request) numeric(2e6))
register("fault.closure", function(request) function(x) x)
register("fault.recursion", function(request) {
  deeper <- function(n) deeper(n + 1) + 1
  deeper(1)
})
register("fault.child", function(request) {
  system("sleep 300", wait = FALSE)
  as.integer(Sys.getpid())
})
register("fault.settings", function(request) {
  options(contrasts = c("contr.sum", "contr.poly"), OutDec = ",", na.action = "na.fail")
  RNGkind("Wichmann-Hill")
  "changed"
})
register("fault.random", function(request) c(stats::runif(1), stats::rnorm(1)))
register("fault.ask", function(request) readline("name? "))
register("fault.environment", function(request) {
  Sys.getenv(c("LC_ALL", "TZ", "R_PROFILE_USER", "OPENBLAS_NUM_THREADS", "R_LIBS"))
})
register("fault.plot", function(request) {
  graphics::plot(1:3)
  list.files(getwd(), pattern = "Rplots")
})
