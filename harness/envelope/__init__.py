"""How far engines move by themselves: over starts, optimisers, threads and BLAS."""
