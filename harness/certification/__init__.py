"""Requirements, and by which case, quantity and limit each was shown."""
