"""The envelope of each limit: how far engines move by themselves, and how far a number must move to mislead.

A limit below what an engine moves by over its own starts, optimisers, threads and BLAS blames noise; a limit above what
misleads a reader lets a wrong number pass. `measure` finds both from fits, and `outside` says which limits do not lie
between them.
"""
