"""The program as people run it, and in process where a subprocess would only cost time."""

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

PROGRAM = str(Path(sys.executable).with_name("anabranch"))

CLOUDS = """
clouds:
  lisbon: {driver: mock}
  porto: {driver: mock, dataset: generated, instances: 6, page_size: 4}
  evora: {driver: mock, dataset: empty}
"""


class Outcome(NamedTuple):
    """How a run ended."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one line of an expected error."""
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("anabranch: error: ")
        assert "Traceback" not in self.err
        return lines[0].removeprefix("anabranch: error: ")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working directory with a configuration that can be changed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "anabranch.yaml").write_text(CLOUDS)
    return tmp_path


@pytest.fixture
def program(folder):
    """Runs the real program in the working directory."""

    def run(*arguments, stdin="", **environment):
        done = subprocess.run(
            [PROGRAM, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            cwd=folder,
            env={**os.environ, "COLUMNS": "200", **environment},
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def cli(folder, capsys, blockbuster):
    """Runs the program's main function in this process."""
    blockbuster.deactivate()  # what a command line does between two awaits keeps nobody waiting
    from anabranch_cli.main import invoke

    def run(*lines):
        arguments = [word for line in lines for word in line.split()]
        code = invoke(arguments)
        captured = capsys.readouterr()
        return Outcome(int(code), captured.out, captured.err)

    yield run
    blockbuster.activate()
