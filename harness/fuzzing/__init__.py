"""Differential fuzzing: cases that nobody thought of, and what is left of the disagreements."""
