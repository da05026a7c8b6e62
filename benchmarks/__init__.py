"""Two commands that print how exact and how fast the engines are; see README.md beside this file."""
