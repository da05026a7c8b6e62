"""From the terms of a formula to columns, by R's rules; both kinds of models use it."""
