"""Packages that fit trajectory models, one a file, named as the engine."""
