"""Which columns of a file were read, and which were not."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

COMPLETE = re.compile(r"(?P<form>.+)_complete")
CHECKBOX = re.compile(r".+___[0-9A-Za-z_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnUse:
    """The names of the columns that were read, and of all others by what they are.

    `form_status` are REDCap's columns `<form>_complete`, `checkboxes` those of its choices (`field___1`).
    """

    read: tuple[str, ...]
    form_status: tuple[str, ...] = ()
    checkboxes: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


def column_use(header: Sequence[str], read: Sequence[str], *, redcap: bool) -> ColumnUse:
    """Return the columns of a header by their use."""
    unread = [name for name in header if name not in read]
    status = [name for name in unread if redcap and COMPLETE.fullmatch(name)]
    boxes = [name for name in unread if redcap and CHECKBOX.fullmatch(name)]
    return ColumnUse(
        read=tuple(name for name in header if name in read),
        form_status=tuple(status),
        checkboxes=tuple(boxes),
        others=tuple(name for name in unread if name not in {*status, *boxes}),
    )
