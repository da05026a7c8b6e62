"""Cohorts and models on which engines once disagreed, kept in a format of our own, and cases from then on."""
