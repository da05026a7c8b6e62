"""Group-based trajectory models (Nagin 2005): spec, design, density, EM, Newton, starts, fit, estimates."""
