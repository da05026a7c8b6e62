"""Inference on trajectory models: bands, tests, profile intervals, bootstrap."""
