"""Runs the pages of the documentation as a reader would: files written, commands typed, in order.

A block ```` ```python title="inventory.py" ```` is a file. In a block ```` ```console ```` what
follows `$ ` is typed into a shell, and the lines below it must be what comes out: `…` in a line
stands for any text, alone in a line for any lines. With `title="in a terminal of its own"` the
command goes on while the rest of the page is read. A block ```` ```diff title="inventory.py" ````
is a change of a file: what it keeps and takes away stands there once.
"""

from __future__ import annotations

import logging
import os
import re
import signal
import subprocess
import sys
import sysconfig
import time
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
OWN_TERMINAL = "in a terminal of its own"
PATIENCE = 30.0

_FENCE = re.compile(r"^```(?P<language>\w+)(?P<info>[^\n]*)\n(?P<text>.*?)^```$", re.M | re.S)
_TITLE = re.compile(r'title="([^"]*)"')
_END = re.compile(r"@@ended (\d+)\n$")


class Block(NamedTuple):
    language: str
    title: str
    text: str


def blocks_of(page: str) -> list[Block]:
    """Every block of code of a page that is indented nowhere."""
    found = []
    for match in _FENCE.finditer((ROOT / page).read_text()):
        title = _TITLE.search(match["info"])
        found.append(Block(match["language"], title[1] if title else "", match["text"]))
    return found


def typed(text: str) -> Iterator[tuple[str, str]]:
    """Each command of a console block, and what the page says comes out."""
    for part in re.split(r"^\$ ", text, flags=re.M)[1:]:
        command, _, output = part.partition("\n")
        while command.endswith("\\"):
            more, _, output = output.partition("\n")
            command = f"{command}\n{more}"
        yield command, output


def matches(expected: str, found: str) -> bool:
    lines = [line.rstrip() for line in expected.strip().splitlines()]
    pattern = "\n".join(
        r"(?:.*\n)*?.*" if line == "…" else re.escape(line).replace("…", ".*?") for line in lines
    )
    text = "\n".join(line.rstrip() for line in found.strip().splitlines())
    return re.fullmatch(pattern, text) is not None


def changed(file: Path, diff: str) -> str:
    """The text of a file after a change."""
    lines = diff.splitlines(keepends=True)
    before = "".join(line[1:] for line in lines if not line.startswith("+"))
    after = "".join(line[1:] for line in lines if not line.startswith("-"))
    text = file.read_text()
    assert text.count(before) == 1, f"{file} has not, or not once:\n{before}"
    return text.replace(before, after)


class Reader:
    """Somebody who does what a page says, in a directory of their own."""

    def __init__(self, folder: Path, path: str) -> None:
        self.folder = folder
        keep = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "COV"))}
        self._environment = keep | {
            "PATH": path,
            "HOME": str(folder),
            "PYTHONUNBUFFERED": "1",
            "NO_COLOR": "1",
            "COLUMNS": "200",
        }
        self._terminals: list[subprocess.Popen[str]] = []
        self._shell = self._open(["bash", "--norc", "--noprofile"], stdin=subprocess.PIPE)

    def read(self, page: str) -> None:
        """Do all that the page says, and see that what it shows is what happens."""
        done = 0
        for block in blocks_of(page):
            if block.language == "console":
                for command, expected in typed(block.text):
                    if block.title == OWN_TERMINAL:
                        self._leave_running(command, expected)
                    else:
                        found = self.type(command)
                        assert not expected or matches(expected, found), f"$ {command}\n{found}"
                    done += 1
            elif block.title:
                file = Path(self.type("pwd").strip()) / block.title
                file.parent.mkdir(parents=True, exist_ok=True)
                text = changed(file, block.text) if block.language == "diff" else block.text
                file.write_text(text)
        assert done, f"{page} has no command"

    def type(self, command: str) -> str:
        """Type a command into the shell, and return what comes out."""
        shell = self._shell
        shell.stdin.write(f"{command}\n_c=$?; echo @@ended $_c; (exit $_c)\n")
        shell.stdin.flush()
        text = ""
        while not (end := _END.search(text)):
            line = shell.stdout.readline()
            assert line, f"the shell ended at: {command}\n{text}"
            text += line
        return text[: end.start()]

    def close(self) -> None:
        for process in reversed(self._terminals):
            os.killpg(process.pid, signal.SIGTERM)
            process.communicate(timeout=PATIENCE)

    def _leave_running(self, command: str, expected: str) -> None:
        where = self.type("pwd").strip()
        process = self._open(["bash", "--norc", "--noprofile", "-c", command], cwd=where)
        text, until = "", time.monotonic() + PATIENCE
        while not matches(expected, text):
            line = process.stdout.readline()
            assert line, f"ended: $ {command}\n{text}"
            assert time.monotonic() < until, f"$ {command}\n{text}"
            text += line

    def _open(self, command: list[str], **more: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            command,
            **{"cwd": self.folder, **more},
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._terminals.append(process)
        return process


@pytest.fixture(autouse=True)
def _root_logger_as_it_came() -> Iterator[None]:
    """Litestar configures the logging of the whole process."""
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    yield
    root.setLevel(level)
    root.handlers[:] = handlers


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    """A reader who has installed what the first tutorial says."""
    home = tmp_path / "reader"
    home.mkdir()
    reader = Reader(home, f"{environment(tmp_path / 'env')}:{os.defpath}")
    yield reader
    reader.close()


def environment(folder: Path) -> Path:
    """Make an environment that has what this one has, and where more can be installed.

    Nothing is fetched: `pip` there installs what it is given, and finds all else here.
    """
    venv.create(folder, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    here = sysconfig.get_path("purelib")
    (packages / "all_from_here.pth").write_text(f"import site; site.addsitedir({here!r})\n")
    bin, python = folder / "bin", folder / "bin" / "python"
    main = "from anabranch_cli.main import run; run()"
    uv = (
        f"{Path(sys.executable).parent / 'uv'} --no-config pip install --python {python} --offline "
        "--no-index --no-deps --no-cache --no-build-isolation"
    )
    for name, command in {
        "anabranch": f'{python} -c "{main}" "$@"',
        "pytest": f'{python} -m pytest -p no:cacheprovider "$@"',
        "pip": f'shift; exec {uv} "$@"',
    }.items():
        (bin / name).write_text(f"#!/bin/sh\n{command}\n")
        (bin / name).chmod(0o755)
    return bin


@pytest.fixture
def blocks():
    """The blocks of a page."""
    return blocks_of


@pytest.fixture
def program():
    """The one block of a page that is the file of that name."""

    def find(page: str, title: str) -> str:
        (text,) = (block.text for block in blocks_of(page) if block.title == title)
        return text

    return find
