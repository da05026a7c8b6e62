"""The commands of the command line that have a file of their own: each calls one loop and prints one report."""
