"""What the classes predict, and what predicts them: values of subjects beside their trajectories."""
