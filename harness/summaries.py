"""How a result's summary is shown."""


class Summary(str):
    """Text that a notebook shows as it is, not as a quoted string."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)
