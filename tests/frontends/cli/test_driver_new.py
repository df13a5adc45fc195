"""`anabranch driver new`: from an empty directory to a listing, in an environment of its own.

The environment has the built wheels of core, of the command line and of the new driver, and none of
the tree. What these depend on is linked from the environment that runs the tests, so that nothing
is fetched.
"""

import json
import os
import subprocess
import sys
import time
import tomllib
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
BIN = Path(sys.executable).parent
LONGEST = "abcdefghijklmnopqrstuvwxyz_12345"


def run(*command, cwd, **environment):
    """Run a program to its end, in an environment that knows nothing of this one."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=55,
        check=False,
        env={"PATH": os.defpath, "HOME": str(cwd), "COLUMNS": "200", **environment},
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done


# -------------------------------------------------------------------------- in an environment apart


class Laboratory:
    """A clean environment, and what is needed to put wheels into it."""

    def __init__(self, folder):
        self.folder, self.bin = folder, folder / "venv" / "bin"
        self.project = folder / "anabranch-acme"
        venv.create(folder / "venv", symlinks=True)
        (site,) = (folder / "venv" / "lib").glob("python*/site-packages")
        linked = folder / "dependencies"
        linked.mkdir()
        for entry in self._site_packages().iterdir():
            if "anabranch" not in entry.name and entry.suffix != ".pth":
                (linked / entry.name).symlink_to(entry)
        (site / "dependencies.pth").write_text(f"{linked}\n")

    def install(self, *projects):
        """Build wheels and install them; no index and no cache is asked."""
        wheels = self.folder / "wheels"
        building = [
            subprocess.Popen(
                [BIN / "python", "-m", "hatchling", "build", "-t", "wheel", "-d", wheels],
                cwd=project,
                stdout=subprocess.DEVNULL,
            )
            for project in projects
        ]
        assert [process.wait(timeout=50) for process in building] == [0] * len(building)
        built = [wheels / f"{name}-0.1.0-py3-none-any.whl" for name in map(self._name, projects)]
        run(
            *(BIN / "uv", "--no-config", "pip", "install", "--offline", "--no-index", "--no-deps"),
            *("--no-cache", "--reinstall", "--python", self.bin / "python", *built),
            cwd=self.folder,
        )

    def anabranch(self, *arguments, **environment):
        return run(self.bin / "anabranch", *arguments, cwd=self.folder, **environment)

    @staticmethod
    def _name(project):
        name = tomllib.loads((project / "pyproject.toml").read_text())["project"]["name"]
        return name.replace("-", "_")

    @staticmethod
    def _site_packages():
        (found,) = (BIN.parent / "lib").glob("python*/site-packages")
        return found


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory):
    """Has core and the command line as wheels, and the new driver as that command line wrote it."""
    made = Laboratory(tmp_path_factory.mktemp("laboratory"))
    made.install(ROOT / "core", ROOT / "frontends" / "cli")
    told = made.anabranch("driver", "new", "acme", "--title", "Acme Cloud")
    assert told.stdout == "anabranch-acme\n"
    assert told.stderr.splitlines()[2:5] == [
        "  cd anabranch-acme",
        "  pip install -e '.[simulator]'",
        "  pytest",
    ]
    made.install(made.project)
    return made


def test_the_environment_is_clean(laboratory):
    script = "import anabranch, anabranch_acme; print(anabranch.__file__, anabranch_acme.__file__)"
    told = run(laboratory.bin / "python", "-c", script, cwd=laboratory.folder).stdout
    assert str(ROOT) not in told
    assert told.count(str(laboratory.folder / "venv")) == 2


def test_its_suite_is_green_before_the_first_edit_and_its_level_is_gold(laboratory):
    report = laboratory.project / "src" / "anabranch_acme" / "conformance.json"
    done = run(
        *(laboratory.bin / "python", "-m", "pytest", "-p", "no:cacheprovider"),
        f"--conformance-report={report.relative_to(laboratory.project)}",
        cwd=laboratory.project,
    )
    assert " failed" not in done.stdout
    assert " skipped" not in done.stdout
    told = json.loads(report.read_text())
    assert (told["kind"], told["level"], told["missing"]) == ("acme", "gold", {})

    laboratory.install(laboratory.project)  # as README.md has it: the report goes into the package
    listed = json.loads(laboratory.anabranch("plugins", "--format", "json").stdout)
    assert [(row["kind"], row["distribution"], row["level"], row["error"]) for row in listed] == [
        ("acme", "anabranch-acme", "gold", "")
    ]


def test_its_simulated_cloud_is_listed(laboratory):
    file = laboratory.folder / "fleet.yaml"
    with subprocess.Popen(
        [laboratory.bin / "anabranch", "simulate", "--acme", "1", "--write", file],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as serving:
        try:
            while serving.poll() is None and not (file.exists() and file.read_text()):
                time.sleep(0.05)
            listed = laboratory.anabranch(
                "instances", "list", "--format", "json", ANABRANCH_CONFIG=str(file)
            )
            checked = laboratory.anabranch("clouds", "check", ANABRANCH_CONFIG=str(file))
        finally:
            serving.terminate()
            _, errors = serving.communicate(timeout=20)
    assert json.loads(listed.stdout)["complete"]
    assert len(json.loads(listed.stdout)["items"]) == 10
    assert "demo" in checked.stdout
    assert "anabranch: acme-1: 4 requests (POST 2, GET 2)" in errors


def test_it_is_typed(laboratory):
    """By the rules of this repository, and by its own: both are strict."""
    run(
        *(BIN / "mypy", "--config-file", ROOT / "pyproject.toml", "--follow-imports", "silent"),
        *("--python-executable", laboratory.bin / "python"),
        *("--cache-dir", laboratory.folder / "mypy", "src/anabranch_acme"),
        cwd=laboratory.project,
    )
    python = laboratory.bin / "python"
    told = run(BIN / "pyright", "--pythonpath", python, cwd=laboratory.project).stdout
    assert "0 errors, 0 warnings" in told


# ----------------------------------------------------------------------------------- what it writes


@pytest.mark.parametrize("kind", ["a", "acme", LONGEST])
def test_it_is_tidy_by_the_rules_of_this_repository_and_by_its_own(program, folder, kind):
    """However long the name is: lines that hold it must neither grow too long nor fit into one."""
    title = "Ümläut's Cloud & Söns, Ltd. (since 1949)"
    done = program("driver", "new", kind, "--title", title)
    assert (done.code, len(title)) == (0, 40)
    project = folder / done.out.strip()
    assert tomllib.loads((project / "pyproject.toml").read_text())["project"]["license"]
    ours = ("--config", ROOT / "pyproject.toml", "--config", "src = ['src']", "--no-cache")
    for options in (ours, ("--no-cache",)):
        run(BIN / "ruff", "check", *options, ".", cwd=project)
        run(BIN / "ruff", "format", "--check", *options, ".", cwd=project)


def test_a_licence_of_ones_own_is_named_and_no_text_comes_with_it(cli, folder):
    cli("driver new acme --license MIT")
    project = tomllib.loads((folder / "anabranch-acme/pyproject.toml").read_text())["project"]
    assert (project["license"], project["license-files"]) == ("MIT", [])
    assert not (folder / "anabranch-acme/LICENSE").exists()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ("Acme!", "'Acme!' is no name of a driver. Begin with a small letter"),
        ("my-cloud", "single _: my_cloud"),
        ("9lives", "single _: lives"),
        ("acme_", "is no name of a driver"),
        ("openstack", "'openstack' is taken by anabranch-openstack"),
        ("cli", "'cli' is taken by anabranch-cli"),
        ("class", "'class' is a word of Python's own. Take another: class_cloud"),
        ("port", "is an option of `anabranch simulate`"),
        (LONGEST + "6", "the name has 33 characters. Take one of 32 at most"),
        ("acme --title <b>", "'<b>' is no title"),
        ("acme --title " + "a" * 41, "of 40 characters at most"),
        ("acme --license a$b", "'a$b' is no SPDX expression"),
        ("acme --into anabranch.yaml", "cannot be written: File exists"),
        ("acme --into anabranch.yaml/deeper", "cannot be written: Not a directory"),
    ],
)
def test_mistakes_are_told_and_nothing_is_written(cli, folder, arguments, text):
    before = sorted(folder.rglob("*"))
    done = cli(f"driver new {arguments}")
    assert (done.code, done.out) == (2, "")
    assert text in done.error
    assert sorted(folder.rglob("*")) == before


def test_what_is_there_is_left_alone(cli, folder):
    (folder / "anabranch-acme").mkdir()
    done = cli("driver new acme")
    assert done.code == 2
    assert "'anabranch-acme' exists already. Remove it, or name another" in done.error
    assert not list((folder / "anabranch-acme").iterdir())


def test_a_disk_that_is_full_leaves_nothing_half_written(cli, folder, monkeypatch):
    written = Path.write_text

    def full(path, *args, **kwargs):
        if path.name == "driver.py":
            raise OSError(28, "No space left on device")
        return written(path, *args, **kwargs)

    monkeypatch.setattr(Path, "write_text", full)
    before = sorted(folder.rglob("*"))
    done = cli("driver new acme --into deep/er")
    assert "No space left on device" in done.error
    assert [path for path in sorted(folder.rglob("*")) if path.is_file()] == [
        path for path in before if path.is_file()
    ]
    assert not (folder / "deep/er/anabranch-acme").exists()


def test_a_driver_can_be_begun_anew_where_its_former_version_is_installed(cli, monkeypatch):
    class Point:
        dist = type("Distribution", (), {"name": "Anabranch.Acme"})

    monkeypatch.setattr("anabranch_cli.scaffold.entry_points", lambda **_: [Point])
    assert cli("driver new acme").code == 0
    Point.dist.name = "acme-tools"
    assert "'acme' is taken by acme-tools" in cli("driver new acme --into other").error
