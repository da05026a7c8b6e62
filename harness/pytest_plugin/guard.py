"""A process that ends before its session does shall not end well."""

import atexit
import ctypes
import os
import sys

STATUS = 3


class Guard:
    """Turns the end of this process into a failure as long as it is armed; children that were forked are let go."""

    def __init__(self) -> None:
        self._owner: int | None = None
        atexit.register(self._at_exit)

    def arm(self) -> None:
        """Begin: from now on an end of the process is too early."""
        self._owner = os.getpid()
        _finalise_at_exit_of_c()

    def disarm(self) -> None:
        """End: the session is over."""
        self._owner = None
        atexit.unregister(self._at_exit)

    def _at_exit(self) -> None:
        if self._owner == os.getpid():
            sys.stderr.write("\nharness: the process ended before the session did; nothing of it counts\n")
            sys.stderr.flush()
            os._exit(STATUS)


def _finalise_at_exit_of_c() -> None:
    """Let an exit() in C, which is how R's quit() ends a process, finalise Python, and so call what is in `atexit`.

    After Python's own end it does nothing. Where the lock of the interpreter is not held it aborts the process, which
    is no success either.
    """
    try:
        # atexit() itself is no symbol of glibc.
        register, finalise = ctypes.CDLL(None)["__cxa_atexit"], ctypes.pythonapi.Py_FinalizeEx
    except (AttributeError, OSError, TypeError):  # another platform; the canary remains
        return
    register(ctypes.cast(finalise, ctypes.c_void_p), None, None)
