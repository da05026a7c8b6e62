"""Rates and means of two groups as models of a case, so that R can be asked for the same numbers."""
