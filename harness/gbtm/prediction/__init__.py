"""What a trajectory model says about visits: of the patients it was fitted to, of new ones, and of simulated ones."""
