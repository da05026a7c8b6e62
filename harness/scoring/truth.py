"""Three-valued answers: True, False, or None where a question has no answer."""

from collections.abc import Iterable

Truth = bool | None


def all_of(truths: Iterable[Truth]) -> Truth:
    """Return False if any answer is False, else None if any is unknown, else True."""
    found = set(truths)
    if False in found:
        return False
    return None if None in found else True


def any_of(truths: Iterable[Truth]) -> Truth:
    """Return True if any answer is True, else None if any is unknown, else False."""
    found = set(truths)
    if True in found:
        return True
    return None if None in found else False
