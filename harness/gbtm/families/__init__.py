"""Laws of one row given its class: one file a family, each a pure function of linear predictors."""
