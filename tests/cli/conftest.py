"""Commands run in an empty folder, without R, and everything that they leave behind."""

from contextlib import nullcontext

import pytest

from harness import cli, runs


class EmptyFolder:
    """The folder in which a command runs; `run` returns (exit status, standard output, standard error)."""

    def __init__(self, path, run):
        self.path = path
        self.run = run

    @property
    def files(self):
        return {str(path.relative_to(self.path)) for path in self.path.rglob("*")}


@pytest.fixture
def harness(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(runs, "live_engines", lambda: nullcontext({}))

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["harness", *arguments])
        try:
            cli.main()
            status = 0
        except SystemExit as end:
            status = end.code
        said = capfd.readouterr()
        return status, said.out, said.err

    return EmptyFolder(tmp_path, run)
