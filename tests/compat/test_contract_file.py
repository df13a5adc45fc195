"""tests/compat/contract.txt is the contract of today, and nothing slips out of it or into it."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def contract():
    """The script that writes the file."""
    spec = importlib.util.spec_from_file_location("contract_script", ROOT / "scripts/contract.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def committed() -> list[str]:
    return (ROOT / "tests" / "compat" / "contract.txt").read_text().splitlines()


def test_nothing_that_somebody_relies_on_is_gone(contract, committed):
    wrong = contract.breaches(committed, contract.lines())
    assert not wrong, "this breaks drivers or programs: see docs/reference/compatibility.md"


def test_what_is_new_is_written_down(contract, committed):
    assert committed == contract.lines(), "run scripts/contract.py, and commit the file"


def test_each_line_stands_once_and_names_no_place_in_memory(committed):
    assert len(committed) == len(set(committed))
    assert not [line for line in committed if " at 0x" in line]


@pytest.mark.parametrize(
    ("line", "instead", "said"),
    [
        ("hook list_instances [3] where: Mapping[str, str] required", "", "gone"),
        ("hook stop_instance [2] instance_id: str required", "", "gone"),
        (
            "hook stop_instance [2] instance_id: str required",
            "hook stop_instance [2] server_id: str required",
            "gone",
        ),
        ("hook stop_instance -> Instance", "hook stop_instance -> None", "gone"),
        ("field Instance busy: bool = False", "field Instance busy: bool required", "gone"),
        ("field Page [2] cursor: str | None = None", "", "gone"),
        ("class InvalidState is Conflict", "", "gone"),
        ("feature user_name create_instance(name)", "", "gone"),
        ("value InstanceState RUNNING = 'RUNNING'", "value InstanceState RUNNING = 'UP'", "gone"),
        ("+", "hook stop_instance [3] force: bool required", "added, and required"),
        ("+", "field Instance colour: str required", "added, and required"),
        ("+", "field CloudSettings region: str required", "added, and required"),
    ],
)
def test_a_breaking_change_is_noticed(contract, committed, line, instead, said):
    if line == "+":
        changed = [*committed, instead]
    else:
        changed = [new for old in committed if (new := instead if old == line else old)]
        assert changed != committed
    wrong = contract.breaches(committed, changed)
    assert wrong
    assert said in wrong[0]


@pytest.mark.parametrize(
    "line",
    [
        "hook stop_instance [3] force: bool = False",
        "hook fly_instance [2] instance_id: str required",
        "field Instance colour: str = ''",
        "field Colour name: str required",
        "class InvalidState is Something",
        "value InstanceState PAUSED = 'PAUSED'",
        "feature colour create_instance(colour)",
    ],
)
def test_growing_is_no_breach(contract, committed, line):
    assert contract.breaches(committed, [*committed, line]) == []


def test_another_version_of_the_contract_begins_anew(contract, committed):
    assert contract.breaches(committed, ["api-version 2"]) == []


def test_the_script_refuses_to_take_anything_away(
    contract, committed, tmp_path, monkeypatch, capsys
):
    file = tmp_path / "contract.txt"
    monkeypatch.setattr(contract, "FILE", file)
    file.write_text("\n".join([*committed, "hook fly_instance -> Instance"]) + "\n")
    before = file.read_text()
    assert contract.main() == 1
    assert "gone or changed: hook fly_instance -> Instance" in capsys.readouterr().err
    assert file.read_text() == before
    file.write_text("\n".join(committed[:-1]) + "\n")
    assert contract.main() == 0
    assert file.read_text().splitlines() == committed
