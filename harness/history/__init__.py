"""Runs remembered in a small embedded database, and steps detected before a limit breaks."""
