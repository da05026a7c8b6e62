"""A fit as a plain file, and back: no data of anybody in it, and nothing in it is ever run."""
