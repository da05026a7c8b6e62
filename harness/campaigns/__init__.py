"""Cases that nobody thought of: differential fuzzing, and agreement as an estimated rate."""
