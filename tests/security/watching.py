"""Nothing executes and nothing is written elsewhere: proved by Python's own audit events, which no code can pass by."""

import os
import signal
import sys
from contextlib import contextmanager
from pathlib import Path

EXECUTES = {
    "os.system",
    "os.exec",
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.spawn",
    "os.startfile",
    "pty.spawn",
    "subprocess.Popen",
    "socket.connect",
    "socket.bind",
    "urllib.Request",
    "pickle.find_class",
    "code.__new__",
}
CHANGES_A_PATH = {
    "os.chmod",
    "os.chown",
    "os.link",
    "os.mkdir",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.symlink",
    "os.truncate",
    "shutil.copyfile",
    "shutil.move",
    "shutil.rmtree",
}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
SECONDS = 20.0
"""So long the processor may work on one input; most take a ten-thousandth."""


class TookTooLong(BaseException):
    """An input that keeps the program busy; no `except Exception` of the program catches it."""


class Watch:
    """Keeps what happened that must not, while an input is read; `folder` is where files may be written."""

    def __init__(self, folder):
        self.folder = Path(folder).resolve()
        self.seen = []
        self._looking = False
        sys.dont_write_bytecode = True
        sys.addaudithook(self._hear)

    @contextmanager
    def over(self, what):
        """Watch over one input; raises TookTooLong at its deadline."""
        self._what, self._looking = what, True
        signal.signal(signal.SIGPROF, _ring)
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            self._looking = False

    def _hear(self, event, arguments):
        if not self._looking:
            return
        if event in EXECUTES or (event == "exec" and _is_text(arguments[0])):
            self.seen.append(f"{self._what}: {event} {arguments!r:.200}")
        elif event == "open" and isinstance(arguments[0], str | bytes | os.PathLike):
            path, mode, flags = arguments
            if (isinstance(mode, str) and set(mode) & set("wax+")) or (isinstance(flags, int) and flags & WRITES):
                self._judge(event, path)
        elif event in CHANGES_A_PATH:
            for path in arguments[:2]:
                if isinstance(path, str | bytes | os.PathLike):
                    self._judge(event, path)

    def _judge(self, event, path):
        place = Path(os.path.realpath(os.fsdecode(path)))
        if self.folder not in place.parents and str(place) != os.devnull:
            self.seen.append(f"{self._what}: {event} of {str(place)!r:.200}")


def _ring(number, frame):  # noqa: ARG001  # as a handler of signals
    raise TookTooLong


def _is_text(code):
    """Return whether code was made of text while the program ran, and not of a file of a package."""
    return getattr(code, "co_filename", "") in {"<string>", "<stdin>", "<unknown>"}
