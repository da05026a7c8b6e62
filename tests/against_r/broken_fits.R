# Fits that go wrong on purpose, for tests only: FAULT_IN names the operation, FAULT says how. Only REML fits are broken,
# so that the same operation works in other cases.

local({
  operation <- Sys.getenv("FAULT_IN")
  works <- get(operation, envir = operations)
  register(operation, function(request) {
    if (request$spec$criterion != "REML") return(works(request))
    file.create(Sys.getenv("FAULT_BEGAN"))
    switch(Sys.getenv("FAULT"),
      kill = tools::pskill(Sys.getpid(), 9),
      quit = quit(save = "no", status = 0),
      hang = Sys.sleep(600),
      busy = repeat {},
      error = stop("the leading minor of order 1 is not positive"),
      answer = list(beta = NULL),
      infinite = {
        answer <- works(request)
        answer$theta <- answer$theta * Inf
        answer
      }
    )
  })
})
