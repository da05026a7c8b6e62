"""A plugin of pytest: a project's own cases as test items, one a quantity."""
