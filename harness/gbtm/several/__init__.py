"""Models of several outcomes: one class variable for all of them, or one for each of two."""
