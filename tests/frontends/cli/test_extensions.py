"""Commands that other distributions bring, `serve` among them, and those that are broken."""

import os

import pytest

FUNCTION = """
from typing import Annotated
import typer

def command(
    ctx: typer.Context,
    word: Annotated[str, typer.Option("--word", help="A word.")] = "nothing",
) -> int:
    '''Say a word.'''
    print(word, ctx.find_root().params["config"])
    return 3
"""
APPLICATION = """
import typer

command = typer.Typer(help="Greet people.")

@command.command()
def hello() -> None:
    '''Say hello.'''
    print("hello")

@command.command()
def bye() -> None:
    '''Say bye.'''
    print("bye")
"""


@pytest.fixture
def install(tmp_path):
    """Puts distributions where the program finds them; returns the environment for it."""
    site = tmp_path / "site"

    def put(name, source, *, command="", points=""):
        package = site / name
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(source)
        about = site / f"{name}-1.2.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
        point = points or f"[anabranch.commands]\n{command or name} = {name}:command\n"
        (about / "entry_points.txt").write_text(point)
        return {"PYTHONPATH": os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])}

    return put


def test_serve_is_in_the_help_and_is_proposed(program):
    assert "\n  serve               Serve the clouds over HTTP" in program("--help").out
    done = program("sevre")
    assert done.code == 2
    assert "Did you mean 'serve'?" in done.error


def test_where_it_is_not_installed_that_is_told_whatever_is_asked_of_it(cli, monkeypatch):
    monkeypatch.setattr("anabranch_cli.groups._entry_points", list)
    for line in ("serve", "serve --port 3001 --driver mock", "-v serve x"):
        done = cli(line)
        assert done.code == 2
        assert done.error == "'serve' is not installed: pip install anabranch-server"
    assert "pip install anabranch-server" in cli("serve --help").out
    assert "Did you mean 'serve'?" in cli("sevre").error


def test_a_function_of_others_is_a_command(install, program):
    environment = install("acme", FUNCTION, command="speak")
    done = program("speak", "--word", "boo", "--config", "x.yaml", **environment)
    assert (done.code, done.out) == (3, "boo x.yaml\n")
    text = program("speak", "--help", **environment).out
    assert "--word" in text
    assert "Usage: anabranch speak" in text
    assert "Did you mean 'speak'?" in program("speka", **environment).error


def test_so_is_an_application_with_commands_of_its_own(install, program):
    environment = install("acme", APPLICATION, command="greet")
    assert program("greet", "bye", **environment).out == "bye\n"
    assert "hello" in program("greet", "--help", **environment).out


def test_completion_knows_them(install, program):
    environment = install("acme", FUNCTION, command="speak")

    def completed(line):
        words = {"COMP_WORDS": f"anabranch {line}", "COMP_CWORD": str(len(line.split(" ")))}
        done = program(**environment, **words, _ANABRANCH_COMPLETE="complete_bash")
        return done.out.split()

    assert {"serve", "speak", "simulate"} <= set(completed("s"))
    assert completed("speak --w") == ["--word"]
    assert "--allow-provider" in completed("serve --allow")
    assert completed("serve --cloud l") == ["lisbon"]
    assert completed("serve --driver open") == ["opennebula", "openstack"]


def test_what_is_broken_is_told_to_who_uses_it_and_harms_no_other(install, program):
    install("broken", "1 / 0")
    install("exits", "import sys; sys.exit(7)")
    install("garbage", "", points="[anabranch.commands]\nno equals sign\n")
    environment = install("acme", FUNCTION, command="speak")
    for name, why in (("broken", "ZeroDivisionError"), ("exits", "SystemExit(7)")):
        done = program(name, "--any", "thing", **environment)
        assert done.code == 2
        assert done.error.startswith(f"'{name}', of {name}, cannot be imported: ")
        assert why in done.error
    assert program("speak", **environment).code == 3
    assert program("--help", **environment).code == 0
    assert "Did you mean 'speak'?" in program("speka", **environment).error
    assert program("serve", "--help", **environment).code == 0


def test_no_command_of_the_program_is_replaced(install, program):
    environment = install("acme", FUNCTION, command="instances")
    install("other", FUNCTION, command="clouds")
    assert "list" in program("instances", "--help", **environment).out
    assert "discover" in program("clouds", "--help", **environment).out
