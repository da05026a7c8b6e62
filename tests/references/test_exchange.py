"""One request, one answer, one deadline, whatever the other side does. The other side here is Python, not R."""

import socket
import subprocess
import sys
import time

import pytest

from harness.references import wire
from harness.references.exchange import exchange

ECHO = "body = connection.recv(2**20); connection.sendall(body); import time; time.sleep(5)"


def run(code, message=b"", seconds=5.0):
    """Exchange one message with a child that runs the code on its `connection`; return the body and the output."""
    ours, theirs = socket.socketpair()
    start = f"import os, socket, sys; connection = socket.socket(fileno={theirs.fileno()}); "
    with theirs:
        child = subprocess.Popen(
            [sys.executable, "-c", start + code],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(theirs.fileno(),),
        )
    ours.setblocking(False)
    printed = bytearray()
    try:
        body = exchange(ours, child.stdout, message, until=time.monotonic() + seconds, keep=printed.extend)
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
        ours.close()
    return body, bytes(printed)


def test_an_answer_comes_back_whole():
    message = wire.frame({"x": "hello"})
    body, _ = run(ECHO, message)
    assert wire.unframe(body) == {"x": ["hello"]}


def test_a_silent_other_side_ends_at_the_deadline():
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        run("import time; time.sleep(60)", seconds=0.5)
    assert time.monotonic() - began < 5


def test_a_trickle_of_bytes_does_not_extend_the_deadline():
    with pytest.raises(TimeoutError):
        run("import time\nwhile True: connection.sendall(b'\\0'); time.sleep(0.05)", seconds=0.3)


def test_a_message_that_nobody_reads_ends_at_the_deadline():
    with pytest.raises(TimeoutError):
        run("import time; time.sleep(60)", b"x" * 2**24, seconds=0.5)


def test_hanging_up_is_told_at_once():
    with pytest.raises((EOFError, ConnectionError)):
        run("connection.close()")


def test_garbage_is_not_taken_for_a_length():
    with pytest.raises(ValueError, match="a frame of"):
        run("connection.sendall(b'\\xff' * 64); import time; time.sleep(5)")


def test_printed_output_never_blocks_the_answer():
    code = "os.write(1, b'n' * 2**22); " + ECHO
    body, printed = run(code, wire.frame({"x": 1}))
    assert wire.unframe(body)["x"].item() == 1
    assert len(printed) == 2**22
