"""What the likelihood alone says: ratio tests, profile intervals, the parametric bootstrap, information criteria."""
