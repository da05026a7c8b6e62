"""Linear mixed models, in the steps of Bates et al. (2015): spec, design, covariance, deviance, fit, estimates."""
