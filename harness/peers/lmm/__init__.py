"""Packages that fit linear mixed models, one a file, named as the engine."""
