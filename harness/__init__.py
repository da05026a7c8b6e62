"""Mixed models and trajectory models in pure Python, cross-checked against R."""
