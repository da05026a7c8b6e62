"""One disagreement as a small case and scripts that anyone can run without this project."""
