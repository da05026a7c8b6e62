"""The study: from a raw file, by a declared plan, to the results of a paper, every estimate checked twice."""
