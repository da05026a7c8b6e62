"""Families of quantities: one path with the names in its brackets left open."""

from functools import lru_cache


@lru_cache(maxsize=2**17)
def family_of(path: str) -> str:
    """Return the path with what stands in outer brackets replaced by `*`, as in `fixed[*].estimate`.

    A path whose brackets do not close is a family of its own.
    """
    parts, depth, start = [], 0, 0
    for k, character in enumerate(path):
        if character == "[":
            if depth == 0:
                parts.append(f"{path[start:k]}[*]")
            depth += 1
        elif character == "]" and depth > 0:
            depth -= 1
            start = k + 1
    return path if depth else "".join([*parts, path[start:]])
