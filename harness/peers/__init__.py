"""Reference engines in Python: one file a package, beside those of R."""
