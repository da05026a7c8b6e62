"""Programs that are copied into a reproduction as they are: they read its data and model and import nothing of ours."""
